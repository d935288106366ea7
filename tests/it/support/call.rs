//! HTTP requests through the router, without a socket.

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{Request, Response, header, request};
use http_body_util::BodyExt;
use keystead::http::Peer;
use serde_json::Value;
use tower::ServiceExt;

/// A request in the making.
pub struct Call {
    parts: request::Builder,
    body: Body,
}

impl Call {
    pub fn new(method: &str, path: &str) -> Call {
        Call {
            parts: Request::builder().method(method).uri(path),
            body: Body::empty(),
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.parts = self.parts.header(name, value);
        self
    }

    /// A JSON body with its content type.
    pub fn json(self, body: &Value) -> Call {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Any body.
    pub fn body(mut self, body: impl Into<Body>) -> Call {
        self.body = body.into();
        self
    }

    pub fn build(self) -> Request<Body> {
        self.parts.body(self.body).unwrap()
    }

    /// As if it came from that address.
    pub fn from(mut self, ip: &str) -> Call {
        let peer = Peer((ip.parse::<std::net::IpAddr>().unwrap(), 50_000).into());
        self.parts = self.parts.extension(peer);
        self
    }
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn read(router: Router, call: Call) -> Answer {
        Answer::of(router.oneshot(call.build()).await.unwrap()).await
    }

    /// A response, whose body is read.
    pub async fn of<B: HttpBody<Error: std::fmt::Debug>>(response: Response<B>) -> Answer {
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The first error's code.
    pub fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}
