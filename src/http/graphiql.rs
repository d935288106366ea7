//! `/`: GraphiQL, from files that are part of the binary. `assets/graphiql/README.md` says what each is served as.

use std::sync::LazyLock;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::{Server, answer};
use crate::error::{Code, Error};
use crate::secrets::Digest;

struct File {
    name: &'static str,
    content_type: &'static str,
    gzip: bool,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($name:literal $from:literal $gzip:literal $content_type:literal;)+) => {
        const FILES: &[File] = &[$(File {
            name: $name,
            content_type: $content_type,
            gzip: $gzip,
            bytes: include_bytes!(concat!("../../assets/graphiql/dist/", $from)),
        }),+];
    };
}

files! {
    "index.html" "index.html" false "text/html; charset=utf-8";
    "app.js" "app.js.gz" true "text/javascript; charset=utf-8";
    "app.css" "app.css.gz" true "text/css; charset=utf-8";
    "editor.worker.js" "editor.worker.js.gz" true "text/javascript; charset=utf-8";
    "graphql.worker.js" "graphql.worker.js.gz" true "text/javascript; charset=utf-8";
    "json.worker.js" "json.worker.js.gz" true "text/javascript; charset=utf-8";
    "codicon.ttf" "codicon.ttf.gz" true "font/ttf";
    "favicon.svg" "favicon.svg.gz" true "image/svg+xml";
    "licenses.txt" "licenses.txt.gz" true "text/plain; charset=utf-8";
    "fira-code-latin-400-normal.woff2" "fira-code-latin-400-normal.woff2" false "font/woff2";
    "roboto-latin-400-normal.woff2" "roboto-latin-400-normal.woff2" false "font/woff2";
    "roboto-latin-500-normal.woff2" "roboto-latin-500-normal.woff2" false "font/woff2";
}

/// What the page may do: everything from here, nothing from elsewhere. Monaco needs inline styles for what it draws.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/`: the page, or where it is switched off, where the API is.
pub async fn page(State(server): State<Server>, headers: HeaderMap) -> Response {
    if !server.settings.graphiql {
        let error = Error::new(
            Code::NotFound,
            "GraphiQL is switched off here. The API is at /graphql.",
        );
        return answer::plain(StatusCode::NOT_FOUND, error);
    }
    send("index.html", &headers)
}

/// `/graphiql/…`: what the page consists of.
pub async fn file(
    State(server): State<Server>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !server.settings.graphiql || name == "index.html" {
        return missing();
    }
    send(&name, &headers)
}

fn missing() -> Response {
    let error = Error::new(Code::NotFound, "There is no such file. GraphiQL is at /.");
    answer::plain(StatusCode::NOT_FOUND, error)
}

fn send(name: &str, headers: &HeaderMap) -> Response {
    let Some(number) = FILES.iter().position(|file| file.name == name) else {
        return missing();
    };
    let (file, tag) = (&FILES[number], &TAGS[number]);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|said| said.contains(tag.as_str()) || said.trim() == "*");
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response()
    };
    let out = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        out.insert(header::ETAG, tag);
    }
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    out.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    out.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    if file.gzip {
        out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if !known {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    response
}

static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| FILES.iter().map(tag).collect());

/// The ETag: a quarter of the SHA-256 of the bytes.
fn tag(file: &File) -> String {
    let digest = Digest::of(file.bytes);
    let hex: String = digest
        .as_bytes()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}
