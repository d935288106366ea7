//! The cookie of a session: its name, what it says, and from which pages it is believed.
//!
//! With an `https` address it is `__Host-keystead`: `Secure`, `HttpOnly`, `SameSite=Strict`, `Path=/`, no `Domain` (RFC 6265bis). Without TLS
//! Chromium takes that name from this machine, and not every browser does; so with a plain address, which is allowed for this machine only,
//! it is `keystead`, without `Secure`.
//! Whatever comes with the cookie must come from a page of this very address.

use crate::ctx::Site;
use crate::error::{Code, Error, Result};
use crate::secrets::Secret;

/// The longest `Cookie` header that is looked at, in bytes.
pub const MAX_HEADER: usize = 8_192;

/// How browsers keep sessions of a server with that address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookies {
    own: Origin,
}

/// Scheme, host and port (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    fn read(url: &str) -> Option<Origin> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (authority, default),
        };
        if host.is_empty() || host.contains('@') {
            return None;
        }
        Some(Origin {
            scheme,
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    fn is_this_machine(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    }
}

impl Cookies {
    /// For a server whose public address is that; `None` where cookies would travel in the clear between machines.
    pub fn of(public_url: &str) -> Option<Cookies> {
        let own = Origin::read(public_url)?;
        (own.scheme == "https" || own.is_this_machine()).then_some(Cookies { own })
    }

    /// The cookie's name.
    pub fn name(&self) -> &'static str {
        if self.is_secure() {
            "__Host-keystead"
        } else {
            "keystead"
        }
    }

    fn is_secure(&self) -> bool {
        self.own.scheme == "https"
    }

    /// Refuses what a page of another origin has caused. A browser names the origin with everything but a plain GET of a page's own, and
    /// then says that it is one.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn believe(&self, site: &Site) -> Result<()> {
        let own = match (&site.origin, site.fetch_site.as_deref()) {
            (Some(origin), _) => Origin::read(origin).is_some_and(|origin| origin == self.own),
            (None, Some("same-origin")) => true,
            (None, _) => false,
        };
        if own {
            return Ok(());
        }
        let address = format!("{}://{}:{}", self.own.scheme, self.own.host, self.own.port);
        Err(Error::new(
            Code::Forbidden,
            format!(
                "The cookie of a session is for pages of {address} alone, and this request does not come from one (Origin). Programs send the session's secret in the header Authorization; if people use another address, set public_url to it."
            ),
        ))
    }

    /// The session's secret in a `Cookie` header.
    pub fn find(&self, header: &str) -> Option<Secret> {
        let mut pairs = header.split(';').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(name, _)| name.trim() == self.name());
        found.map(|(_, value)| Secret::new(value.trim().to_owned()))
    }

    /// The `Set-Cookie` that gives the secret to the browser, for so many seconds.
    pub fn give(&self, secret: &Secret, seconds: i64) -> String {
        self.set(secret.expose(), seconds.max(0))
    }

    /// The `Set-Cookie` that takes it away.
    pub fn take_away(&self) -> String {
        self.set("", 0)
    }

    fn set(&self, value: &str, seconds: i64) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        format!(
            "{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}",
            self.name()
        )
    }
}
