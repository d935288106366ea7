//! A GraphQL request as it comes over the wire, before anything is known about its document.

use serde_json::{Map, Value};

use crate::db::ids::quoted;
use crate::error::{Code, Error, Result};

/// One operation that somebody wants to run.
#[derive(Debug, Clone, Default)]
pub struct GraphqlRequest {
    /// The document, unless it is named by its hash or id.
    pub query: Option<String>,
    /// The id of a trusted document.
    pub document_id: Option<String>,
    /// Which of the document's operations to run.
    pub operation_name: Option<String>,
    /// The variables.
    pub variables: Map<String, Value>,
    /// What clients say beside it, such as `persistedQuery`.
    pub extensions: Map<String, Value>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
}

/// The body of a POST request.
pub enum Body {
    /// One operation.
    One(Box<GraphqlRequest>),
    /// Several, each answered in its place.
    Batch(Vec<GraphqlRequest>),
}

/// The names under which clients send the id of a trusted document: the GraphQL-over-HTTP draft's, and Relay's.
const DOCUMENT_ID: [&str; 3] = ["documentId", "doc_id", "id"];

impl Body {
    /// Reads the bytes of a body.
    ///
    /// # Errors
    /// `BAD_REQUEST` that says what is wrong: not UTF-8, not JSON, or not a GraphQL request; `LIMIT_EXCEEDED` for more than
    /// `max_batch` operations.
    pub fn parse(bytes: &[u8], max_batch: usize) -> Result<Body> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            bad(format!(
                "The body is not UTF-8: byte {} is wrong.",
                error.valid_up_to()
            ))
        })?;
        if text.trim().is_empty() {
            return Err(bad(
                "The body is empty. Send a JSON object with the key 'query'.",
            ));
        }
        match serde_json::from_str(text) {
            Ok(Value::Array(items)) if items.is_empty() => Err(bad(
                "The batch is empty. Send at least one operation, or an object.",
            )),
            Ok(Value::Array(items)) if items.len() > max_batch => Err(Error::new(
                Code::LimitExceeded,
                format!(
                    "The batch has {} operations, and at most {max_batch} are allowed. Send several requests.",
                    items.len()
                ),
            )),
            Ok(Value::Array(items)) => items
                .into_iter()
                .enumerate()
                .map(|(number, item)| {
                    GraphqlRequest::from_json(item).map_err(|error| within(number, error))
                })
                .collect::<Result<_>>()
                .map(Body::Batch),
            Ok(value) => GraphqlRequest::from_json(value).map(|one| Body::One(Box::new(one))),
            // What the reader of JSON allows, which is more than any part of a request may have.
            Err(error) if error.to_string().starts_with("recursion limit") => Err(Error::new(
                Code::LimitExceeded,
                "The body has more than 127 levels of brackets. Flatten the values in it.",
            )),
            Err(error) => Err(bad(format!("The body is not JSON: {error}."))),
        }
    }
}

impl GraphqlRequest {
    /// A request out of a JSON object, as clients send it in a body or over a WebSocket.
    ///
    /// # Errors
    /// `BAD_REQUEST` that names the key and what it should be.
    pub fn from_json(value: Value) -> Result<GraphqlRequest> {
        let Value::Object(mut fields) = value else {
            return Err(bad(format!(
                "A GraphQL request is a JSON object with the key 'query'; this is {}.",
                kind(&value)
            )));
        };
        let mut text = |name: &str| match fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, "a string", &other)),
        };
        let query = text("query")?;
        let operation_name = text("operationName")?;
        let mut document_id = None;
        for name in DOCUMENT_ID {
            document_id = document_id.or(text(name)?);
        }
        let mut object = |name: &str| match fields.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(other) => Err(wrong(name, "an object", &other)),
        };
        GraphqlRequest {
            query,
            document_id,
            operation_name,
            variables: object("variables")?,
            extensions: object("extensions")?,
            idempotency_key: None,
        }
        .complete()
    }

    /// A request out of the parameters of a URL, where `variables` and `extensions` are JSON in a string.
    ///
    /// # Errors
    /// `BAD_REQUEST` that names the parameter and what it should be.
    pub fn from_parameters(parameters: Vec<(String, String)>) -> Result<GraphqlRequest> {
        let mut fields = Map::new();
        for (name, text) in parameters {
            let value = match name.as_str() {
                "variables" | "extensions" if text.is_empty() => Value::Null,
                "variables" | "extensions" => serde_json::from_str(&text).map_err(|error| {
                    bad(format!(
                        "The parameter '{name}' is not JSON in a string: {error}."
                    ))
                    .at(&name)
                })?,
                _ => Value::String(text),
            };
            if fields.insert(name.clone(), value).is_some() {
                return Err(bad(format!(
                    "The parameter {} is there twice.",
                    quoted(&name)
                )));
            }
        }
        GraphqlRequest::from_json(Value::Object(fields))
    }

    fn complete(mut self) -> Result<GraphqlRequest> {
        // Some clients send an empty name where they have none.
        self.operation_name = self.operation_name.filter(|name| !name.is_empty());
        let named = self.document_id.is_some() || self.extensions.contains_key("persistedQuery");
        if self.query.is_none() && !named {
            return Err(
                bad("The key 'query' is missing: a string with the GraphQL document.").at("query"),
            );
        }
        Ok(self)
    }
}

/// The fault of one operation of a batch: its `field` begins with the operation's place.
fn within(number: usize, error: Error) -> Error {
    let field = match &error.field {
        Some(field) => format!("{number}.{field}"),
        None => number.to_string(),
    };
    Error {
        message: format!(
            "Operation {number} of the batch, counted from 0: {}",
            error.message
        ),
        ..error
    }
    .at(field)
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(Code::BadRequest, message)
}

fn wrong(name: &str, wanted: &str, value: &Value) -> Error {
    bad(format!("'{name}' must be {wanted}; it is {}.", kind(value))).at(name)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
