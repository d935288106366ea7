//! Whether the user itself is there, and not somebody at its desk: what changes its factors asks for that.

use std::sync::Arc;

use chrono::TimeDelta;
use uuid::Uuid;

use super::second::{Second, second};
use super::{absent, needed};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::factors::model::{Offered, Proof};
use crate::factors::store;
use crate::permissions::model::Principal;
use crate::sessions::ops as sessions;
use crate::users;
use crate::users::model::User;

/// So long after it was begun a session itself is proof enough.
pub(super) const FRESH: TimeDelta = TimeDelta::minutes(10);

/// The user who is calling, and what it has shown. Unless its session has just been begun, that is something of a factor, if it has one, or
/// else its password.
///
/// # Errors
/// `UNAUTHENTICATED`, also for a wrong password or code; `FORBIDDEN` for a restricted key; `SECOND_FACTOR_REQUIRED` without a code;
/// `BAD_USER_INPUT` without a password; `RATE_LIMITED` after too many; `SERVICE_UNAVAILABLE`.
pub(super) async fn authorise(ctx: &Ctx, proof: &Proof) -> Result<(Arc<User>, Second)> {
    let id = own(ctx)?;
    let found = users::ops::by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let user = found.ok_or_else(|| users::ops::absent("input", id))?;
    if let Some(session) = sessions::own(ctx) {
        let begun = sessions::by_ids(&ctx.db, vec![session]).await?;
        let begun = begun.get(&session).map(|session| session.created_at);
        if begun.is_some_and(|at| ctx.now() < at + FRESH) {
            return Ok((user, second(ctx, id, &Offered::default()).await?));
        }
    }
    let mut conn = ctx.db.read("factors_of_user").await?;
    let has = !store::of_users(&mut conn, &[id]).await?.is_empty();
    drop(conn);
    if has {
        if proof.offered.is_empty() {
            return Err(needed());
        }
        let shown = second(ctx, id, &proof.offered).await?;
        return Ok((user, shown));
    }
    by_password(ctx, &user, proof).await?;
    Ok((user, second(ctx, id, &Offered::default()).await?))
}

async fn by_password(ctx: &Ctx, user: &User, proof: &Proof) -> Result<()> {
    const FIELD: &str = "input.password";
    let Some(password) = proof
        .password
        .as_ref()
        .filter(|_| user.password_hash.is_some())
    else {
        let what = match user.password_hash {
            Some(_) => {
                "Send your password in input.password, or sign in anew and try again within 10 minutes: this changes how you sign in."
            }
            None => "Sign in anew, and try again within 10 minutes: this changes how you sign in.",
        };
        return Err(Error::bad_input(FIELD, what));
    };
    let proving = sessions::Proving::of(ctx);
    let proved = proving.user(&user.username, password).await;
    let own = proved.and_then(|proved| {
        let own = proved.id == user.id;
        own.then_some(()).ok_or_else(|| absent(FIELD, user.id))
    });
    own.map_err(|error| match error.code {
        Code::Unauthenticated | Code::NotFound => Error::new(
            Code::Unauthenticated,
            "input.password is not your password.",
        )
        .at(FIELD),
        _ => error,
    })
}

/// The user who is calling, itself and not by a restricted key.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` for a restricted key.
pub(super) fn own(ctx: &Ctx) -> Result<Uuid> {
    let holder = ctx.somebody()?;
    if holder.principal != Principal::User(holder.user_id) {
        return Err(Error::forbidden(
            "A restricted key does not change how its owner signs in. Sign in, or use a key without restrictions.",
        ));
    }
    Ok(holder.user_id)
}
