//! Trusted documents: where the operator has listed them, no other operation runs.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::persisted::Hash;
use super::request::GraphqlRequest;
use crate::error::{Code, Error, Result};

/// The listed documents, by id and by text.
#[derive(Clone)]
pub struct TrustedDocuments {
    by_id: Arc<HashMap<String, Arc<str>>>,
    texts: Arc<std::collections::HashSet<Arc<str>>>,
}

impl std::fmt::Debug for TrustedDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TrustedDocuments({})", self.by_id.len())
    }
}

/// One entry of Apollo's manifest.
#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

impl TrustedDocuments {
    /// Reads a manifest: a JSON object of ids (usually hashes) and documents, as Relay's compiler and others write it, or
    /// `apollo-persisted-query-manifest`, version 1.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that says what is wrong with it.
    pub fn parse(manifest: &str) -> Result<TrustedDocuments> {
        let bad = |message: String| Error::bad_input("trusted_documents", message);
        let Value::Object(mut fields) = serde_json::from_str(manifest).map_err(|error| {
            bad(format!(
                "The list of trusted documents is not JSON: {error}."
            ))
        })?
        else {
            return Err(bad(
                "The list of trusted documents must be a JSON object of ids and documents.".into(),
            ));
        };
        let mut by_id: HashMap<String, Arc<str>> = HashMap::new();
        if fields.get("format").and_then(Value::as_str) == Some("apollo-persisted-query-manifest") {
            let operations: Vec<Operation> = serde_json::from_value(
                fields.remove("operations").unwrap_or_default(),
            )
            .map_err(|error| {
                bad(format!(
                    "'operations' of the manifest of trusted documents: {error}."
                ))
            })?;
            by_id.extend(
                operations
                    .into_iter()
                    .map(|operation| (operation.id, operation.body.into())),
            );
        } else {
            for (id, document) in fields {
                let Value::String(text) = document else {
                    return Err(bad(format!(
                        "The trusted document '{id}' must be a string with the document."
                    )));
                };
                by_id.insert(id, text.into());
            }
        }
        let texts = by_id.values().cloned().collect();
        Ok(TrustedDocuments {
            by_id: Arc::new(by_id),
            texts: Arc::new(texts),
        })
    }

    /// How many are listed.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is listed.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The listed document that the request names by id or hash, or has as its text.
    ///
    /// # Errors
    /// `UNTRUSTED_DOCUMENT` for any other.
    pub fn find(&self, request: &GraphqlRequest, hash: Option<&Hash>) -> Result<Arc<str>> {
        let ids = [
            request.document_id.as_deref(),
            hash.map(|hash| hash.text.as_str()),
        ];
        let named = ids.into_iter().flatten().find_map(|id| {
            self.by_id
                .get(id)
                .or_else(|| self.by_id.get(id.strip_prefix("sha256:")?))
        });
        let found = match (named, &request.query) {
            (Some(document), None) => Some(document),
            (Some(document), Some(query)) => Some(document).filter(|text| ***text == **query),
            (None, Some(query)) => self.texts.get(query.as_str()),
            (None, None) => None,
        };
        found.cloned().ok_or_else(|| {
            Error::new(
                Code::UntrustedDocument,
                "Only the operations that the operator has listed run here, and this is none of them. Send the id of a listed one in 'documentId'.",
            )
        })
    }
}
