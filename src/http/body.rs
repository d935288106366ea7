//! Reading a body: so many bytes and so much time, whatever its headers claim.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::BodyExt;

use super::caller;
use crate::error::{Code, Error};

/// Reads the whole body.
///
/// # Errors
/// The status and the error: 413 for more than `limit` bytes, 408 for more than `time`, 400 when it ends early.
pub async fn read(body: Body, limit: usize, time: Duration) -> Result<Bytes, (StatusCode, Error)> {
    match caller::within(time, pin!(collect(body, limit))).await {
        Some(read) => read,
        None => Err((
            StatusCode::REQUEST_TIMEOUT,
            Error::new(
                Code::BadRequest,
                format!("The body did not arrive within {} s.", time.as_secs_f32()),
            ),
        )),
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, (StatusCode, Error)> {
    use axum::body::HttpBody;
    let too_large = || {
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            Error::new(
                Code::LimitExceeded,
                format!(
                    "The body has more than {limit} bytes, which is all that is read. Send several requests."
                ),
            ),
        )
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let (mut pieces, mut length): (Vec<Bytes>, usize) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            (
                StatusCode::BAD_REQUEST,
                Error::new(Code::BadRequest, "The body ended before it was complete.")
                    .because(error.to_string()),
            )
        })?;
        if let Ok(data) = frame.into_data() {
            length += data.len();
            if length > limit {
                return Err(too_large());
            }
            pieces.push(data);
        }
    }
    // Most bodies come in one piece, which need not be copied.
    Ok(match pieces.pop() {
        Some(only) if pieces.is_empty() => only,
        last => {
            pieces.extend(last);
            pieces.concat().into()
        }
    })
}
