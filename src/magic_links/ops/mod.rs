//! The operations on magic links.

mod answer;
mod ask;
mod sign_in;

pub use answer::answer;
pub use ask::ask;
pub use sign_in::sign_in;

use chrono::TimeDelta;

use super::model::MagicLink;
use super::store;
use crate::ctx::{Actor, Clock, Ctx};
use crate::db::Db;
use crate::db::purge::in_parts;
use crate::error::{Code, Error, Result};
use crate::users::model::NewUser;
use crate::users::ops::Newcomer;

/// Links and what was asked for are kept for so long after they have ended.
const KEPT: TimeDelta = TimeDelta::days(1);

/// Demands that the operator has switched links on.
fn authorise(ctx: &Ctx) -> Result<()> {
    match ctx.policy.magic_links.enabled {
        true => Ok(()),
        false => Err(Error::new(
            Code::Forbidden,
            "Nobody signs in by links here. The operator can switch them on with the setting magic_links.",
        )),
    }
}

/// The user that a link to that address would make, as the policies say.
async fn newcomer(ctx: &Ctx, email: &str) -> Result<Newcomer> {
    let policy = ctx.policies.present(&ctx.db).await?;
    let defaults = ctx.limit_policies.present(&ctx.db).await?;
    let new = NewUser {
        email: Some(email.to_owned()),
        ..NewUser::named(email.to_owned())
    };
    Newcomer::new(ctx, &policy, &defaults, new)
}

/// The request as one of Keystead itself: the policy gives, and nobody else.
fn own(ctx: &Ctx) -> Ctx {
    Ctx {
        actor: Actor::Keystead,
        ..ctx.clone()
    }
}

/// The link, if it is there and good.
fn good(ctx: &Ctx, found: Option<MagicLink>) -> Result<MagicLink> {
    let now = ctx.now();
    found
        .filter(|link| link.used_at.is_none() && link.expires_at > now)
        .filter(|link| ctx.policy.magic_links.allows(&link.email))
        .ok_or_else(invalid)
}

/// The error of every token that is not good, whatever the reason: who has none is not told what others were.
fn invalid() -> Error {
    Error::not_found(
        "input.token",
        "This link is not good: it is not the whole link, was used, or its quarter of an hour is over. Ask for another one.",
    )
}

/// Forgets links and requests that are over; returns how many.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn purge(db: &Db, clock: &Clock) -> Result<usize> {
    in_parts(|| async {
        let mut conn = db.read("purge_magic_links").await?;
        Ok(store::purge(&mut conn, clock.now() - KEPT).await?)
    })
    .await
}
