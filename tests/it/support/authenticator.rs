//! An authenticator in software, with the browser around it (Web Authentication, Level 3): by another hand than the server's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const ATTESTED: u8 = 1 << 6;

/// A passkey, with the page that it is used on.
pub struct Passkey {
    pair: EcdsaKeyPair,
    pub id: Vec<u8>,
    /// The user handle that it was made with.
    pub user: Vec<u8>,
    /// The page's origin.
    pub origin: String,
    /// Whose it is, as the authenticator knows it.
    pub rp_id: String,
    /// What it has counted so far; with each signature it counts on.
    pub counter: u32,
    /// Whether it counts at all.
    pub counts: bool,
    /// Whether it asks its holder for a PIN or the like.
    pub verifies: bool,
}

impl Passkey {
    /// One that is made by these options, on a page of that origin.
    pub fn new(options: &Value, origin: &str) -> Passkey {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random)
            .unwrap();
        let mut id = vec![0; 20];
        random.fill(&mut id).unwrap();
        Passkey {
            pair,
            id,
            user: bytes(&options["user"]["id"]),
            origin: origin.to_owned(),
            rp_id: options["rp"]["id"].as_str().unwrap().to_owned(),
            counter: 0,
            counts: true,
            verifies: true,
        }
    }

    /// What `navigator.credentials.create(…)` gives, as JSON.
    pub fn made(&self, options: &Value) -> Value {
        let mut data = self.data(ATTESTED);
        // Of no known make.
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        attestation.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        attestation.extend(&data);
        json!({
            "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": text(&self.client_data("webauthn.create", options)),
                "attestationObject": text(&attestation),
                "authenticatorData": text(&data),
                "transports": ["internal", "hybrid"],
                "publicKeyAlgorithm": -7,
            },
            "clientExtensionResults": {"credProps": {"rk": true}},
        })
    }

    /// What `navigator.credentials.get(…)` gives, as JSON.
    pub fn sign(&mut self, options: &Value) -> Value {
        if self.counts {
            self.counter += 1;
        }
        let data = self.data(0);
        let client_data = self.client_data("webauthn.get", options);
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, &client_data).as_ref());
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": text(&client_data),
                "authenticatorData": text(&data),
                "signature": text(signature.as_ref()),
                "userHandle": text(&self.user),
            },
            "clientExtensionResults": {},
        })
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
        });
        data.to_string().into_bytes()
    }

    /// The authenticator data, as far as both ceremonies have it.
    fn data(&self, more: u8) -> Vec<u8> {
        let verified = if self.verifies { USER_VERIFIED } else { 0 };
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        data.push(USER_PRESENT | verified | more);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// The public key as COSE has it: EC2, ES256, P-256.
    fn cose(&self) -> Vec<u8> {
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        [
            b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".as_slice(),
            x,
            b"\x22\x58\x20",
            y,
        ]
        .concat()
    }
}

/// As browsers write bytes in JSON.
pub fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of such a text.
pub fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
