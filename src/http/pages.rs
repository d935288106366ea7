//! Pages for people who follow a link: what they consist of is part of the binary, and comes from nowhere else.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::answer;
use crate::error::{Code, Error};

/// What a page may do: run its own script, ask this server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";

/// `/join`: accepts the invitation whose token is in the address.
pub async fn join() -> Response {
    send(HTML, include_str!("../../assets/pages/join.html"))
}

/// `/sign-in`: asks for a link, and signs in by the one whose token is in the address. The page alone uses no token up: whoever reads mails
/// follows links too.
pub async fn sign_in() -> Response {
    send(HTML, include_str!("../../assets/pages/sign-in.html"))
}

/// `/pages/…`: what the pages consist of.
pub async fn file(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "join.js" => send(
            "text/javascript; charset=utf-8",
            include_str!("../../assets/pages/join.js"),
        ),
        "sign-in.js" => send(
            "text/javascript; charset=utf-8",
            include_str!("../../assets/pages/sign-in.js"),
        ),
        "pages.css" => send(
            "text/css; charset=utf-8",
            include_str!("../../assets/pages/pages.css"),
        ),
        _ => {
            let error = Error::new(Code::NotFound, "There is no such file.");
            answer::plain(StatusCode::NOT_FOUND, error)
        }
    }
}

/// The address holds a secret: nothing keeps the page, and nobody is told where it was.
fn send(content_type: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
