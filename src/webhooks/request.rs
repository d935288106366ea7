//! One request to a receiver: to an address that was looked at, without following anything, and within bounds of time and bytes.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::address::{is_allowed, is_listed};
use crate::db::ids::quoted;
use crate::db::tls;
use crate::error::{Error, Result};
use crate::outbox::model::Refusal;

/// How long an attempt may take from the look-up of the name to the head of the answer.
const WHOLE: Duration = Duration::from_secs(15);
/// How long it may take to reach one address.
const CONNECT: Duration = Duration::from_secs(5);
/// Addresses that are tried.
const ADDRESSES: usize = 4;
/// Bytes of an answer's head at most; its body is not read.
const HEAD: usize = 16 * 1024;
/// Headers of an answer at most.
const HEADERS: usize = 64;
/// Bytes of an address at most.
const MAX_URL: usize = 2_048;

/// Where a webhook's events are sent.
#[derive(Debug, Clone)]
pub(super) struct Target {
    encrypted: bool,
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Target {
    /// Reads `https://host/path`, or `http://` where the operator allows the network.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub(super) fn read(url: &str) -> std::result::Result<Target, String> {
        let wrong = |why: &str| {
            format!(
                "{} {why}. Write it as https://hooks.example.com/keystead.",
                quoted(url)
            )
        };
        if url.len() > MAX_URL {
            return Err(format!(
                "The address has {} bytes. It may have at most {MAX_URL}.",
                url.len()
            ));
        }
        if url.contains('#') {
            return Err(wrong("has a fragment, which is never sent"));
        }
        let uri: Uri = url.parse().map_err(|_| wrong("is not an address"))?;
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("does not begin with https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            // The value is not repeated: it has a password in it.
            return Err(
                "The address holds a user name or a password, which would be stored and shown. Leave them out."
                    .to_owned(),
            );
        }
        let host = authority.host().trim_matches(['[', ']']);
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        if host.is_empty() || !host.bytes().all(named) {
            return Err(wrong("names no host; other scripts are written as xn--…"));
        }
        let port = match authority.as_str()[authority.host().len()..].strip_prefix(':') {
            None if encrypted => 443,
            None => 80,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| wrong("names a port that there is not"))?,
        };
        Ok(Target {
            encrypted,
            host: host.to_owned(),
            port,
            authority: authority.as_str().to_owned(),
            path: uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned()),
        })
    }

    /// Why it can be seen beforehand that nothing will be delivered there; `None` if it cannot.
    fn hopeless(&self, allowed: &[IpNet]) -> Option<&'static str> {
        match self.host.parse::<IpAddr>() {
            Ok(address) => self.refused(address, allowed),
            Err(_) if !self.encrypted && allowed.is_empty() => Some(NOT_ENCRYPTED),
            Err(_) => None,
        }
    }

    fn refused(&self, address: IpAddr, allowed: &[IpNet]) -> Option<&'static str> {
        if !is_allowed(address, allowed) {
            Some(NOT_PUBLIC)
        } else if !self.encrypted && !is_listed(address, allowed) {
            Some(NOT_ENCRYPTED)
        } else {
            None
        }
    }
}

/// Refuses an address to which nothing could be delivered.
///
/// # Errors
/// `BAD_USER_INPUT` naming `field`.
pub(super) fn check(field: &str, url: &str, allowed: &[IpNet]) -> Result<()> {
    let target = Target::read(url).map_err(|why| Error::bad_input(field, why))?;
    match target.hopeless(allowed) {
        None => Ok(()),
        Some(why) => {
            let mut text = why.to_owned();
            text.replace_range(..1, "W");
            Err(Error::bad_input(field, format!("{text}.")))
        }
    }
}

const NOT_PUBLIC: &str = "webhooks are not delivered to this machine, its network and other addresses that are not public, unless webhook_networks names them";
const NOT_ENCRYPTED: &str =
    "webhooks are delivered by https:// alone, but in the networks that webhook_networks names";

/// Who sends requests.
pub(super) struct Requester {
    allowed: Vec<IpNet>,
    tls: TlsConnector,
}

impl Requester {
    /// One that also sends into the networks `allowed`, and checks certificates against the file `roots` in place of the system's.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the file cannot be used.
    pub(super) fn new(allowed: Vec<IpNet>, roots: Option<&Path>) -> Result<Self> {
        let mut config = tls::client(roots).map_err(|_| {
            Error::bad_input(
                "webhook_roots",
                "webhook_roots cannot be read, or holds no certificate in PEM.",
            )
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Requester {
            allowed,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Posts JSON, and answers with the status.
    ///
    /// # Errors
    /// Why there was none.
    pub(super) async fn post(
        &self,
        target: &Target,
        headers: [(&'static str, String); 3],
        body: Vec<u8>,
    ) -> std::result::Result<u16, Refusal> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&target.path)
            .header(HOST, &target.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("Keystead/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| Refusal::for_good("the address cannot be asked for"))?;
        let answered = async {
            let stream = self.connect(target).await?;
            if target.encrypted {
                let name = ServerName::try_from(target.host.clone()).map_err(|_| {
                    Refusal::for_good("the host is no name that a certificate can have")
                })?;
                let stream = self
                    .tls
                    .connect(name, stream)
                    .await
                    .map_err(|error| Refusal::for_now(format!("no TLS: {error}")))?;
                exchange(stream, request).await
            } else {
                exchange(stream, request).await
            }
        };
        timeout(WHOLE, answered).await.unwrap_or_else(|_| {
            let seconds = WHOLE.as_secs();
            Err(Refusal::for_now(format!("no answer within {seconds} s")))
        })
    }

    /// Connects to one of the addresses that the host has and that may be delivered to: to that address, not to the name once more.
    async fn connect(&self, target: &Target) -> std::result::Result<TcpStream, Refusal> {
        let found = lookup_host((target.host.as_str(), target.port))
            .await
            .map_err(|_| Refusal::for_now("the host's name was not found"))?;
        let mut refused = None;
        let addresses: Vec<SocketAddr> = found
            .filter(|address| {
                let why = target.refused(address.ip(), &self.allowed);
                refused = refused.or(why);
                why.is_none()
            })
            .take(ADDRESSES)
            .collect();
        if addresses.is_empty() {
            return Err(match refused {
                Some(why) => Refusal::for_good(why),
                None => Refusal::for_now("the host has no address"),
            });
        }
        let mut last = String::new();
        for address in addresses {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error.kind().to_string(),
                Err(_) => last = io::ErrorKind::TimedOut.to_string(),
            }
        }
        Err(Refusal::for_now(format!("not connected: {last}")))
    }
}

/// Sends the request and reads the head of the answer. The connection ends with this.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> std::result::Result<u16, Refusal> {
    let broken = |error: hyper::Error| {
        let what = if error.is_parse_too_large() {
            "the head of the answer is too large"
        } else if error.is_parse() {
            "the answer is not HTTP"
        } else {
            "the connection broke before there was an answer"
        };
        Refusal::for_now(what)
    };
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD)
        .max_headers(HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut connection = pin!(connection);
    let mut answer = pin!(sender.send_request(request));
    let answer = tokio::select! {
        answer = answer.as_mut() => answer,
        _ = connection.as_mut() => answer.await,
    };
    answer
        .map(|answer| answer.status().as_u16())
        .map_err(broken)
}
