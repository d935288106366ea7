//! Sealing answers: ChaCha20-Poly1305 (RFC 8439), with a key that HKDF-SHA-256 (RFC 5869) makes of the caller's credential and of
//! what the answer belongs to.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use uuid::Uuid;

use crate::ctx::Random;
use crate::error::{Error, Result};
use crate::secrets::{Digest, SealingKey};

/// What an answer belongs to; sealed for one, it cannot be opened for another.
pub(super) struct Purpose<'a> {
    pub actor: Uuid,
    pub key: &'a str,
    pub fingerprint: Digest,
}

impl Purpose<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"keystead idempotency answer 1".to_vec();
        bytes.extend_from_slice(self.actor.as_bytes());
        bytes.extend_from_slice(self.fingerprint.as_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        bytes
    }

    fn key(&self, sealing: &SealingKey) -> Result<LessSafeKey> {
        let purpose = self.bytes();
        let info = [purpose.as_slice()];
        let extracted = Salt::new(HKDF_SHA256, &[]).extract(&*sealing.derive());
        let expanded = extracted
            .expand(&info, &CHACHA20_POLY1305)
            .map_err(|_| Error::internal("an answer's key could not be derived"))?;
        Ok(LessSafeKey::new(UnboundKey::from(expanded)))
    }

    /// The nonce, the ciphertext and its tag.
    pub(super) fn seal(
        &self,
        sealing: &SealingKey,
        random: &Random,
        answer: &[u8],
    ) -> Result<Vec<u8>> {
        let nonce = random.bytes::<NONCE_LEN>();
        let mut text = answer.to_vec();
        self.key(sealing)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(self.bytes()),
                &mut text,
            )
            .map_err(|_| Error::internal("an answer could not be encrypted"))?;
        let mut sealed = nonce.to_vec();
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// The answer; `None` if another credential has sealed it, or if it was altered.
    pub(super) fn open(&self, sealing: &SealingKey, sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some((nonce, text)) = sealed.split_first_chunk::<NONCE_LEN>() else {
            return Ok(None);
        };
        let mut text = text.to_vec();
        let opened = self.key(sealing)?.open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(self.bytes()),
            &mut text,
        );
        Ok(opened.ok().map(|answer| answer.to_vec()))
    }
}
