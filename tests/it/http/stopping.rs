//! Time-outs of connections, and stopping without cutting anybody off.

use std::time::{Duration, Instant};

use keystead::http::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Bound, TestApp};

/// Sends some bytes and returns what comes until the server closes, and after how long.
async fn exchange(server: &Bound, parts: &[&str]) -> (String, Duration) {
    let since = Instant::now();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for part in parts {
        stream.write_all(part.as_bytes()).await.unwrap();
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    (
        String::from_utf8_lossy(&answer).into_owned(),
        since.elapsed(),
    )
}

#[tokio::test]
async fn whoever_is_too_slow_is_not_waited_for() {
    let app = TestApp::new().await;
    let settings = Settings {
        head_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        ..Settings::default()
    };
    let server = Bound::new(&app, settings).await;
    let post = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let slow: [&[&str]; 6] = [
        &[],
        &["PRI * HTTP/2"],
        &["GET /healthz HTTP/1.1\r\nhost"],
        &["GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"],
        &[post, "content-length: 100\r\n\r\n{\"query\":"],
        &[post, "transfer-encoding: chunked\r\n\r\n5\r\n{\"que\r\n"],
    ];
    for parts in slow {
        let exchanged = exchange(&server, parts);
        let (answer, took) = tokio::time::timeout(Duration::from_secs(5), exchanged)
            .await
            .unwrap_or_else(|_| panic!("{parts:?} is waited for"));
        assert!(took < Duration::from_secs(3), "{parts:?}: {took:?}");
        if parts.len() > 1 {
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_longer_than_it_says_does_not_get_in() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, Settings::default()).await;
    let huge = "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n{}";
    let (answer, _) = exchange(&server, &[huge]).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_stopping_server_finishes_what_runs_and_says_goodbye() {
    let app = TestApp::new().await;
    let mut server = Bound::new(&app, Settings::default()).await;
    let mut socket = server.socket().await;
    socket.init(Some(&app.admin_key)).await;
    // A request that is half sent when the server is told to stop.
    let body = r#"{"query":"{ __typename }"}"#;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.stop();
    assert_eq!(socket.closed().await.0, 1001);
    drop(socket);
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(TcpStream::connect(server.address).await.is_err());
    let stopped = tokio::time::timeout(Duration::from_secs(10), server.stopped());
    assert!(stopped.await.is_ok());
}
