//! `POST /v1/usage`: what was used, many events at once, as JSON or line by line.

use std::pin::pin;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::fields::{self, Member, Wanted};
use super::{Refusal, note, only_post, refuse, taken, wrong_type};
use crate::ctx::{Ctx, RequestInfo};
use crate::error::{Code, Error, Result};
use crate::http::journal::Noted;
use crate::http::{Server, caller, negotiate};
use crate::usage::model::{Line, MAX_EVENTS, Outcome};
use crate::usage::ops;

const PATH: &str = "/v1/usage";

/// Lines that are read before others who wait for the processor have their turn.
const TURN: usize = 500;

const LINE: &[Member] = &[
    Member::text("id"),
    Member::text("reservation"),
    Member::text("apiKey"),
    Member::text("user"),
    Member::text("team"),
    Member::text("resource"),
    any("requests"),
    any("tokens"),
    any("tokensIn"),
    any("tokensOut"),
    any("tokensCached"),
    any("usd"),
    Member::text("at"),
    Member {
        name: "tags",
        wanted: Wanted::Texts,
    },
];

const BODY: &[Member] = &[Member {
    name: "events",
    wanted: Wanted::Objects(LINE, MAX_EVENTS),
}];

const fn any(name: &'static str) -> Member {
    Member {
        name,
        wanted: Wanted::Any,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    events: Option<Vec<&'a RawValue>>,
}

/// Answers a request to `/v1/usage`.
pub async fn handle(State(server): State<Server>, request: Request) -> Response {
    let mut noted = Noted {
        operation: "recordUsage".into(),
        ..Noted::default()
    };
    let answered = answer(&server, request, &mut noted).await;
    noted.often = answered.is_ok();
    note(answered, noted)
}

async fn answer(
    server: &Server,
    mut request: Request,
    noted: &mut Noted,
) -> std::result::Result<Response, Refusal> {
    only_post(request.method(), PATH)?;
    let lines = negotiate::is_lines(request.headers());
    if !lines {
        negotiate::check_content_type(request.headers()).map_err(|message| {
            wrong_type(format!(
                "{message} Events line by line are application/x-ndjson."
            ))
        })?;
    }
    let info = request.extensions_mut().remove::<Arc<RequestInfo>>();
    let info = info.unwrap_or_default();
    let limit = server.settings.usage_body_limit;
    let (ctx, bytes) = taken(server, info, request, limit, noted).await?;
    let written = record(server, &ctx, &bytes, lines)
        .await
        .map_err(|error| refuse(None, error))?;
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    Ok((StatusCode::OK, kind, written).into_response())
}

async fn record(server: &Server, ctx: &Ctx, bytes: &[u8], lines: bool) -> Result<String> {
    let told = if lines {
        by_line(bytes)?
    } else {
        of_body(bytes)?
    };
    let mut numbers = Vec::with_capacity(told.len());
    let mut read = Vec::with_capacity(told.len());
    for (place, (number, text)) in told.into_iter().enumerate() {
        if place % TURN == TURN - 1 {
            tokio::task::yield_now().await;
        }
        numbers.push(number);
        read.push(line(text));
    }
    let recording = ops::record(ctx, &server.app.limits, read);
    let deadline = server.app.api.settings().deadline;
    let outcomes = caller::within(deadline, pin!(recording))
        .await
        .unwrap_or_else(|| Err(Error::new(Code::ServiceUnavailable, ops::UNKNOWN)))?;
    Ok(written(&numbers, &outcomes))
}

/// The lines that have something, with their numbers.
fn by_line(bytes: &[u8]) -> Result<Vec<(usize, &[u8])>> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines: Vec<(usize, &[u8])> = (1..)
        .zip(lines)
        .filter(|(_, text)| !text.trim_ascii().is_empty())
        .collect();
    match fields::size("", lines.len(), MAX_EVENTS) {
        None => Ok(lines),
        Some(mut error) => {
            error.message = error.message.replace("elements", "lines");
            Err(error)
        }
    }
}

/// The elements of `events`, with their numbers.
fn of_body(bytes: &[u8]) -> Result<Vec<(usize, &[u8])>> {
    let body: Body<'_> =
        serde_json::from_slice(bytes).map_err(|_| fields::of_object(bytes, BODY))?;
    let events = body.events.ok_or_else(|| {
        let message =
            "events is missing. Send a list of events, or one a line as application/x-ndjson.";
        Error::bad_input("events", message)
    })?;
    if let Some(error) = fields::size("events", events.len(), MAX_EVENTS) {
        return Err(error);
    }
    let bytes = events.into_iter().map(|event| event.get().as_bytes());
    Ok((1..).zip(bytes).collect())
}

/// Reads a line by itself.
fn line(text: &[u8]) -> Result<Line> {
    serde_json::from_slice(text).map_err(|_| {
        let mut error = fields::of_object(text, LINE);
        error.message = error.message.replacen("The body", "This line", 1);
        if error.code == Code::BadRequest {
            error.message = error.message.replacen("line 1, column", "column", 1);
        }
        error
    })
}

/// Every line with what came of it. Most of an answer are numbers, in which a serializer would look for what must be escaped.
fn written(numbers: &[usize], outcomes: &[Outcome]) -> String {
    let (mut recorded, mut repeated, mut refused) = (0, 0, 0);
    let mut lines = String::with_capacity(outcomes.len() * 40);
    for (number, outcome) in numbers.iter().zip(outcomes) {
        if !lines.is_empty() {
            lines.push(',');
        }
        lines.push_str("{\"line\":");
        lines.push_str(&number.to_string());
        match outcome {
            Outcome::Recorded => {
                recorded += 1;
                lines.push_str(",\"outcome\":\"RECORDED\"}");
            }
            Outcome::Repeated => {
                repeated += 1;
                lines.push_str(",\"outcome\":\"REPEATED\"}");
            }
            Outcome::Refused(error) => {
                refused += 1;
                lines.push_str(",\"outcome\":\"REFUSED\",\"error\":");
                let error = serde_json::json!({
                    "code": error.code.as_str(), "field": error.field, "message": error.message,
                });
                lines.push_str(&error.to_string());
                lines.push('}');
            }
        }
    }
    format!(
        "{{\"recorded\":{recorded},\"repeated\":{repeated},\"refused\":{refused},\"lines\":[{lines}]}}"
    )
}
