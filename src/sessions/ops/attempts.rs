//! Counting attempts before they are made, so that any number at once count too; failures make the next one wait.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::ctx::Clock;
use crate::db::Db;
use crate::db::purge::in_parts;
use crate::error::{Error, Result};
use crate::secrets::Digest;
use crate::sessions::store;

/// Attempts are forgotten after so long.
const REMEMBERED: TimeDelta = TimeDelta::days(1);

/// Somebody tries something that can be guessed.
pub struct Attempt {
    /// Under which it is counted: of both, of what is tried, of the address.
    keys: [Digest; 3],
}

impl Attempt {
    /// At a password. The login is counted as it is written, but for case, whether there is such a user or not; an IPv6 address by its first
    /// 64 bits, which is what one subscriber is given.
    pub fn password(login: &str, ip: Option<IpAddr>) -> Attempt {
        let (login, address) = (login.trim().to_lowercase(), network(ip));
        Attempt::at([
            format!("both\0{address}\0{login}"),
            format!("login\0{login}"),
            format!("address\0{address}"),
        ])
    }

    /// At the six digits of a user's app. All addresses are counted as one: who gets so far knows the password, and many addresses with some
    /// guesses each would get through a million codes.
    pub fn digits(user: Uuid, ip: Option<IpAddr>) -> Attempt {
        let all = format!("digits\0{user}");
        Attempt::at([all.clone(), all, format!("address\0{}", network(ip))])
    }

    /// At a user's recovery codes, which nobody guesses. An address that has hardly tried does not wait for others, so that who knows the
    /// password keeps nobody from its own account.
    pub fn recovery(user: Uuid, ip: Option<IpAddr>) -> Attempt {
        Attempt::unguessable("recovery", user, ip)
    }

    /// At a user's passkeys, whose signatures nobody guesses: as at recovery codes.
    pub fn passkey(user: Uuid, ip: Option<IpAddr>) -> Attempt {
        Attempt::unguessable("passkey", user, ip)
    }

    fn unguessable(what: &str, user: Uuid, ip: Option<IpAddr>) -> Attempt {
        let address = network(ip);
        Attempt::at([
            format!("{what}\0{address}\0{user}"),
            format!("{what}\0{user}"),
            format!("address\0{address}"),
        ])
    }

    fn at(keys: [String; 3]) -> Attempt {
        Attempt {
            keys: keys.map(|text| Digest::of(text.as_bytes())),
        }
    }

    /// Counts it.
    ///
    /// # Errors
    /// `RATE_LIMITED` after too many that failed: then it may not be made; `SERVICE_UNAVAILABLE`.
    pub async fn begin(&self, db: &Db, now: DateTime<Utc>) -> Result<()> {
        let mut conn = db.read("sign_in_attempt").await?;
        let wait = store::attempt(&mut conn, &self.keys, now).await?;
        if wait > 0 {
            metrics::counter!("keystead_sign_ins_total", "result" => "throttled").increment(1);
            return Err(later(wait));
        }
        Ok(())
    }

    /// Takes back what was counted: it was right.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn succeeded(&self, db: &Db) -> Result<()> {
        let mut conn = db.read("sign_in_succeeded").await?;
        Ok(store::succeeded(&mut conn, &self.keys).await?)
    }
}

fn network(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V6(ip)) => {
            let net = u128::from(ip) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(net)).to_string()
        }
        Some(ip) => ip.to_string(),
        None => String::new(),
    }
}

fn later(seconds: i64) -> Error {
    Error::rate_limited(
        seconds.unsigned_abs(),
        format!(
            "There were too many attempts to sign in that failed. Wait {seconds} s, then try again."
        ),
    )
}

/// Forgets attempts that nobody is held against any more; returns how many rows they had.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn forget_attempts(db: &Db, clock: &Clock) -> Result<usize> {
    in_parts(|| async {
        let mut conn = db.read("purge_sign_in_attempts").await?;
        Ok(store::forget(&mut conn, clock.now() - REMEMBERED).await?)
    })
    .await
}
