//! Secrets and what is stored of them.
//!
//! An API key is `ks_`, 31 random base62 characters and 6 base62 characters of CRC-32 (IEEE) over what stands before: 40 in
//! all, one word, made for secret scanners, and refused without a query when the checksum is wrong. Stored are its
//! SHA-256 and a display prefix.

mod sealer;

pub use sealer::{SEALING_KEY_MIN, Sealer};

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ctx::Random;

/// Characters of an API key.
pub const API_KEY_LENGTH: usize = 40;
/// What an API key begins with.
pub const API_KEY_PREFIX: &str = "ks_";
/// What the token of an invitation begins with.
pub const INVITATION_PREFIX: &str = "ksi_";
/// What the token of a magic link begins with.
pub const MAGIC_LINK_PREFIX: &str = "ksm_";
/// What the secret of a session begins with.
pub const SESSION_PREFIX: &str = "kss_";
const RANDOM: usize = 31;
const CHECKSUM: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A secret in the clear: it cannot be printed or copied by accident, and is wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes a text that is secret from here on.
    pub fn new(text: String) -> Self {
        Secret(text)
    }

    /// A new API key.
    pub fn generate_api_key(random: &Random) -> Self {
        Secret::generate(random, API_KEY_PREFIX)
    }

    /// A new secret of the kind that begins so: 31 random characters and 6 of a checksum follow.
    pub fn generate(random: &Random, prefix: &str) -> Self {
        let mut text = String::with_capacity(prefix.len() + RANDOM + CHECKSUM);
        text.push_str(prefix);
        while text.len() < prefix.len() + RANDOM {
            // 248 is the largest multiple of 62 in a byte: what lies above would favour some characters.
            let byte = random.bytes::<1>()[0];
            if byte < 248 {
                text.push(char::from(BASE62[usize::from(byte % 62)]));
            }
        }
        let checksum = checksum(&text);
        text.extend(checksum.map(char::from));
        Secret(text)
    }

    /// The text, to be sent to the one who may have it. Every call is a place to look at.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// What is encrypted for the holder alone is encrypted with keys made of this. It is derived from the secret itself, not from its
    /// digest: whoever has the database has the digests.
    pub fn sealing_key(&self) -> SealingKey {
        SealingKey(Zeroizing::new(self.0.as_bytes().to_vec()))
    }

    /// What may be shown of an API key: `ks_Ab3d…`.
    pub fn display_prefix(&self) -> String {
        let shown: String = self.0.chars().take(API_KEY_PREFIX.len() + 4).collect();
        format!("{shown}…")
    }

    /// Whether it has the form of an API key, whatever its checksum says.
    pub fn looks_like_api_key(&self) -> bool {
        has_form(API_KEY_PREFIX, &self.0)
    }

    /// Whether it has the form of an API key and its checksum is right.
    pub fn is_api_key(&self) -> bool {
        matches!(KeyText::read(&self.0), KeyText::Key(_))
    }
}

/// A text that should be an API key, read without keeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyText {
    /// It has another form.
    Other,
    /// It has the form, but its checksum is wrong: no such key was ever made.
    Wrong,
    /// It may be a key: this is what is stored of it.
    Key(Digest),
}

impl KeyText {
    /// Reads the text.
    pub fn read(text: &str) -> Self {
        KeyText::of(API_KEY_PREFIX, text)
    }

    /// Reads a text that should be a secret of the kind that begins so.
    pub fn of(prefix: &str, text: &str) -> Self {
        if !has_form(prefix, text) {
            return KeyText::Other;
        }
        let (said, sum) = text.split_at(text.len() - CHECKSUM);
        if checksum(said) == sum.as_bytes() {
            KeyText::Key(Digest::of(text.as_bytes()))
        } else {
            KeyText::Wrong
        }
    }
}

fn has_form(prefix: &str, text: &str) -> bool {
    text.len() == prefix.len() + RANDOM + CHECKSUM
        && text.starts_with(prefix)
        && text
            .bytes()
            .skip(prefix.len())
            .all(|byte| byte.is_ascii_alphanumeric())
}

fn checksum(text: &str) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut places = [0u8; CHECKSUM];
    for place in places.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    places
}

/// What a credential yields for encrypting what is stored for its holder alone: the credential, of which keys are derived when they
/// are needed, which is seldom. Wiped when dropped.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<Vec<u8>>);

impl SealingKey {
    /// 32 bytes, to derive keys from.
    pub(crate) fn derive(&self) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        let extracted = Salt::new(HKDF_SHA256, b"keystead").extract(&self.0);
        extracted
            .expand(&[b"sealing key"], HKDF_SHA256)
            .and_then(|expanded| expanded.fill(&mut *key))
            .expect("32 bytes are one hash of output");
        key
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

/// SHA-256 of a secret: what the database has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of any text, for fingerprints.
    pub fn of(bytes: &[u8]) -> Self {
        Digest::made(digest(&SHA256, bytes))
    }

    fn made(digest: ring::digest::Digest) -> Self {
        let bytes = digest.as_ref().try_into();
        Digest(bytes.expect("SHA-256 has 32 bytes"))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest as it was stored; `None` unless it has 32 bytes.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Digest)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// A text of the caller's choice, without what looks like a secret of Keystead's: somebody may have put a key into a URL.
/// At most 512 bytes of it.
pub fn masked(text: &str) -> String {
    const PREFIXES: [&str; 4] = ["ks_", "kss_", "ksi_", "ksm_"];
    // What most texts do not have, and all of those have.
    if text.len() <= 512 && !text.contains("ks") {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = PREFIXES.iter().filter_map(|prefix| rest.find(prefix)).min() {
        let (before, from) = rest.split_at(at);
        // What follows a prefix has no underscore, so a name such as tasks_of_the_platform is none.
        let prefix = from.find('_').map_or(0, |at| at + 1);
        let word = from[prefix..]
            .find(|c: char| !c.is_ascii_alphanumeric())
            .map_or(from.len(), |length| prefix + length);
        let (secret, after) = from.split_at(word);
        shown.push_str(before);
        shown.push_str(if secret.len() < 16 { secret } else { "ks_…" });
        rest = after;
    }
    shown.push_str(rest);
    shown.truncate(shown.floor_char_boundary(512));
    shown
}
