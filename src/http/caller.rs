//! What is known of a request before anybody asks who is calling: its id, the client's address, what it says of itself.

use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, header};
use futures_util::poll;
use ipnet::IpNet;

use crate::authn::Credential;
use crate::authn::cookie::{self, Cookies};
use crate::ctx::{Actor, CookieSlot, Ctx, Random, RequestInfo, Site};
use crate::db::ids::{Id, Kind};
use crate::error::{Code, Error, Result};
use crate::secrets::{Secret, masked};

use super::Server;

/// The header with the request's id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header in which a service says for whom it calls.
const ON_BEHALF_OF: HeaderName = HeaderName::from_static("x-keystead-on-behalf-of");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The header that makes a mutation safe to send again.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The other end of the connection; the server puts it into each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Collects what is known of a request.
pub fn info(
    headers: &HeaderMap,
    peer: Option<Peer>,
    proxies: &[IpNet],
    random: &Random,
) -> RequestInfo {
    let said = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let peer = peer.map(|peer| peer.0.ip().to_canonical());
    RequestInfo {
        id: said(REQUEST_ID)
            .filter(|id| is_request_id(id))
            .map_or_else(|| new_request_id(random), str::to_owned),
        ip: peer.map(|peer| client(peer, headers, proxies)),
        user_agent: said(header::USER_AGENT).map(masked),
        on_behalf_of: said_once(headers, &ON_BEHALF_OF),
        trace_id: None,
        via: None,
        cookie: CookieSlot::default(),
    }
}

/// For whom the caller says it calls: 1 to 256 printable ASCII characters, said once. Anything else is left out rather than
/// refused, since nothing depends on it.
pub fn said_once(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let (Some(only), None) = (values.next(), values.next()) else {
        return None;
    };
    only.to_str()
        .ok()
        .filter(|who| (1..=256).contains(&who.len()))
        .filter(|who| who.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
        .map(masked)
}

/// The request's `Idempotency-Key`.
///
/// # Errors
/// `BAD_USER_INPUT` when it is there twice, or is no text.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    match (first.to_str(), values.next()) {
        (Ok(key), None) => Ok(Some(key.to_owned())),
        _ => Err(Error::bad_input(
            "Idempotency-Key",
            "Send one header Idempotency-Key of 1 to 255 visible ASCII characters, for example a UUID.",
        )),
    }
}

fn is_request_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        && masked(text) == text
}

pub fn new_request_id(random: &Random) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let bytes = random.bytes::<16>();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The client's address: from the right, the first in `X-Forwarded-For` that is none of our proxies'.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let ours = |ip: &IpAddr| proxies.iter().any(|net| net.contains(ip));
    let mut client = peer;
    let forwarded: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for text in forwarded.iter().rev() {
        if !ours(&client) {
            break;
        }
        match read_address(text.trim()) {
            Some(ip) => client = ip,
            None => break,
        }
    }
    client
}

/// An address, with or without a port.
fn read_address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|ip| ip.to_canonical())
}

/// The value of `Authorization`; one that cannot be a credential where it is there twice or is no text.
pub fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    // Bytes beyond ASCII and a second header cannot be part of a credential.
    match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().unwrap_or("?")),
        (Some(_), Some(_)) => Some("?"),
    }
}

/// What the future yields, within so much time; `None` when that is over. What is at hand, as most is that is remembered, needs no timer.
pub async fn within<T>(
    limit: Duration,
    mut future: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    if let Poll::Ready(value) = poll!(future.as_mut()) {
        return Some(value);
    }
    tokio::time::timeout(limit, future).await.ok()
}

/// The error of a question that the database has left without an answer for too long.
pub fn late() -> Error {
    Error::new(
        Code::ServiceUnavailable,
        "The database took too long to answer. Try again.",
    )
}

/// What a browser says of the page that has caused the request.
pub fn site(headers: &HeaderMap) -> Site {
    let said = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    Site {
        origin: said("origin"),
        fetch_site: said("sec-fetch-site"),
    }
}

/// Somebody at the other end, with what it shows to say who it is: kept, so that it can be asked again.
pub struct Visitor {
    /// What is known of the request.
    pub info: Arc<RequestInfo>,
    authorization: Option<Secret>,
    /// The cookies of a browser, and the page from which it shows them.
    cookies: Option<(Secret, Site)>,
}

