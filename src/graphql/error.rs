//! Errors on the wire: a request that is refused before it runs, and the errors of one that has run.

use async_graphql::{ErrorExtensionValues, ServerError, Value};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::guard::{Refusal, RefusalCode};
use crate::error::{Code, Error};

/// A request that does not run. Its answer has errors and no `data`.
#[derive(Debug)]
pub struct Refused {
    /// The kind of refusal, which decides the HTTP status.
    pub code: Code,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u64>,
    errors: Vec<WireError>,
}

#[derive(Debug, Serialize)]
struct WireError {
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Place>,
    extensions: Map<String, Json>,
}

#[derive(Debug, Serialize)]
struct Place {
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct Envelope<'a> {
    errors: &'a [WireError],
}

impl Refused {
    /// The answer: `{"errors": […]}`.
    pub fn body(&mut self, request_id: &str) -> Vec<u8> {
        self.sign(request_id);
        serialised(&Envelope {
            errors: &self.errors,
        })
    }

    /// The errors alone, as a list: what an `error` message of `graphql-transport-ws` carries.
    pub fn errors(&mut self, request_id: &str) -> Vec<u8> {
        self.sign(request_id);
        serialised(&self.errors)
    }

    /// What the engine itself refused after the guard had let the document through: the value of a variable.
    pub(super) fn by_engine(errors: Vec<ServerError>) -> Self {
        metrics::counter!("keystead_guard_refusals_total", "code" => Code::BadUserInput.as_str(), "limit" => "")
            .increment(1);
        let errors = errors.into_iter().map(|error| WireError {
            message: error.message,
            locations: error
                .locations
                .iter()
                .map(|place| Place {
                    line: u32::try_from(place.line).unwrap_or(u32::MAX),
                    column: u32::try_from(place.column).unwrap_or(u32::MAX),
                })
                .collect(),
            extensions: Map::from_iter([("code".into(), Code::BadUserInput.as_str().into())]),
        });
        Refused {
            code: Code::BadUserInput,
            retry_after: None,
            errors: errors.collect(),
        }
    }

    /// What a resolver said when it should have begun a subscription.
    pub(super) fn by_resolver(errors: &[ServerError]) -> Option<Self> {
        let source = errors.first()?.source.as_ref()?;
        source.downcast_ref::<Error>().cloned().map(Refused::from)
    }

    fn sign(&mut self, request_id: &str) {
        for error in &mut self.errors {
            error
                .extensions
                .insert("requestId".into(), request_id.into());
        }
    }
}

fn serialised<T: Serialize>(value: &T) -> Vec<u8> {
    // Maps with string keys, strings and numbers: there is nothing that could fail.
    serde_json::to_vec(value).unwrap_or_default()
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        if let Some(cause) = &error.cause {
            tracing::error!(
                code = error.code.as_str(),
                cause = cause.as_str(),
                "request refused"
            );
        }
        let mut extensions = Map::new();
        extensions.insert("code".into(), error.code.as_str().into());
        if let Some(field) = error.field {
            extensions.insert("field".into(), field.into());
        }
        if let Some(seconds) = error.retry_after {
            extensions.insert("retryAfter".into(), seconds.into());
        }
        Refused {
            code: error.code,
            retry_after: error.retry_after,
            errors: vec![WireError {
                message: error.message,
                locations: Vec::new(),
                extensions,
            }],
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.code {
            RefusalCode::ParseFailed => Code::ParseFailed,
            RefusalCode::ValidationFailed => Code::ValidationFailed,
            RefusalCode::LimitExceeded => Code::LimitExceeded,
            RefusalCode::BadUserInput => Code::BadUserInput,
            RefusalCode::OperationResolutionFailure => Code::OperationResolutionFailure,
        };
        let mut extensions = Map::new();
        extensions.insert("code".into(), code.as_str().into());
        if let Some(hit) = refusal.limit {
            extensions.insert("limit".into(), hit.name.into());
            extensions.insert("maximum".into(), hit.limit.into());
        }
        metrics::counter!("keystead_guard_refusals_total", "code" => code.as_str(), "limit" => refusal.limit.map_or("", |hit| hit.name))
            .increment(1);
        let errors = refusal.errors.into_iter().map(|fault| {
            let mut extensions = extensions.clone();
            if let Some(path) = &fault.path {
                let field = path.strip_prefix("variables.").unwrap_or(path);
                extensions.insert("field".into(), field.into());
            }
            WireError {
                message: fault.message,
                locations: fault
                    .locations
                    .iter()
                    .map(|place| Place {
                        line: place.line,
                        column: place.column,
                    })
                    .collect(),
                extensions,
            }
        });
        Refused {
            code,
            retry_after: None,
            errors: errors.collect(),
        }
    }
}

/// What an executed answer's errors come to, for the log and the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The first error's code.
    pub code: &'static str,
    /// Seconds to wait, if an error says that the database or time was lacking.
    pub retry_after: Option<u64>,
    /// Whether the same request may succeed when it is sent again.
    pub passing: bool,
}

/// What is said instead of "nothing was changed" where a change is made, and the database cannot be asked what the answer shows of it.
const MADE: &str = "The change is made, but the database cannot be reached right now to read all that was asked of it. Do not send the change again; ask for the rest in a moment.";

/// Gives an error its code, field and request id. Causes go to the log and nowhere else. `made`: it is about a part of what a mutation
/// answers that has made its change.
pub fn present(error: &mut ServerError, request_id: &str, made: bool) -> Verdict {
    let extensions = error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default);
    let verdict = match error
        .source
        .as_ref()
        .and_then(|source| source.downcast_ref::<Error>())
    {
        Some(source) => {
            extensions.set("code", source.code.as_str());
            let made = made && source.code == Code::ServiceUnavailable;
            if made {
                error.message = MADE.into();
            }
            // Whoever tries again by itself is not to make the change twice.
            let retry_after = source.retry_after.filter(|_| !made);
            if let Some(field) = &source.field {
                extensions.set("field", field.as_str());
            }
            if let Some(seconds) = retry_after {
                extensions.set("retryAfter", seconds);
            }
            if let Some(cause) = &source.cause {
                tracing::error!(
                    request_id,
                    code = source.code.as_str(),
                    cause = cause.as_str(),
                    "operation failed"
                );
            }
            Verdict {
                code: source.code.as_str(),
                retry_after,
                passing: source.is_retryable(),
            }
        }
        None => {
            // The document has passed the guard: what the engine itself still refuses is a value.
            let code = Code::BadUserInput.as_str();
            if extensions.get("code").is_none() {
                extensions.set("code", code);
            }
            Verdict {
                code,
                retry_after: None,
                passing: false,
            }
        }
    };
    extensions.set("requestId", Value::from(request_id));
    verdict
}
