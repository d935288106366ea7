//! Answers. The client shows the text of an error as it is where the status is one that it does not try again, and where an `errors`
//! array of objects is there.

use async_graphql::{Response, ServerError, Value};
use axum::http::StatusCode;
use serde::Serialize;

use crate::dialects::{Answer, status};
use crate::error::{Code, Error};
use crate::graphql::error::{Refused, Verdict, present};

#[derive(Serialize)]
struct Envelope<'a> {
    errors: Vec<Told<'a>>,
    data: (),
}

#[derive(Serialize)]
struct Told<'a> {
    message: &'a str,
    extensions: &'a async_graphql::ErrorExtensionValues,
}

/// What is refused before it runs.
pub fn refusal(refused: impl Into<Refused>, request_id: &str) -> Answer {
    let mut refused = refused.into();
    let mut body = br#"{"errors":"#.to_vec();
    body.extend(refused.errors(request_id));
    body.extend_from_slice(br#","data":null}"#);
    Answer {
        status: status(refused.code.as_str()),
        body,
        retry_after: refused.retry_after,
        code: Some(refused.code.as_str()),
        operation: String::new(),
        cost: 0,
    }
}

/// A request that HTTP could not read. A status that the client would try again becomes 400, unless another attempt can end otherwise.
pub fn unreadable(at: StatusCode, error: Error, request_id: &str) -> Answer {
    let status = match at {
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => at,
        _ => StatusCode::BAD_REQUEST,
    };
    Answer {
        status,
        ..refusal(error, request_id)
    }
}

/// What has run. If nothing at all came of it, the first error says why and gives the status; what came in part is 200. `changes`: it
/// is a mutation, whose changes are made when their fields are resolved.
pub fn answered(mut response: Response, request_id: &str, changes: bool) -> Answer {
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(response.errors.len());
    for error in &mut response.errors {
        let made = changes && error.path.len() > 1;
        verdicts.push(present(error, request_id, made));
    }
    let nothing = is_nothing(&response.data);
    let first = verdicts.first().map(|verdict| verdict.code);
    let (status, body) = match first {
        Some(code) if nothing => (status(code), refused(&response.errors)),
        _ => (StatusCode::OK, serde_json::to_vec(&response)),
    };
    let Ok(body) = body else {
        return refusal(
            Error::internal("an answer could not be written"),
            request_id,
        );
    };
    let waits = verdicts.iter().filter_map(|verdict| verdict.retry_after);
    Answer {
        status,
        body,
        retry_after: waits.max().filter(|_| nothing),
        code: first,
        operation: String::new(),
        cost: 0,
    }
}

/// Whether nothing came of it, at any depth.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_nothing),
        _ => false,
    }
}

fn refused(errors: &[ServerError]) -> serde_json::Result<Vec<u8>> {
    let nothing = async_graphql::ErrorExtensionValues::default();
    let errors = errors.iter().map(|error| Told {
        message: &error.message,
        extensions: error.extensions.as_ref().unwrap_or(&nothing),
    });
    serde_json::to_vec(&Envelope {
        errors: errors.collect(),
        data: (),
    })
}

/// The error of what may not be seen, or is not there.
pub fn absent(field: &str, what: &str, name: &str) -> Error {
    let name = crate::db::ids::quoted(name);
    let message = format!("There is no {what} {name}, or you may not see it.");
    Error::new(Code::NotFound, message).at(field)
}
