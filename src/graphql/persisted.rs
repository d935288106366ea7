//! Automatic persisted queries, as Apollo Client sends them: first the SHA-256 alone, and if the server does not know it,
//! once more with the document.

use std::sync::Arc;

use moka::sync::Cache;
use serde_json::{Map, Value};

use crate::error::{Code, Error, Result};
use crate::secrets::Digest;

/// The queries that clients have registered; the least used are forgotten first.
pub struct Persisted {
    documents: Cache<Digest, Arc<str>>,
}

/// What `extensions.persistedQuery` says.
pub struct Hash {
    digest: Digest,
    /// The text of the hash, in lower case.
    pub text: String,
}

impl Persisted {
    /// Keeps so many bytes of documents.
    pub fn new(bytes: u64) -> Self {
        Persisted {
            documents: Cache::builder()
                .max_capacity(bytes)
                .weigher(|_, text: &Arc<str>| u32::try_from(text.len() + 200).unwrap_or(u32::MAX))
                .build(),
        }
    }

    /// The document with that hash.
    ///
    /// # Errors
    /// `PERSISTED_QUERY_NOT_FOUND`, upon which clients send the document too.
    pub fn find(&self, hash: &Hash) -> Result<Arc<str>> {
        // The message is what Apollo Client looks for.
        self.documents
            .get(&hash.digest)
            .ok_or_else(|| Error::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound"))
    }

    /// Keeps a document that is valid.
    pub fn keep(&self, hash: &Hash, text: &str) {
        self.documents.insert(hash.digest, text.into());
    }
}

impl Hash {
    /// Reads `extensions.persistedQuery`.
    ///
    /// # Errors
    /// `BAD_REQUEST` when it is of another version or no SHA-256.
    pub fn read(extensions: &Map<String, Value>) -> Result<Option<Hash>> {
        let bad = |message: &str| Err(Error::new(Code::BadRequest, message));
        let said = match extensions.get("persistedQuery") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(said)) => said,
            Some(_) => return bad("extensions.persistedQuery must be an object."),
        };
        if said.get("version").and_then(Value::as_u64) != Some(1) {
            return bad(
                "Unsupported version of persisted queries: extensions.persistedQuery.version must be 1.",
            );
        }
        let Some(text) = said.get("sha256Hash").and_then(Value::as_str) else {
            return bad("extensions.persistedQuery.sha256Hash must be a string.");
        };
        let text = text.to_ascii_lowercase();
        match read_hex(&text) {
            Some(bytes) => Ok(Digest::from_stored(&bytes).map(|digest| Hash { digest, text })),
            None => bad(
                "extensions.persistedQuery.sha256Hash must be a SHA-256: 64 hexadecimal digits.",
            ),
        }
    }

    /// Checks that the document has this hash.
    ///
    /// # Errors
    /// `BAD_REQUEST` when it has another.
    pub fn check(&self, document: &str) -> Result<()> {
        if Digest::of(document.as_bytes()) == self.digest {
            return Ok(());
        }
        Err(Error::new(
            Code::BadRequest,
            "The document does not have the SHA-256 in extensions.persistedQuery.sha256Hash.",
        ))
    }
}

fn read_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        *place = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
}
