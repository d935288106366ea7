//! Answers: which status and headers an outcome has.

use axum::http::StatusCode;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::journal::Noted;
use super::negotiate::Media;
use crate::error::{Code, Error};
use crate::graphql::api::Executed;
use crate::graphql::error::Refused;

/// How a client can say who it is.
pub const CHALLENGE: &str = r#"Bearer realm="keystead", Basic realm="keystead", charset="UTF-8""#;

/// Says that the answer is that of an earlier request under the same `Idempotency-Key`.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An error that has nothing to do with GraphQL's media types. The request id is added on the way out.
pub fn plain(status: StatusCode, error: Error) -> Response {
    refused(Some(status), Media::Json, error)
}

/// A refusal with its status: the one given, or what the code means under that media type.
pub fn refused(status: Option<StatusCode>, media: Media, refused: impl Into<Refused>) -> Response {
    let refused = refused.into();
    let status = status.unwrap_or_else(|| status_of(refused.code, media));
    let mut response = (status, [(header::CONTENT_TYPE, media.content_type())]).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(CHALLENGE),
        );
    }
    retry_after(&mut response, refused.retry_after);
    response.extensions_mut().insert(Noted {
        code: Some(refused.code.as_str()),
        ..Noted::default()
    });
    // The body is written when the request's id is at hand.
    response.extensions_mut().insert(Unsigned::new(refused));
    response
}

/// A refusal that waits for its request id.
#[derive(Clone)]
pub struct Unsigned(std::sync::Arc<std::sync::Mutex<Option<Refused>>>);

impl Unsigned {
    fn new(refused: Refused) -> Self {
        Unsigned(std::sync::Arc::new(std::sync::Mutex::new(Some(refused))))
    }

    /// The body.
    pub fn body(&self, request_id: &str) -> Option<Vec<u8>> {
        let mut held = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        held.as_mut().map(|refused| refused.body(request_id))
    }
}

/// The answer to an operation that ran.
pub fn executed(media: Media, executed: Executed) -> Response {
    let status = match executed.retry_after {
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
        None => StatusCode::OK,
    };
    let mut response = (
        status,
        [(header::CONTENT_TYPE, media.content_type())],
        executed.body,
    )
        .into_response();
    retry_after(&mut response, executed.retry_after);
    if executed.replayed {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, yes);
    }
    response
}

/// Says when to come again.
pub fn retry_after(response: &mut Response, seconds: Option<u64>) {
    if let Some(seconds) = seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
}

/// Under `application/json` a refused operation is still a well-formed GraphQL answer, with status 200, unless what is wrong
/// is not the operation.
pub fn status_of(code: Code, media: Media) -> StatusCode {
    let always = matches!(
        code,
        Code::Unauthenticated
            | Code::RateLimited
            | Code::ServiceUnavailable
            | Code::Timeout
            | Code::BadRequest
            | Code::IdempotencyKeyReused
            | Code::Internal
    );
    if media == Media::Json && !always {
        return StatusCode::OK;
    }
    StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