impl Visitor {
    /// Whoever sent these headers, but for cookies.
    pub fn new(headers: &HeaderMap, info: Arc<RequestInfo>) -> Self {
        Visitor {
            info,
            authorization: authorization(headers).map(|text| Secret::new(text.to_owned())),
            cookies: None,
        }
    }

    /// Whoever sent these headers, by a cookie if by nothing else.
    pub fn with_cookies(headers: &HeaderMap, info: Arc<RequestInfo>) -> Self {
        let mut visitor = Visitor::new(headers, info);
        if visitor.authorization.is_none() {
            let sent = headers.get_all(header::COOKIE).iter();
            let texts: Vec<&str> = sent.filter_map(|value| value.to_str().ok()).collect();
            let all = texts.join("; ");
            if !all.is_empty() && all.len() <= cookie::MAX_HEADER {
                visitor.cookies = Some((Secret::new(all), site(headers)));
            }
        }
        visitor
    }

    /// Takes another credential, as it would stand in an `Authorization` header.
    pub fn show(&mut self, authorization: String) {
        self.authorization = Some(Secret::new(authorization));
    }

    /// Finds out who it is, now. A refused credential counts against its address.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `SERVICE_UNAVAILABLE`, or `RATE_LIMITED` for too many refused ones; `FORBIDDEN` for the cookie of a session
    /// that is shown from a page of another origin.
    pub async fn identify(&self, server: &Server) -> Result<Ctx> {
        let app = &server.app;
        let found = match self.credential(&app.policy.public_url) {
            Ok(credential) => {
                let asking = app.authenticate(credential, &self.info);
                // A database that neither answers nor breaks the connection must not hold callers for ever.
                within(app.api.settings().deadline, pin!(asking))
                    .await
                    .unwrap_or_else(|| Err(late()))
            }
            Err(error) => Err(error),
        };
        match found {
            Ok(actor) => Ok(app.ctx(actor, self.info.clone())),
            Err(error) => Err(counted(server, &self.info, error)),
        }
    }

    /// The same for one request. The cookie of a session that has ended counts for nothing, and is taken away: its browser could not get
    /// rid of it, and nobody could sign in anew.
    ///
    /// # Errors
    /// As [`Visitor::identify`].
    pub async fn identify_once(&self, server: &Server) -> Result<Ctx> {
        let found = self.identify(server).await;
        match (found, &self.cookies) {
            (Err(error), Some(_)) if error.code == Code::Unauthenticated => {
                let app = &server.app;
                if let Some(cookies) = Cookies::of(&app.policy.public_url) {
                    self.info.cookie.put(cookies.take_away());
                }
                Ok(app.ctx(Actor::Anonymous, self.info.clone()))
            }
            (found, _) => found,
        }
    }

    fn credential(&self, public_url: &str) -> Result<Credential> {
        let shown = match (&self.authorization, &self.cookies) {
            (None, Some((text, site))) => {
                let own = Cookies::of(public_url);
                let found = own
                    .as_ref()
                    .and_then(|own| Some((own, own.find(text.expose())?)));
                let Some((own, secret)) = found else {
                    return Ok(Credential::None);
                };
                own.believe(site)?;
                return Ok(Credential::Session(secret));
            }
            (shown, _) => shown.as_ref().map(Secret::expose),
        };
        Credential::from_header(shown)
    }
}

/// Somebody who has shown who it is. Whoever has not counts against its address.
///
/// # Errors
/// `UNAUTHENTICATED`, or `RATE_LIMITED` for too many.
pub fn known(server: &Server, ctx: Ctx) -> Result<Ctx> {
    match ctx.holder() {
        Ok(_) => Ok(ctx),
        Err(error) => Err(counted(server, &ctx.request, error)),
    }
}

/// Counts a refusal against the address it comes from.
pub fn counted(server: &Server, info: &RequestInfo, error: Error) -> Error {
    if error.code != Code::Unauthenticated {
        return error;
    }
    match server.app.api.count_refused(info.ip) {
        Ok(()) => error,
        Err(limited) => limited,
    }
}

/// The user behind a context, as logs name it.
pub fn actor_id(ctx: &Ctx) -> Option<Id> {
    match &ctx.actor {
        Actor::Holder(holder) | Actor::Enrolling(holder) => {
            Some(Id::new(Kind::User, holder.user_id))
        }
        Actor::Anonymous | Actor::Keystead => None,
    }
}
