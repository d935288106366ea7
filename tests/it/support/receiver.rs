//! A small HTTP server on loopback that answers, refuses, redirects, hangs or never ends as it is told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::certificate::Pair;
use super::smtp::acceptor;

/// What the receiver answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// That status, and nothing else.
    Status(u16),
    /// A redirect to that address.
    Redirect(String),
    /// 200 and 10 MB.
    Large,
    /// 200 and a body that never ends.
    Endless,
    /// A head that never ends.
    EndlessHead,
    /// What is not HTTP.
    Nonsense,
    /// Nothing, until it is told something else.
    Nothing,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub line: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Arrived {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The receiver. It ends with the test's runtime.
pub struct Receiver {
    pub address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    answer: watch::Sender<Answer>,
    connections: Arc<AtomicUsize>,
}

impl Receiver {
    pub async fn start() -> Receiver {
        Receiver::with(None).await
    }

    /// With TLS, by that certificate.
    pub async fn with(pair: Option<&Pair>) -> Receiver {
        let tls = pair.map(acceptor);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (answer, watched) = watch::channel(Answer::Status(204));
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let receiver = Receiver {
            address: listener.local_addr().unwrap(),
            arrived: arrived.clone(),
            answer,
            connections: connections.clone(),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (arrived, watched, tls) = (arrived.clone(), watched.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, arrived, watched).await,
                        Some(tls) => serve(tls.accept(stream).await.ok()?, arrived, watched).await,
                    }
                });
            }
        });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks?a=b", self.address)
    }

    pub fn answer(&self, answer: Answer) {
        self.answer.send_replace(answer);
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// Connections that were made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have arrived.
    pub async fn wait(&self, count: usize) -> Vec<Arrived> {
        loop {
            let arrived = self.arrived();
            if arrived.len() >= count {
                return arrived;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    mut answer: watch::Receiver<Answer>,
) -> Option<()> {
    let mut stream = BufStream::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    arrived.lock().unwrap().push(Arrived {
        line: line.trim_end().to_owned(),
        headers,
        body: String::from_utf8(body).unwrap(),
    });
    let wanted = answer
        .wait_for(|answer| *answer != Answer::Nothing)
        .await
        .ok()?
        .clone();
    let head = match &wanted {
        Answer::Status(status) => format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n"),
        Answer::Redirect(to) => {
            format!("HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
        }
        Answer::Large => "HTTP/1.1 200 X\r\ncontent-length: 10485760\r\n\r\n".to_owned(),
        Answer::Endless => "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        Answer::EndlessHead => "HTTP/1.1 200 X\r\n".to_owned(),
        Answer::Nonsense => "SSH-2.0-nonsense\r\n\r\n".to_owned(),
        Answer::Nothing => return None,
    };
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.flush().await.ok()?;
    let piece = match wanted {
        Answer::Large => "x".repeat(1 << 16),
        Answer::Endless => format!("10000\r\n{}\r\n", "x".repeat(1 << 16)),
        Answer::EndlessHead => format!("x: {}\r\n", "x".repeat(1_000)),
        _ => return Some(()),
    };
    // Until the other side has had enough.
    loop {
        stream.write_all(piece.as_bytes()).await.ok()?;
    }
}
