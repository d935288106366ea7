//! Whether somebody who names a login knows its password, however often it is tried.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};

use crate::authn::password::Passwords;
use crate::ctx::{Clock, Ctx};
use crate::db::Db;
use crate::error::{Code, Error, Result};
use crate::secrets::{Digest, Secret};
use crate::sessions::store;
use crate::users;
use crate::users::model::User;

/// Characters of a login at most: an e-mail address is no longer.
pub const MAX_LOGIN: usize = 254;

/// Attempts are forgotten after so long.
const REMEMBERED: TimeDelta = TimeDelta::days(1);
/// Rows that one statement deletes at most.
const PURGED_AT_ONCE: i64 = 1_000;

/// What a login is proved with.
pub struct Proving<'a> {
    /// The database.
    pub db: &'a Db,
    /// The time.
    pub now: DateTime<Utc>,
    /// What passwords are verified by.
    pub passwords: &'a Passwords,
    /// The cost of hashing what is nobody's password.
    pub cost: u32,
    /// From where it is tried.
    pub ip: Option<IpAddr>,
}

impl<'a> Proving<'a> {
    /// In a request.
    pub fn of(ctx: &'a Ctx) -> Proving<'a> {
        Proving {
            db: &ctx.db,
            now: ctx.now(),
            passwords: &ctx.passwords,
            cost: ctx.policy.password_cost,
            ip: ctx.request.ip,
        }
    }

    /// The user who signs in so. Of failures the database keeps count, and each makes the next one wait; a password that was right a moment
    /// ago is not counted, nor hashed.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for an unknown login and for a wrong password, which have the same answer and take the same time; `RATE_LIMITED`
    /// after too many, whether the login is known or not; `SERVICE_UNAVAILABLE`.
    pub async fn user(&self, login: &str, password: &Secret) -> Result<User> {
        let user = users::ops::by_login(self.db, login).await?;
        let known = user
            .as_ref()
            .and_then(|user| Some((user.id, user.password_hash.clone()?)));
        if let (Some((id, hash)), Some(user)) = (&known, &user)
            && self.passwords.is_proven(*id, hash, password, self.now)
        {
            return Ok(user.clone());
        }
        let keys = keys(login, self.ip);
        let wait = store::attempt(
            &mut *self.db.read("sign_in_attempt").await?,
            &keys,
            self.now,
        )
        .await?;
        if wait > 0 {
            metrics::counter!("keystead_sign_ins_total", "result" => "throttled").increment(1);
            return Err(later(wait));
        }
        let verified = self
            .passwords
            .verify(known, password, self.cost, self.now)
            .await?;
        let result = if verified { "right" } else { "wrong" };
        metrics::counter!("keystead_sign_ins_total", "result" => result).increment(1);
        if !verified {
            return Err(wrong());
        }
        store::succeeded(&mut *self.db.read("sign_in_succeeded").await?, &keys).await?;
        user.ok_or_else(wrong)
    }
}

/// The one answer to all who do not know the password.
pub(super) fn wrong() -> Error {
    Error::new(
        Code::Unauthenticated,
        "There is no user with this name or address and this password.",
    )
}

fn later(seconds: i64) -> Error {
    let mut error = Error::new(
        Code::RateLimited,
        format!(
            "There were too many attempts to sign in that failed. Wait {seconds} s, then try again."
        ),
    );
    error.retry_after = Some(seconds.unsigned_abs());
    error
}

/// The keys under which attempts are counted: of both, of the login, of the address. A login is counted as it is written, but for case,
/// whether there is such a user or not; an IPv6 address by its first 64 bits, which is what one subscriber is given.
fn keys(login: &str, ip: Option<IpAddr>) -> [Digest; 3] {
    let login = login.trim().to_lowercase();
    let address = match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V6(ip)) => {
            let net = u128::from(ip) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(net)).to_string()
        }
        Some(ip) => ip.to_string(),
        None => String::new(),
    };
    [
        format!("both\0{address}\0{login}"),
        format!("login\0{login}"),
        format!("address\0{address}"),
    ]
    .map(|text| Digest::of(text.as_bytes()))
}

/// Forgets attempts that nobody is held against any more; returns how many rows they had.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn forget_attempts(db: &Db, clock: &Clock) -> Result<usize> {
    let mut gone = 0;
    loop {
        let mut conn = db.read("purge_sign_in_attempts").await?;
        let before = clock.now() - REMEMBERED;
        let some = store::forget(&mut conn, before, PURGED_AT_ONCE).await?;
        gone += some;
        if some < PURGED_AT_ONCE as usize {
            return Ok(gone);
        }
    }
}
