//! HTTP/2 without TLS (prior knowledge), and its limits.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use keystead::http::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Bound, TestApp};

/// Types of frames (RFC 9113 §6).
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// `SETTINGS_MAX_CONCURRENT_STREAMS` (RFC 9113 §6.5.2).
const MAX_CONCURRENT_STREAMS: u16 = 3;

/// "The endpoint detected that its peer is exhibiting a behavior that might be generating excessive load."
const ENHANCE_YOUR_CALM: u32 = 0xb;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The next frame: its type, and what is in it.
async fn next(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.ok()?;
    Some((head[3], payload))
}

#[tokio::test]
async fn http_2_is_spoken_to_whoever_begins_with_it() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, Settings::default()).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = |headers: usize| {
        let mut request = Request::get(format!("http://{}/healthz", server.address));
        for number in 0..headers {
            request = request.header(format!("x-padding-{number}"), "x".repeat(4_000));
        }
        request.body(Empty::<Bytes>::new()).unwrap()
    };
    let response = sender.send_request(request(0)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.unwrap();
    // 60 KB of headers are the most there may be, about; 80 KB are refused, and the connection lives.
    let fits = sender.send_request(request(14)).await.unwrap();
    assert_eq!(fits.status(), StatusCode::OK);
    match sender.send_request(request(20)).await {
        Ok(response) => assert_eq!(
            response.status(),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        ),
        Err(error) => assert!(error.to_string().contains("http2"), "{error}"),
    }
    let after = sender.send_request(request(0)).await.unwrap();
    assert_eq!(after.status(), StatusCode::OK);
}

/// CVE-2023-44487: requests that are taken back at once cost their sender nothing, so they must not cost the server.
#[tokio::test]
async fn whoever_keeps_taking_requests_back_is_shown_the_door() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, Settings::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    for number in 0..2_000 {
        let id = number * 2 + 1;
        // HEADERS with END_HEADERS and END_STREAM: GET / http, from the static table (RFC 7541, appendix A).
        bytes.extend(frame(1, 0x5, id, &[0x82, 0x84, 0x86]));
        // CANCEL.
        bytes.extend(frame(RST_STREAM, 0, id, &[0, 0, 0, 8]));
    }
    // It may be cut off before all is sent.
    let _ = stream.write_all(&bytes).await;
    let mut concurrent = None;
    let watching = async {
        while let Some((kind, payload)) = next(&mut stream).await {
            if kind == SETTINGS {
                let settings = payload.chunks(6);
                let found = settings
                    .into_iter()
                    .find(|one| one[..2] == MAX_CONCURRENT_STREAMS.to_be_bytes());
                concurrent = concurrent
                    .or(found.map(|one| u32::from_be_bytes(one[2..].try_into().unwrap())));
            }
            if kind == GOAWAY {
                return u32::from_be_bytes(payload[4..8].try_into().unwrap());
            }
        }
        panic!("the connection ended without a word");
    };
    let code = tokio::time::timeout(Duration::from_secs(20), watching)
        .await
        .unwrap();
    assert_eq!(code, ENHANCE_YOUR_CALM);
    assert_eq!(concurrent, Some(200));
    // Others are served.
    let client = app.anonymous();
    let answer = client.send(client.request("GET", "/healthz")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_head_of_a_request_by_http_1_is_bounded() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, Settings::default()).await;
    for (size, status) in [(30_000, "200"), (100_000, "431")] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let padding = "x".repeat(size);
        let request = format!(
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Padding: {padding}\r\n\r\n"
        );
        // It may be cut off before all is sent.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(
            std::str::from_utf8(&answer).unwrap(),
            format!("HTTP/1.1 {status}")
        );
    }
}
