//! TLS in the server itself: HTTP/1.1, HTTP/2 and WebSockets over it, and clients that do not speak it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use keystead::http::{Settings, TlsFiles};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::{Authority, Bound, TestApp};

/// A server with a certificate of its own, and the folder that holds it.
struct Secured {
    app: TestApp,
    server: Bound,
    authority: Authority,
    folder: std::path::PathBuf,
}

impl Secured {
    async fn new(name: &str) -> Secured {
        let folder =
            std::env::temp_dir().join(format!("keystead-tls-{}-{name}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let authority = Authority::new();
        let pair = authority.write(&folder, &["localhost"]);
        let app = TestApp::new().await;
        let settings = Settings {
            tls: Some(TlsFiles {
                certificate: pair.certificate,
                key: pair.key,
            }),
            head_timeout: Duration::from_secs(2),
            ..Settings::default()
        };
        let server = Bound::new(&app, settings).await;
        Secured {
            app,
            server,
            authority,
            folder,
        }
    }

    fn address(&self) -> String {
        self.server.address.to_string()
    }

    fn request(&self, version: Version) -> Request<Full<Bytes>> {
        let body = json!({"query": "{ viewer { user { username } } }"}).to_string();
        let uri = match version {
            Version::HTTP_2 => "https://localhost/graphql",
            _ => "/graphql",
        };
        Request::post(uri)
            .version(version)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", self.app.admin_key))
            .header("content-type", "application/json")
            .body(Full::from(body))
            .unwrap()
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn username(response: hyper::Response<hyper::body::Incoming>) -> Value {
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    answer["data"]["viewer"]["user"]["username"].clone()
}

#[tokio::test]
async fn a_client_chooses_between_http_1_and_2() {
    let secured = Secured::new("alpn").await;
    let stream = secured
        .authority
        .connect(&secured.address(), "http/1.1")
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..2 {
        let response = sender
            .send_request(secured.request(Version::HTTP_11))
            .await
            .unwrap();
        assert_eq!(username(response).await, "admin");
    }

    let stream = secured
        .authority
        .connect(&secured.address(), "h2")
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    // Several at once on one connection.
    let answers = (0..8).map(|_| {
        let (mut sender, request) = (sender.clone(), secured.request(Version::HTTP_2));
        async move { username(sender.send_request(request).await.unwrap()).await }
    });
    for name in futures_util::future::join_all(answers).await {
        assert_eq!(name, "admin");
    }
}

#[tokio::test]
async fn a_subscription_runs_over_wss() {
    let secured = Secured::new("wss").await;
    let stream = secured
        .authority
        .connect(&secured.address(), "http/1.1")
        .await
        .unwrap();
    let mut request = "wss://localhost/graphql".into_client_request().unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    let mut say = async |message: Value| {
        socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
        if message["type"] == "subscribe" {
            // Time for it to begin.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let make = "mutation { createUser(input: {username: \"ada\"}) { user { id } } }";
            secured.app.admin().data(make, Value::Null).await;
        }
        let next = tokio::time::timeout(Duration::from_secs(10), socket.next()).await;
        let text = next.unwrap().unwrap().unwrap().into_text().unwrap();
        serde_json::from_str::<Value>(text.as_str()).unwrap()
    };
    let payload = json!({"Authorization": format!("Bearer {}", secured.app.admin_key)});
    let answer = say(json!({"type": "connection_init", "payload": payload})).await;
    assert_eq!(answer["type"], "connection_ack");
    let follow = "subscription { auditEvents(filter: {action: \"user.\"}) { action } }";
    let event = say(json!({"id": "1", "type": "subscribe", "payload": {"query": follow}})).await;
    assert_eq!(
        event["payload"]["data"],
        json!({"auditEvents": {"action": "user.create"}})
    );
}

#[tokio::test]
async fn clients_that_speak_no_tls_get_nothing_and_do_no_harm() {
    let secured = Secured::new("plain").await;
    let mut silent = TcpStream::connect(secured.address()).await.unwrap();
    for said in [
        &b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[0x16, 0x03, 0x01, 0xff, 0xff, 0, 0, 0],
        &[0; 4096],
    ] {
        let mut stream = TcpStream::connect(secured.address()).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        // A broken connection is an answer too.
        let _ = tokio::time::timeout(Duration::from_secs(10), read)
            .await
            .unwrap();
        // 21: an alert of TLS, and nothing else.
        assert!(answer.is_empty() || answer[0] == 21, "{answer:?}");
    }
    // Whoever says nothing is let go after the time for a request's head.
    let mut nothing = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), silent.read_to_end(&mut nothing));
    let _ = read.await.unwrap();
    assert!(nothing.is_empty());
    // Who does not believe in the authority leaves; the server goes on.
    let stranger = Authority::new().connect(&secured.address(), "h2").await;
    let said = stranger.unwrap_err().to_string();
    assert!(said.contains("invalid peer certificate"), "{said}");
    let stream = secured
        .authority
        .connect(&secured.address(), "http/1.1")
        .await
        .unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender
        .send_request(secured.request(Version::HTTP_11))
        .await
        .unwrap();
    assert_eq!(username(response).await, "admin");
}
