//! Whether somebody who names a login knows its password, however often it is tried.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use super::attempts::Attempt;
use crate::authn::password::Passwords;
use crate::ctx::Ctx;
use crate::db::Db;
use crate::error::{Code, Error, Result};
use crate::secrets::Secret;
use crate::users;
use crate::users::model::User;

/// Characters of a login at most: an e-mail address is no longer.
pub const MAX_LOGIN: usize = 254;

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
        let attempt = Attempt::password(login, self.ip);
        attempt.begin(self.db, self.now).await?;
        let verified = self
            .passwords
            .verify(known, password, self.cost, self.now)
            .await?;
        let result = if verified { "right" } else { "wrong" };
        metrics::counter!("keystead_sign_ins_total", "result" => result).increment(1);
        if !verified {
            return Err(wrong());
        }
        attempt.succeeded(self.db).await?;
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
