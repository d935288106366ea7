//! The form of Standard Webhooks 1.0: secrets and signatures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{HMAC_SHA256, Key, sign};
use zeroize::Zeroizing;

use crate::ctx::Random;
use crate::secrets::Secret;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const BYTES: usize = 32;

/// A new secret: what signs, and how it is shown.
pub(super) fn generate(random: &Random) -> (Zeroizing<Vec<u8>>, Secret) {
    let key = Zeroizing::new(random.bytes::<BYTES>().to_vec());
    let shown = Secret::new(format!("{PREFIX}{}", STANDARD.encode(&*key)));
    (key, shown)
}

/// The value of `webhook-signature`: one signature for each key.
pub(super) fn of(keys: &[Zeroizing<Vec<u8>>], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut signed = format!("{id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(body);
    let signatures: Vec<String> = keys
        .iter()
        .map(|key| {
            let tag = sign(&Key::new(HMAC_SHA256, key), &signed);
            format!("v1,{}", STANDARD.encode(tag))
        })
        .collect();
    signatures.join(" ")
}
