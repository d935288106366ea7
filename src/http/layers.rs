//! What surrounds every request: its id, the log line, metrics, headers, CORS, compression, and what becomes of a panic.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use futures_util::FutureExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::{Instrument, Span};

use super::answer::{self, Unsigned};
use super::journal::{Line, Noted};
use super::{Peer, Server, caller, trace, v1};
use crate::ctx::RequestInfo;
use crate::error::Error;

/// Answers shorter than this are not worth compressing, in bytes.
const COMPRESS_FROM: u16 = 1_024;

/// Puts everything around the routes; around those that programs ask often only what they need: their answers are short, and no
/// browser calls them.
pub fn around(routes: Router, often: Router, server: Server) -> Router {
    let compression = CompressionLayer::new().compress_when(
        SizeAbove::new(COMPRESS_FROM).and(NotForContentType::new("text/event-stream")),
    );
    let panicking = CatchPanicLayer::custom(panicked);
    let mut router = routes.layer(compression).layer(panicking);
    if let Some(cors) = cors(&server.settings.cors_origins) {
        router = router.layer(cors);
    }
    router
        .merge(often.layer(panicking))
        .layer(middleware::from_fn_with_state(server, surround))
}

fn panicked(_what: Box<dyn Any + Send + 'static>) -> Response {
    answer::plain(
        StatusCode::INTERNAL_SERVER_ERROR,
        Error::internal("a handler panicked"),
    )
}

fn cors(origins: &[String]) -> Option<CorsLayer> {
    let allowed = match origins {
        [] => return None,
        origins if origins.iter().any(|origin| origin == "*") => AllowOrigin::any(),
        origins => AllowOrigin::list(
            origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok()),
        ),
    };
    let headers = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::ACCEPT,
        caller::REQUEST_ID,
        caller::IDEMPOTENCY_KEY,
        HeaderName::from_static("x-keystead-on-behalf-of"),
        HeaderName::from_static("apollo-require-preflight"),
        HeaderName::from_static("x-apollo-operation-name"),
        HeaderName::from_static("apollographql-client-name"),
        HeaderName::from_static("apollographql-client-version"),
        HeaderName::from_static("traceparent"),
        HeaderName::from_static("tracestate"),
    ];
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(headers)
            .expose_headers([caller::REQUEST_ID, header::RETRY_AFTER, answer::REPLAYED])
            .max_age(Duration::from_secs(600)),
    )
}

/// Around the routes: handlers find what is known of the request in its extensions, and leave there what the log is to have.
async fn surround(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let around = {
        let (peer, route) = (
            request.extensions().get::<Peer>().copied(),
            request.extensions().get::<MatchedPath>(),
        );
        Around::begin(&server, &request, peer, route.map(MatchedPath::as_str))
    };
    request.extensions_mut().insert(around.info.clone());
    let mut response = next.run(request).instrument(around.span.clone()).await;
    let noted = response.extensions_mut().remove::<Noted>();
    let took = around.since.elapsed();
    around.end(response, noted, took)
}

/// The short way to `POST /v1/verify`, which services ask on every request of theirs: from the connection to its handler, with the same
/// around it and no router between.
pub async fn straight(server: &Server, request: Request, peer: Peer) -> Response {
    let around = Around::begin(server, &request, Some(peer), Some(v1::VERIFY));
    let answering = AssertUnwindSafe(v1::verify(server, &around.info, request)).catch_unwind();
    let answered = answering.instrument(around.span.clone()).await;
    let (response, noted) = answered.unwrap_or_else(|what| {
        let mut response = panicked(what);
        let noted = response.extensions_mut().remove::<Noted>();
        (response, noted.unwrap_or_default())
    });
    let took = around.since.elapsed();
    server.v1.verifying.record(took);
    around.end(response, Some(noted), took)
}

/// What every request has around it: its id, and its answer's headers and line in the log.
struct Around {
    since: Instant,
    info: Arc<RequestInfo>,
    span: Span,
    method: Method,
    uri: Uri,
}

impl Around {
    fn begin(server: &Server, request: &Request, peer: Option<Peer>, route: Option<&str>) -> Self {
        let since = Instant::now();
        let mut info = caller::info(
            request.headers(),
            peer,
            &server.settings.trusted_proxies,
            &server.app.random,
        );
        let span = trace::begin(request, route, &mut info, server.settings.scheme());
        Around {
            since,
            info: Arc::new(info),
            span,
            method: request.method().clone(),
            uri: request.uri().clone(),
        }
    }

    fn end(self, mut response: Response, noted: Option<Noted>, took: Duration) -> Response {
        let info = &self.info;
        finish(&mut response, info);
        trace::end(&self.span, response.status().as_u16());
        let line = Line {
            method: self.method.as_str(),
            path: self.uri.path(),
            info,
            status: response.status().as_u16(),
            took,
        };
        line.write(noted.as_ref());
        response
    }
}

/// Writes what needs the request's id, and the headers that every answer has.
fn finish(response: &mut Response, info: &RequestInfo) {
    if let Some(unsigned) = response.extensions_mut().remove::<Unsigned>()
        && let Some(bytes) = unsigned.body(&info.id)
    {
        let length = HeaderValue::from(bytes.len());
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length);
        *response.body_mut() = Body::from(bytes);
    }
    let headers = response.headers_mut();
    if let Some(cookie) = info.cookie.take()
        && let Ok(mut cookie) = HeaderValue::from_str(&cookie)
    {
        cookie.set_sensitive(true);
        headers.append(header::SET_COOKIE, cookie);
    }
    if let Ok(id) = HeaderValue::from_str(&info.id) {
        headers.insert(caller::REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
