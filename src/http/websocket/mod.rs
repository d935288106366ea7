//! WebSockets at `/graphql`, by the protocol `graphql-transport-ws`: queries, mutations and subscriptions, many at a time.

mod connection;
mod operation;
mod protocol;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::caller::Visitor;
use super::serve::Held;
use super::{Server, answer, site};
use crate::ctx::RequestInfo;
use crate::error::{Code, Error};

/// Whether the request wants to become a WebSocket.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Turns the connection into a WebSocket.
pub async fn upgrade(server: Server, mut parts: Parts, info: Arc<RequestInfo>) -> Response {
    if let Err(error) = site::check_upgrade(&server, &parts.headers) {
        return answer::plain(StatusCode::FORBIDDEN, error);
    }
    let visitor = Visitor::with_cookies(&parts.headers, info);
    // The server waits for WebSockets when it stops.
    let held = parts.extensions.get::<Held>().cloned();
    let limit = server.settings.body_limit;
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade
            .protocols([protocol::NAME])
            .max_message_size(limit)
            .max_frame_size(limit)
            .on_upgrade(async move |socket| {
                connection::serve(socket, Arc::new(server), visitor).await;
                drop(held);
            }),
        Err(rejection) => answer::plain(
            rejection.status(),
            Error::new(Code::BadRequest, rejection.body_text()),
        ),
    }
}
