//! Requests that a page of another site has caused. A browser sends some of them without asking first.

use axum::http::HeaderMap;

use super::{Server, negotiate};
use crate::error::{Code, Error};

/// Headers that a page of another site cannot send without a preflight.
const FORCES_PREFLIGHT: [&str; 4] = [
    "authorization",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "graphql-require-preflight",
];

/// Refuses a GET that a browser says another site has caused, unless there was a preflight or CORS allows that site.
///
/// # Errors
/// `FORBIDDEN`.
pub fn check_get(server: &Server, headers: &HeaderMap) -> Result<(), Error> {
    let asked = FORCES_PREFLIGHT
        .iter()
        .any(|name| headers.contains_key(*name))
        || negotiate::check_content_type(headers).is_ok();
    if asked {
        return Ok(());
    }
    check_upgrade(server, headers)
}

/// Refuses what a browser says another site has caused, unless CORS allows that site. For WebSockets there are no preflights.
///
/// # Errors
/// `FORBIDDEN`.
pub fn check_upgrade(server: &Server, headers: &HeaderMap) -> Result<(), Error> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text("origin");
    let own = |origin: &str| {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some() && host == text("host") || origin == server.app.policy.public_url
    };
    let foreign = match (text("sec-fetch-site"), origin) {
        (Some("same-origin" | "none"), _) => false,
        (_, Some(origin)) => !own(origin),
        (Some(_), None) => true,
        (None, None) => false,
    };
    let allowed = origin.is_some_and(|origin| {
        let origins = &server.settings.cors_origins;
        origins.iter().any(|one| one == "*" || one == origin)
    });
    if foreign && !allowed {
        return Err(Error::new(
            Code::Forbidden,
            "A page of another site has caused this request, from an origin that is not allowed (cors_origins). A query may also come by POST, or with the header 'Apollo-Require-Preflight: true'.",
        ));
    }
    Ok(())
}
