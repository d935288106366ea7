//! HTTP: the routes, what surrounds each request, and the server that accepts connections.
//!
//! `/graphql` is the API (POST, GET, WebSocket, event streams), `/wandb` is for clients of wandb, `/v1` is what services and proxies ask, `/` is GraphiQL,
//! `/schema.graphql` the schema, `/healthz`, `/readyz` and `/metrics` are for those who run it. Nothing here knows the GraphQL engine: requests go to
//! [`crate::graphql::api`] and come back as bytes.
//!
//! # What a browser can send
//! Keystead knows callers by a header, or at `/graphql` by the cookie of a session, which is `SameSite=Strict` and believed only from pages
//! of the public address (`authn::cookie`), so a foreign page cannot borrow anybody's rights. All the same, what a browser sends across sites without asking first (a preflight) is refused: a POST must be
//! `application/json`, which forms cannot be; a mutation never comes by GET; and a GET that a browser itself marks as coming
//! from another site, by `Sec-Fetch-Site` or `Origin`, needs an origin that CORS allows, or a header that forces a preflight.

mod answer;
mod body;
mod caller;
mod graphiql;
mod graphql;
mod health;
mod journal;
mod layers;
mod negotiate;
mod pages;
mod patience;
mod reserve;
mod serve;
mod settings;
mod site;
mod sse;
mod tls;
mod trace;
mod v1;
mod wandb;
mod websocket;

pub use caller::Peer;
pub use reserve::{Reserved, reserve};
pub use serve::serve;
pub use settings::{Settings, TlsFiles};
pub use tls::{check as check_tls, validity as tls_validity};
pub use v1::{Reporters, Rule, RuleError, Rules};

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Router};
use tokio::sync::watch;

use crate::app::App;
use crate::ctx::RequestInfo;
use crate::error::{Code, Error};

/// What handlers share. Cheap to clone: every request has its own.
#[derive(Clone)]
pub(crate) struct Server(Arc<Shared>);

pub(crate) struct Shared {
    pub app: App,
    pub settings: Settings,
    /// What the routes for programs share.
    pub v1: v1::Shared,
    /// Turns true when the server is stopping.
    pub stopping: watch::Receiver<bool>,
}

/// The routes with all that surrounds them, for a server that does not stop by itself: for tests, and for those who bring
/// their own server.
pub fn router(app: App, settings: Settings) -> Router {
    let (_, stopping) = watch::channel(false);
    routes(Server::new(app, settings, stopping))
}

impl Server {
    fn new(app: App, settings: Settings, stopping: watch::Receiver<bool>) -> Self {
        // Before the first counter is made: those that are made without a recorder count nothing.
        if settings.metrics && health::recorder().is_none() {
            tracing::warn!("metrics are recorded by somebody else: /metrics has nothing to say");
        }
        Server(Arc::new(Shared {
            app,
            v1: v1::Shared::new(settings.checks_per_actor),
            settings,
            stopping,
        }))
    }
}

impl Deref for Server {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

fn routes(server: Server) -> Router {
    let routes = Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/wandb/graphql", any(wandb::handle))
        .route("/wandb/authorize", get(wandb::authorize))
        .route("/", get(graphiql::page))
        .route("/graphiql/{file}", get(graphiql::file))
        .route("/join", get(pages::join))
        .route("/sign-in", get(pages::sign_in))
        .route("/pages/{file}", get(pages::file))
        .route("/schema.graphql", get(schema))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .with_state(server.clone());
    let often = v1::routes().with_state(server.clone());
    layers::around(routes, often, server)
}

/// The schema, for those who may introspect.
async fn schema(
    State(server): State<Server>,
    Extension(info): Extension<Arc<RequestInfo>>,
    headers: HeaderMap,
) -> Response {
    static SCHEMA: LazyLock<String> = LazyLock::new(crate::graphql::schema::sdl);
    let public = server.app.api.settings().introspection;
    let kept = if public {
        "no-cache"
    } else {
        "private, no-cache"
    };
    if !public {
        let visitor = caller::Visitor::new(&headers, info);
        match visitor.identify(&server).await {
            Ok(ctx) if server.app.api.may_introspect(&ctx) => {}
            Ok(_) => {
                let message = "The schema is not shown here: introspection is switched off. Send an administrator's key, or let \
                               whoever runs this server set introspection to true.";
                let error = Error::new(Code::NotFound, message);
                return answer::plain(StatusCode::NOT_FOUND, error);
            }
            Err(error) => return answer::refused(None, negotiate::Media::Json, error),
        }
    }
    (
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::CACHE_CONTROL, kept),
        ],
        SCHEMA.as_str(),
    )
        .into_response()
}

async fn not_found(uri: axum::http::Uri) -> Response {
    let message = format!(
        "There is nothing at {}. The API is at /graphql, GraphiQL at /, the schema at /schema.graphql, what services ask at /v1/openapi.json.",
        crate::db::ids::quoted(uri.path())
    );
    answer::plain(StatusCode::NOT_FOUND, Error::new(Code::NotFound, message))
}

async fn wrong_method(method: axum::http::Method, uri: axum::http::Uri) -> Response {
    let message = format!(
        "{method} does not work at {}: it is only there to be read, by GET.",
        crate::db::ids::quoted(uri.path())
    );
    answer::plain(
        StatusCode::METHOD_NOT_ALLOWED,
        Error::new(Code::BadRequest, message),
    )
}
