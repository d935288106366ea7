//! Passwords: bcrypt in a bounded pool, so that sign-ins cannot starve the rest.

use std::sync::LazyLock;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::secrets::Secret;

/// bcrypt looks at no more than this many bytes.
pub const MAX_BYTES: usize = 72;

/// As many hashes at once as there are processors.
static HASHING: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)));

/// Checks a new password against the rules.
///
/// # Errors
/// `BAD_USER_INPUT` naming the rule; never the password.
pub fn validate(field: &str, password: &str, min_length: usize) -> Result<()> {
    let length = password.chars().count();
    if password.len() > MAX_BYTES {
        let message = format!(
            "The password has {} bytes. It may have at most {MAX_BYTES}; nothing is cut off.",
            password.len()
        );
        return Err(Error::bad_input(field, message));
    }
    if length < min_length {
        let message =
            format!("The password is too short: {length} of at least {min_length} characters.");
        return Err(Error::bad_input(field, message));
    }
    if password.contains('\0') {
        return Err(Error::bad_input(
            field,
            "The password contains the character U+0000, which bcrypt cannot take.",
        ));
    }
    Ok(())
}

/// Whether the password has this hash; with no hash it has not, which takes as long as a hash of that cost. Tenths of a second, on a
/// thread of its own.
///
/// # Errors
/// An internal error if bcrypt fails.
pub async fn verify(password: &Secret, hash: Option<String>, cost: u32) -> Result<bool> {
    // What bcrypt cannot take was never set as a password; it is hashed all the same, cut.
    let text = password.expose().replace('\0', " ");
    let cut = text.floor_char_boundary(MAX_BYTES);
    let possible = text.len() == cut && text == password.expose();
    let text = Zeroizing::new(text[..cut].to_owned());
    let known = hash.is_some();
    let hash = hash.unwrap_or_else(|| format!("$2b${cost:02}{NOBODY}"));
    let matches = on_a_thread(move || bcrypt::verify(text.as_str(), &hash)).await?;
    Ok(matches && known && possible)
}

/// Salt and hash of nobody's password, in bcrypt's base64.
const NOBODY: &str = "$KeysteadKeysteadKeysteKeysteadKeysteadKeysteadKeystea";

/// The bcrypt hash of a password that was checked. Takes tenths of a second, on a thread of its own.
///
/// # Errors
/// An internal error if bcrypt fails.
pub async fn hash(password: Secret, cost: u32) -> Result<String> {
    on_a_thread(move || bcrypt::non_truncating_hash(password.expose(), cost)).await
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
) -> Result<T> {
    let _permit = HASHING
        .acquire()
        .await
        .map_err(|_| Error::internal("the hashing pool is closed"))?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::internal(error.to_string()))?
        .map_err(|error| Error::internal(error.to_string()))
}
