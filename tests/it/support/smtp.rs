//! A small SMTP server on loopback that receives, refuses, breaks off or hangs as it is told.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead::mail::model::{Security, Settings, Smtp, Way};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::certificate::Pair;

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Receives.
    Well,
    /// Refuses every recipient with that code.
    Refusing(u16),
    /// Closes the connection in the middle of a mail.
    Breaking,
    /// Takes a mail whole, and closes the connection instead of saying so.
    Forgetful,
    /// Says nothing more once a mail begins, until it is well again.
    Hanging,
}

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    /// As it was sent, with `\n` for line ends.
    pub text: String,
    /// Who signed in.
    pub login: Option<String>,
    pub encrypted: bool,
}

impl Received {
    /// A header's value, as it was sent.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let (head, _) = self.text.split_once("\n\n").unwrap();
        let begin = format!("{}: ", name.to_ascii_lowercase());
        head.lines()
            .filter(|line| line.to_ascii_lowercase().starts_with(&begin))
            .map(|line| &line[begin.len()..])
            .collect()
    }
}

#[derive(Clone)]
struct Shared {
    received: Arc<Mutex<Vec<Received>>>,
    mood: watch::Receiver<Mood>,
    /// Mails that were begun.
    begun: watch::Sender<usize>,
    tls: Option<TlsAcceptor>,
    security: Security,
}

/// The server. It ends with the test's runtime.
pub struct SmtpServer {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    mood: watch::Sender<Mood>,
    begun: watch::Receiver<usize>,
    security: Security,
}

impl SmtpServer {
    /// Without encryption.
    pub async fn start() -> SmtpServer {
        SmtpServer::with(Security::None, None).await
    }

    /// With that encryption and certificate.
    pub async fn with(security: Security, pair: Option<&Pair>) -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mood, watched) = watch::channel(Mood::Well);
        let (begun, begun_seen) = watch::channel(0);
        let received = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            received: received.clone(),
            mood: watched,
            begun,
            tls: pair.map(acceptor),
            security,
        };
        let server = SmtpServer {
            address: listener.local_addr().unwrap(),
            received,
            mood,
            begun: begun_seen,
            security,
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let encrypted = shared.security == Security::Tls;
                    match shared.tls.clone().filter(|_| encrypted) {
                        None => serve(BufStream::new(stream), shared).await,
                        Some(tls) => {
                            let stream = tls.accept(stream).await.ok()?;
                            talk(&mut BufStream::new(stream), &shared, true, true).await;
                            Some(())
                        }
                    }
                });
            }
        });
        server
    }

    pub fn feel(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until so many mails were begun.
    pub async fn begun(&self, count: usize) {
        let mut begun = self.begun.clone();
        begun.wait_for(|begun| *begun >= count).await.unwrap();
    }

    /// Waits until so many mails have arrived.
    pub async fn arrived(&self, count: usize) -> Vec<Received> {
        loop {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Settings that send mails here; `roots` is believed.
    pub fn settings(&self, roots: Option<&Path>) -> Settings {
        Settings {
            from: "Keystead <keystead@example.com>".into(),
            public_url: "https://keystead.example.com".into(),
            templates: None,
            way: Way::Smtp(Smtp {
                host: if roots.is_some() {
                    "localhost"
                } else {
                    "127.0.0.1"
                }
                .into(),
                port: self.address.port(),
                security: self.security,
                login: None,
                roots: roots.map(Path::to_path_buf),
            }),
        }
    }
}

pub(super) fn acceptor(pair: &Pair) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = vec![CertificateDer::from_pem_file(&pair.certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&pair.key).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(mut stream: BufStream<tokio::net::TcpStream>, shared: Shared) -> Option<()> {
    if talk(&mut stream, &shared, false, true).await {
        let tls = shared.tls.clone()?.accept(stream.into_inner()).await.ok()?;
        talk(&mut BufStream::new(tls), &shared, true, false).await;
    }
    Some(())
}

/// Speaks SMTP; says whether TLS is to begin.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    shared: &Shared,
    encrypted: bool,
    greet: bool,
) -> bool {
    let mut mail = Received {
        from: String::new(),
        to: Vec::new(),
        text: String::new(),
        login: None,
        encrypted,
    };
    if greet && say(stream, "220 test").await.is_none() {
        return false;
    }
    loop {
        let Some(line) = line(stream).await else {
            return false;
        };
        let word = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
        let mood = *shared.mood.borrow();
        let answer = match word.as_str() {
            "EHLO" if shared.security == Security::Starttls && !encrypted => {
                "250-test\r\n250 STARTTLS".to_owned()
            }
            "EHLO" => "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "STARTTLS" => {
                say(stream, "220 go on").await;
                return true;
            }
            "AUTH" => {
                let encoded = line.rsplit(' ').next().unwrap();
                let text = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
                mail.login = Some(text.trim_start_matches('\0').replace('\0', ":"));
                match text.ends_with("\0right") {
                    true => "235 welcome".to_owned(),
                    false => "535 no".to_owned(),
                }
            }
            "MAIL" => {
                mail.from = line;
                "250 well".to_owned()
            }
            "RCPT" => match mood {
                Mood::Refusing(code) => format!("{code} not here"),
                _ => {
                    mail.to.push(line);
                    "250 well".to_owned()
                }
            },
            "DATA" => {
                shared.begun.send_modify(|begun| *begun += 1);
                match mood {
                    Mood::Hanging => {
                        let mut mood = shared.mood.clone();
                        if mood.wait_for(|mood| *mood == Mood::Well).await.is_err() {
                            return false;
                        }
                    }
                    Mood::Breaking => {
                        say(stream, "354 go on").await;
                        let _ = self::line(stream).await;
                        return false;
                    }
                    _ => {}
                }
                say(stream, "354 go on").await;
                let Some(text) = text(stream).await else {
                    return false;
                };
                mail.text = text;
                shared.received.lock().unwrap().push(mail.clone());
                if mood == Mood::Forgetful {
                    return false;
                }
                "250 received".to_owned()
            }
            "QUIT" => {
                say(stream, "221 good bye").await;
                return false;
            }
            _ => "250 well".to_owned(),
        };
        if say(stream, &answer).await.is_none() {
            return false;
        }
    }
}

async fn line<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    text: &str,
) -> Option<()> {
    stream.write_all(text.as_bytes()).await.ok()?;
    stream.write_all(b"\r\n").await.ok()?;
    stream.flush().await.ok()
}

/// A mail up to the line that is a dot; `None` if it was cut off.
async fn text<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = line(stream).await?;
        if line == "." {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
}
