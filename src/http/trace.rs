//! The span of a request (OpenTelemetry's semantic conventions for HTTP servers), and whose trace it is part of (W3C Trace
//! Context). What a caller chose is in it without what looks like a secret; headers, queries and bodies are not.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, Version};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::field::Empty;
use tracing::{Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::ctx::RequestInfo;
use crate::secrets::masked;

/// The trace that the caller says this request is part of, if its `traceparent` is well-formed.
fn caller(headers: &HeaderMap) -> Option<Context> {
    if !headers.contains_key("traceparent") {
        return None;
    }
    let found = TraceContextPropagator::new()
        .extract_with_context(&Context::new(), &HeaderExtractor(headers));
    found.has_active_span().then_some(found)
}

/// Begins the span of a request and finds out the id of its trace, which is the caller's if it sends one. Where nobody
/// traces, there is no span.
pub fn begin(
    request: &Request,
    route: Option<&str>,
    info: &mut RequestInfo,
    scheme: &'static str,
) -> Span {
    let caller = caller(request.headers());
    info.trace_id = caller.as_ref().and_then(id_in);
    if !tracing::span_enabled!(Level::INFO) {
        return Span::none();
    }
    let method = known(request.method());
    let name = match route {
        Some(route) => format!("{method} {route}"),
        None => method.to_owned(),
    };
    let span = tracing::info_span!(
        "request",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        url.scheme = scheme,
        url.path = masked(request.uri().path()),
        network.protocol.version = version(request.version()),
        client.address = info.ip.map(|ip| ip.to_string()),
        user_agent.original = info.user_agent,
        keystead.request_id = info.id,
        error.type = Empty,
    );
    if let Some(caller) = caller {
        // Fails only for a span that nobody collects.
        let _ = span.set_parent(caller);
    }
    info.trace_id = id_of(&span).or(info.trace_id.take());
    span
}

/// Begins the span of an operation over a WebSocket: a trace of its own, since a connection may last for days.
pub fn begin_operation(info: &mut RequestInfo, scheme: &'static str) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "operation over a WebSocket",
        otel.name = "WS /graphql",
        otel.kind = "server",
        otel.status_code = Empty,
        http.route = "/graphql",
        url.scheme = scheme,
        url.path = "/graphql",
        network.protocol.name = "websocket",
        client.address = info.ip.map(|ip| ip.to_string()),
        user_agent.original = info.user_agent,
        keystead.request_id = info.id,
        error.type = Empty,
    );
    info.trace_id = id_of(&span).or(info.trace_id.take());
    span
}

/// Says how a request ended.
pub fn end(span: &Span, status: u16) {
    if span.is_disabled() {
        return;
    }
    // A number on the wire: unsigned ones become texts.
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.to_string());
    }
}

fn id_of(span: &Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    id_in(&span.context())
}

fn id_in(context: &Context) -> Option<String> {
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// The method, unless the caller has invented it.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "_OTHER",
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "2",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    }
}
