//! Those who may report keys that they have found in public: their public keys, and their signatures.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

/// What stands before the point in the SubjectPublicKeyInfo of a P-256 key (RFC 5480).
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The public keys of those who may report.
#[derive(Debug, Clone, Default)]
pub struct Reporters(Vec<Reporter>);

#[derive(Debug, Clone)]
struct Reporter {
    /// What the reporter calls the key; `None`: nothing.
    identifier: Option<String>,
    /// The point, uncompressed.
    point: Vec<u8>,
}

/// The document that GitHub serves its keys in.
#[derive(Deserialize)]
struct Document {
    public_keys: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    key_identifier: String,
    key: String,
}

impl Reporters {
    /// Reads a file of keys: a PEM file, or the JSON document that GitHub serves its keys in.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(path: &Path) -> Result<Reporters, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        Reporters::parse(&text)
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    /// As [`Reporters::read`].
    pub fn parse(text: &str) -> Result<Reporters, String> {
        let keys = if text.trim_start().starts_with('{') {
            let document: Document = serde_json::from_str(text)
                .map_err(|error| format!("it is no document of public keys: {error}"))?;
            let named = document.public_keys.into_iter().map(|listed| {
                let mut found = points(&listed.key)?;
                match (found.pop(), found.pop()) {
                    (Some(point), None) => Ok(Reporter {
                        identifier: Some(listed.key_identifier),
                        point,
                    }),
                    _ => Err("an entry has not exactly one key".to_owned()),
                }
            });
            named.collect::<Result<Vec<_>, _>>()?
        } else {
            let points = points(text)?.into_iter();
            points
                .map(|point| Reporter {
                    identifier: None,
                    point,
                })
                .collect()
        };
        if keys.is_empty() {
            return Err("it has no public key".to_owned());
        }
        Ok(Reporters(keys))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the keys, the one with that identifier if the keys have identifiers, has signed these bytes: ECDSA over P-256 with
    /// SHA-256, the signature in DER and base64.
    pub fn have_signed(&self, identifier: &str, signature: &str, bytes: &[u8]) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else {
            return false;
        };
        self.0
            .iter()
            .filter(|one| {
                one.identifier
                    .as_deref()
                    .is_none_or(|own| own == identifier)
            })
            .any(|one| {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &one.point)
                    .verify(bytes, &signature)
                    .is_ok()
            })
    }
}

/// The points of all public keys in a PEM text.
fn points(pem: &str) -> Result<Vec<Vec<u8>>, String> {
    SubjectPublicKeyInfoDer::pem_slice_iter(pem.as_bytes())
        .map(|found| {
            let found = found.map_err(|error| format!("it is no PEM: {error}"))?;
            match found.strip_prefix(&P256) {
                Some(point) if point.len() == 65 && point[0] == 4 => Ok(point.to_vec()),
                _ => Err("a key in it is not of the curve P-256".to_owned()),
            }
        })
        .collect()
}
