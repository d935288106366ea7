//! Passwords: what a new one must be, and how one is verified.
//!
//! bcrypt takes tenths of a second by design. It runs on threads of its own, as many as there are processors, of the lowest priority, so that a
//! hundred people who sign in at once do not keep anybody else waiting; and what was verified in the last minutes is not hashed again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use ring::hmac;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::hashing;
use crate::ctx::Random;
use crate::error::{Error, Result};
use crate::secrets::Secret;

/// bcrypt looks at no more than this many bytes.
pub const MAX_BYTES: usize = 72;
/// Characters that any password has at least, whatever the operator has set.
pub const SHORTEST: usize = 12;
/// Characters that a password has at least beside its user's names.
const BESIDE_NAMES: usize = 6;

/// How long it is remembered that a password was right.
const PROVEN: TimeDelta = TimeDelta::minutes(5);
/// Passwords that are remembered so at once.
const MAX_PROVEN: u64 = 10_000;

/// Of each password that nobody may choose four bytes of its SHA-256, sorted; `assets/passwords` makes it.
static COMMON: &[u8] = include_bytes!("../../assets/passwords/common.bin");

/// Checks a new password against the rules; `names` are its user's own names and addresses.
///
/// # Errors
/// `BAD_USER_INPUT` naming the rule; never the password.
pub fn validate<'n>(
    field: &str,
    password: &str,
    min_length: usize,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<()> {
    let length = password.chars().count();
    let refuse = |message: String| Err(Error::bad_input(field, message));
    if password.len() > MAX_BYTES {
        return refuse(format!(
            "The password has {} bytes. It may have at most {MAX_BYTES}; nothing is cut off.",
            password.len()
        ));
    }
    let least = min_length.max(SHORTEST);
    if length < least {
        return refuse(format!(
            "The password is too short: {length} of at least {least} characters."
        ));
    }
    if password.contains('\0') {
        return refuse(
            "The password contains the character U+0000, which bcrypt cannot take.".into(),
        );
    }
    if is_common(password) {
        return refuse(
            "The password is one of the commonest, which are tried first. Choose one that nobody else has.".into(),
        );
    }
    if beside(password, names) < BESIDE_NAMES {
        return refuse(format!(
            "The password is hardly more than the user's own names or address. Choose one with at least {BESIDE_NAMES} other letters or digits."
        ));
    }
    Ok(())
}

/// Whether it is in the list of common passwords, without regard to case.
fn is_common(password: &str) -> bool {
    let digest = Secret::new(password.to_lowercase()).digest();
    let (prefixes, _) = COMMON.as_chunks::<4>();
    let wanted: &[u8] = &digest.as_bytes()[..4];
    prefixes
        .binary_search_by(|prefix| prefix.as_slice().cmp(wanted))
        .is_ok()
}

/// How many letters and digits it has beside those names, and beside their words. A password without letters and digits has nothing of
/// names: all its characters count.
fn beside<'n>(password: &str, names: impl IntoIterator<Item = &'n str>) -> usize {
    let plain = |text: &str| -> String {
        let lower = text.to_lowercase();
        lower.chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let mut words: Vec<String> = Vec::new();
    for name in names {
        words.push(plain(name));
        words.extend(name.split(|c: char| !c.is_alphanumeric()).map(plain));
    }
    words.retain(|word| word.chars().count() >= 3);
    // The longest first: a part of a name must not break the whole of it.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut rest = Zeroizing::new(plain(password));
    if rest.is_empty() {
        return password.chars().count();
    }
    for word in words {
        rest = Zeroizing::new(rest.replace(&word, ""));
    }
    rest.chars().count()
}

/// The bcrypt hash of a password that was checked.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` where too many wait already; an internal error if bcrypt fails.
pub async fn hash(password: Secret, cost: u32) -> Result<String> {
    // Of 72 bytes bcrypt cuts off the zero that it puts at the end, and nothing of the password; the other function refuses them for it.
    hashing::run(move || bcrypt::hash(password.expose(), cost)).await
}

/// Salt and hash of nobody's password, in bcrypt's base64.
const NOBODY: &str = "$KeysteadKeysteadKeysteKeysteadKeysteadKeysteadKeystea";

/// What passwords are verified by, shared by all requests of this process.
#[derive(Clone)]
pub struct Passwords {
    /// Known to this process alone: what is remembered says nothing to anybody else.
    key: Arc<hmac::Key>,
    proven: Cache<[u8; 32], DateTime<Utc>>,
}

impl Passwords {
    /// Nothing is remembered yet.
    pub fn new(random: &Random) -> Self {
        Passwords {
            key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &random.bytes::<32>())),
            proven: Cache::builder()
                .max_capacity(MAX_PROVEN)
                .time_to_live(Duration::from_secs(300))
                .build(),
        }
    }

    /// Whether this password of this user, with this hash, was found right in the last minutes.
    pub fn is_proven(&self, user: Uuid, hash: &str, password: &Secret, now: DateTime<Utc>) -> bool {
        let proven = self.proven.get(&self.proof(user, hash, password));
        proven.is_some_and(|at| now - at < PROVEN)
    }

    /// Whether the password has the user's hash; with no user, or no hash, it has not, which takes as long as a hash of that cost.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where too many wait already; an internal error if bcrypt fails.
    pub async fn verify(
        &self,
        user: Option<(Uuid, String)>,
        password: &Secret,
        cost: u32,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        // What bcrypt cannot take was never set as a password; it is hashed all the same, cut.
        let text = Zeroizing::new(password.expose().replace('\0', " "));
        let cut = text.floor_char_boundary(MAX_BYTES);
        let possible = *text == password.expose() && text.len() == cut;
        let text = Zeroizing::new(text[..cut].to_owned());
        let hash = match &user {
            Some((_, hash)) => hash.clone(),
            None => format!("$2b${cost:02}{NOBODY}"),
        };
        let matches = hashing::run(move || bcrypt::verify(text.as_str(), &hash)).await?;
        match user {
            Some((user, hash)) if matches && possible => {
                self.proven.insert(self.proof(user, &hash, password), now);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn proof(&self, user: Uuid, hash: &str, password: &Secret) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [
            user.as_bytes().as_slice(),
            hash.as_bytes(),
            password.expose().as_bytes(),
        ] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let tag = context.sign();
        tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }
}
