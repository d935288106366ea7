//! `POST /v1/settle`: what a request that was reserved for has cost in truth.

use std::pin::pin;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::cost;
use super::fields::{self, Member, Wanted};
use super::{Refusal, note, posted, refuse};
use crate::ctx::{Ctx, RequestInfo};
use crate::db::ids::{Id, Kind};
use crate::error::{Code, Error, Result};
use crate::http::journal::Noted;
use crate::http::{Server, caller};
use crate::limits::ops::Settlement;

const BODY: &[Member] = &[
    Member::text("reservation"),
    Member {
        name: "cost",
        wanted: Wanted::Object(cost::COST),
    },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    reservation: Option<String>,
    cost: Option<cost::Told>,
}

/// Answers a request to `/v1/settle`.
pub async fn handle(State(server): State<Server>, request: Request) -> Response {
    let mut noted = Noted {
        operation: "settle".into(),
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
    let info = request.extensions_mut().remove::<Arc<RequestInfo>>();
    let info = info.unwrap_or_default();
    let (ctx, bytes) = posted(server, info, request, "/v1/settle", noted).await?;
    settle(server, &ctx, &bytes)
        .await
        .map_err(|error| refuse(None, error))?;
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    Ok((StatusCode::OK, kind, r#"{"settled":true}"#).into_response())
}

async fn settle(server: &Server, ctx: &Ctx, bytes: &[u8]) -> Result<()> {
    let body: Body = serde_json::from_slice(bytes).map_err(|_| fields::of_object(bytes, BODY))?;
    let id = body.reservation.ok_or_else(|| {
        let message = "reservation is missing. Send the id that /v1/verify answered with.";
        Error::bad_input("reservation", message)
    })?;
    let id = Id::parse_as(Kind::Reservation, "reservation", &id)?;
    let cost = match &body.cost {
        None => cost::Read::default(),
        Some(told) => told.read("")?,
    };
    let settlement = Settlement {
        id,
        requests: cost.requests,
        tokens: cost.tokens,
        parts: [0; 3],
        micros: cost.micros,
        tags: Vec::new(),
    };
    let settling = server.app.limits.settle(ctx, settlement);
    let deadline = server.app.api.settings().deadline;
    caller::within(deadline, pin!(settling))
        .await
        .unwrap_or_else(|| Err(late()))
}

/// It may have been settled all the same.
fn late() -> Error {
    Error::new(
        Code::ServiceUnavailable,
        "The database took too long to answer. Settle it again: if it is settled already, CONFLICT says so, and nothing is counted twice.",
    )
}
