//! Signing in with a passkey alone.

use super::begin::{begin, cookies};
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::factors::ops as factors;
use crate::sessions::model::{Method, PasskeySignIn, SignedIn};
use crate::users;
use crate::users::model::User;

const FIELD: &str = "input";

/// Signs in whoever has a passkey that has signed the challenge. It stands for both factors: what its holder has, and what it knows or is.
///
/// # Errors
/// As [`factors::by_passkey`]: one `UNAUTHENTICATED` for all that is not good, also of a user who is disabled or has expired; what
/// [`cookies`] says.
pub async fn sign_in_with_passkey(ctx: &Ctx, wanted: PasskeySignIn) -> Result<SignedIn> {
    let cookies = cookies(ctx, "input.cookie", wanted.cookie)?;

    let shown = factors::by_passkey(ctx, &wanted.passkey, FIELD).await;
    let result = if shown.is_ok() { "right" } else { "wrong" };
    metrics::counter!("keystead_sign_ins_total", "result" => result).increment(1);
    let (id, second) = shown?;

    let mut tx = ctx.db.begin("sign_in_with_passkey").await?;
    let user = users::ops::locked(&mut tx, id).await?;
    let user = authorise(ctx, user)?;
    let mut fresh = begin(ctx, &mut tx, &user, Method::Passkey, second).await?;
    let changes = std::mem::take(&mut fresh.changes);
    audit::record(&fresh.ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(fresh.signed_in(user, cookies))
}

/// The user, if it is there and may sign in at all; that it may not is not told.
fn authorise(ctx: &Ctx, user: Option<User>) -> Result<User> {
    user.filter(|user| user.can_act(ctx.now()))
        .ok_or_else(|| factors::wrong_passkey(FIELD))
}
