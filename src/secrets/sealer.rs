//! Sealing what is stored and must be read again: secrets that sign or that stand in a mail. ChaCha20-Poly1305 (RFC 8439), with a key
//! that HKDF-SHA-256 (RFC 5869) makes of the server's own and of what the text is for.
//!
//! All servers on one database need the same key: `sealing_key`, or else a file in the data folder, which is made when it is first
//! needed.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use super::Digest;
use crate::ctx::Random;
use crate::error::{Error, Result};

/// Characters that a sealing key has at least.
pub const SEALING_KEY_MIN: usize = 32;

/// The form of what is sealed.
const FORM: u8 = 1;
/// Bytes by which keys are told apart.
const NAME: usize = 4;

/// Seals and opens. Its key is read when it is first needed.
pub struct Sealer {
    file: Option<PathBuf>,
    key: Mutex<Option<Zeroizing<Vec<u8>>>>,
}

impl Sealer {
    /// With that key, of [`SEALING_KEY_MIN`] characters or more.
    pub fn with_key(key: &str) -> Self {
        Sealer {
            file: None,
            key: Mutex::new(Some(Zeroizing::new(key.as_bytes().to_vec()))),
        }
    }

    /// With the key in that file, which is made, with its folder, if it is not there.
    pub fn with_file(file: PathBuf) -> Self {
        Sealer {
            file: Some(file),
            key: Mutex::new(None),
        }
    }

    /// Seals a text for a purpose; opened for another, it is as if it had been altered.
    ///
    /// # Errors
    /// An internal error when the key's file can be neither read nor made.
    pub fn seal(&self, purpose: &str, random: &Random, text: &[u8]) -> Result<Vec<u8>> {
        let key = self.key()?;
        let nonce = random.bytes::<NONCE_LEN>();
        let mut sealed = vec![FORM];
        sealed.extend_from_slice(&name(&key));
        sealed.extend_from_slice(&nonce);
        let mut text = text.to_vec();
        derived(&key, purpose)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut text,
            )
            .map_err(|_| Error::internal("a text could not be sealed"))?;
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// Opens what was sealed for that purpose.
    ///
    /// # Errors
    /// An internal error when it was sealed with another key, for another purpose, or altered.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let key = self.key()?;
        let cut = || Error::internal("what is sealed was cut");
        let (form, rest) = sealed.split_first().ok_or_else(cut)?;
        let (of, rest) = rest.split_first_chunk::<NAME>().ok_or_else(cut)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(cut)?;
        if *form != FORM || *of != name(&key) {
            return Err(Error::internal(
                "it was sealed with another key: give every server on this database the same `sealing_key`",
            ));
        }
        let mut text = Zeroizing::new(text.to_vec());
        let length = derived(&key, purpose)?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(purpose.as_bytes()),
                &mut text,
            )
            .map_err(|_| Error::internal("what is sealed was altered, or is for another purpose"))?
            .len();
        text.truncate(length);
        Ok(text)
    }

    fn key(&self) -> Result<Zeroizing<Vec<u8>>> {
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = kept.as_ref() {
            return Ok(key.clone());
        }
        let file = self.file.as_deref().unwrap_or(Path::new(""));
        let key = read_or_make(file).map_err(|error| {
            let cause = format!(
                "the sealing key in {} can be neither read nor made ({error}): set `sealing_key`",
                file.display()
            );
            tracing::error!(cause, "nothing can be sealed");
            Error::internal(cause)
        })?;
        *kept = Some(key.clone());
        Ok(key)
    }
}

fn read_or_make(file: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        read => return used(&Zeroizing::new(read?)),
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let random = Random::system();
    let made = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.bytes::<32>()));
    let own = URL_SAFE_NO_PAD.encode(random.bytes::<6>());
    let new = file.with_extension(format!("{own}.new"));
    let mut writing = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    writeln!(writing, "{}", *made)?;
    writing.sync_all()?;
    // A link does not replace: of two servers that make it at once, one has made it.
    let linked = std::fs::hard_link(&new, file);
    std::fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => used(&Zeroizing::new(std::fs::read_to_string(file)?)),
    }
}

fn used(text: &str) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let key = text.trim();
    if key.len() < SEALING_KEY_MIN {
        let short = format!("it has {} characters of {SEALING_KEY_MIN}", key.len());
        return Err(std::io::Error::other(short));
    }
    Ok(Zeroizing::new(key.as_bytes().to_vec()))
}

/// What tells a key from others, and tells nothing of it.
fn name(key: &[u8]) -> [u8; NAME] {
    let mut text = Zeroizing::new(b"keystead sealing key's name".to_vec());
    text.extend_from_slice(key);
    let digest = Digest::of(&text);
    let mut name = [0; NAME];
    name.copy_from_slice(&digest.as_bytes()[..NAME]);
    name
}

fn derived(key: &[u8], purpose: &str) -> Result<LessSafeKey> {
    let info = [b"keystead sealed 1 ".as_slice(), purpose.as_bytes()];
    let extracted = Salt::new(HKDF_SHA256, b"keystead").extract(key);
    let expanded = extracted
        .expand(&info, &CHACHA20_POLY1305)
        .map_err(|_| Error::internal("a sealing key could not be derived"))?;
    Ok(LessSafeKey::new(UnboundKey::from(expanded)))
}
