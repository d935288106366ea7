//! `/v1`: what services and proxies ask, in plain JSON. `/v1/openapi.json` describes it.
//!
//! `POST /v1/verify` is for services that hold a key of their own and ask about those of others, and reserve what a request is going to
//! cost; `POST /v1/settle` tells what it cost in truth, `POST /v1/usage` what was used without a
//! reservation. `/v1/authorize` is for reverse proxies that pass on what their client sent, `POST /v1/leaked` for those who find keys in public places.

mod authorize;
mod cost;
mod fields;
mod leaked;
mod ratelimit;
mod report;
mod reporters;
mod rules;
mod settle;
mod target;
mod usage;
mod verify;
mod wire;

pub use reporters::Reporters;
pub use rules::{Rule, RuleError, Rules};
pub use verify::answered as verify;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use metrics::{Counter, Histogram};

use super::caller::{self, Visitor};
use super::journal::Noted;
use super::{Server, answer, body, negotiate};
use crate::authn::verify::Outcome;
use crate::ctx::{Ctx, RequestInfo};
use crate::error::{Code, Error};
use crate::graphql::budget::Budget;

/// Where services ask about keys.
pub const VERIFY: &str = "/v1/verify";

/// A refusal that is ready to be sent.
type Refusal = Box<Response>;

/// The routes for programs. They are asked often, so little surrounds them.
pub fn routes() -> Router<Server> {
    Router::new()
        .route(VERIFY, any(verify::handle))
        .route("/v1/settle", any(settle::handle))
        .route("/v1/usage", any(usage::handle))
        .route("/v1/authorize", any(authorize::handle))
        .route("/v1/authorize/", any(authorize::handle_below))
        .route("/v1/authorize/{*uri}", any(authorize::handle_below))
        .route("/v1/leaked", any(leaked::handle))
        .route("/v1/usage.csv", any(report::handle))
        .route("/v1/openapi.json", get(openapi))
}

/// What these routes share: who may ask how often, and what is counted.
pub struct Shared {
    /// Checks a minute by one service.
    budget: Option<Budget>,
    /// Answers by their code, in the order of [`Outcome::ALL`].
    outcomes: [Counter; Outcome::ALL.len()],
    /// How long `/v1/authorize` took.
    authorizing: Histogram,
    /// How long answers of [`VERIFY`] take.
    pub verifying: Histogram,
}

impl Shared {
    /// For a server that lets a service check so many keys a minute; 0: as many as it likes.
    pub fn new(checks_per_actor: u32) -> Self {
        Shared {
            budget: Budget::per_minute(checks_per_actor, "keys checked by one service"),
            outcomes: Outcome::ALL.map(
                |outcome| metrics::counter!("keystead_checks_total", "code" => outcome.as_str()),
            ),
            authorizing: metrics::histogram!("keystead_check_seconds", "route" => "authorize"),
            verifying: metrics::histogram!("keystead_check_seconds", "route" => "verify"),
        }
    }

    fn count(&self, outcome: Outcome) {
        let place = Outcome::ALL.iter().position(|each| *each == outcome);
        if let Some(counter) = place.and_then(|place| self.outcomes.get(place)) {
            counter.increment(1);
        }
    }
}

async fn openapi() -> Response {
    (
        [
            (header::CONTENT_TYPE, "application/json; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        include_str!("openapi.json"),
    )
        .into_response()
}

/// A refusal with the status that its code means, or with another.
fn refuse(status: Option<StatusCode>, error: Error) -> Refusal {
    let status = status
        .or_else(|| StatusCode::from_u16(error.code.http_status()).ok())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Box::new(answer::plain(status, error))
}

/// What was answered, with what the journal is to have of it: of a refusal its code too.
fn told(answered: Result<Response, Refusal>, mut noted: Noted) -> (Response, Noted) {
    let response = answered.unwrap_or_else(|mut refused| {
        let said = refused.extensions_mut().remove::<Noted>();
        noted.code = said.and_then(|one| one.code);
        *refused
    });
    (response, noted)
}

/// The same as one answer, for the router.
fn note(answered: Result<Response, Refusal>, noted: Noted) -> Response {
    noting(told(answered, noted))
}

fn noting((mut response, noted): (Response, Noted)) -> Response {
    response.extensions_mut().insert(noted);
    response
}

/// Takes in what a service posts to that path: who it is, which is noted, and the body.
async fn posted(
    server: &Server,
    info: Arc<RequestInfo>,
    request: Request,
    path: &str,
    noted: &mut Noted,
) -> Result<(Ctx, Bytes), Refusal> {
    only_post(request.method(), path)?;
    negotiate::check_content_type(request.headers()).map_err(wrong_type)?;
    taken(server, info, request, server.settings.body_limit, noted).await
}

/// Who is calling, which is noted: somebody.
async fn somebody(
    server: &Server,
    headers: &HeaderMap,
    info: Arc<RequestInfo>,
    noted: &mut Noted,
) -> Result<Ctx, Refusal> {
    let ctx = Visitor::new(headers, info)
        .identify(server)
        .await
        .and_then(|ctx| caller::known(server, ctx))
        .map_err(|error| refuse(None, error))?;
    noted.actor = caller::actor_id(&ctx);
    Ok(ctx)
}

fn wrong_type(message: String) -> Refusal {
    refuse(
        Some(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        Error::new(Code::BadRequest, message),
    )
}

/// The same of a request whose method and type are right, up to so many bytes of the body.
async fn taken(
    server: &Server,
    info: Arc<RequestInfo>,
    request: Request,
    limit: usize,
    noted: &mut Noted,
) -> Result<(Ctx, Bytes), Refusal> {
    let (parts, content) = request.into_parts();
    let ctx = somebody(server, &parts.headers, info, noted).await?;
    let bytes = body::read(content, limit, server.settings.body_timeout)
        .await
        .map_err(|(status, error)| refuse(Some(status), error))?;
    Ok((ctx, bytes))
}

fn only_post(method: &Method, path: &str) -> Result<(), Refusal> {
    if method == Method::POST {
        return Ok(());
    }
    let message = format!("{method} does not work at {path}: use POST.");
    let mut refused = refuse(
        Some(StatusCode::METHOD_NOT_ALLOWED),
        Error::new(Code::BadRequest, message),
    );
    let allow = header::HeaderValue::from_static("POST");
    refused.headers_mut().insert(header::ALLOW, allow);
    Err(refused)
}
