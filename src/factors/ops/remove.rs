//! Removing factors: one's own, with proof; and one that another user has lost.

use serde_json::json;
use uuid::Uuid;

use super::prove::authorise;
use super::{absent, by_ids};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::factors::model::{Factor, Proof};
use crate::factors::store;
use crate::mail::model::Template;
use crate::permissions::model::Principal;
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::sessions::ops as sessions;
use crate::users;

const FIELD: &str = "input.id";

/// Removes a factor; with the last one the recovery codes go. One's own needs proof, unless the actor may change
/// its user and has no session; whoever removes another user's ends all its
/// sessions, and the user is told by mail.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `user.write` at the user, for an administrator unless by one, and for a user who holds what the actor
/// lacks; for one's own as [`enrol_totp`](super::enrol_totp).
pub async fn remove(ctx: &Ctx, id: Uuid, proof: Proof) -> Result<Factor> {
    let caller = ctx.somebody()?;
    let found = by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let user = found.ok_or_else(|| absent(FIELD, id))?.user_id;
    if caller.principal == Principal::User(user) && (caller.session_id.is_some() || !may(ctx, user))
    {
        return remove_own(ctx, id, proof).await;
    }
    remove_lost(ctx, id, user).await
}

/// Whether the actor may change that user: one who has lost its factor, and has a key, removes it so.
fn may(ctx: &Ctx, user: Uuid) -> bool {
    access::can(ctx, users::ops::WRITE, &users::ops::path(user))
}

async fn remove_own(ctx: &Ctx, id: Uuid, proof: Proof) -> Result<Factor> {
    let (user, shown) = authorise(ctx, &proof).await?;

    let mut tx = ctx.db.begin("remove_second_factor").await?;
    users::ops::locked(&mut tx, user.id)
        .await?
        .ok_or_else(|| absent(FIELD, id))?;
    let mut changes = shown.spend(ctx, &mut tx).await?;
    let (factor, change) = take(&mut tx, id, user.id).await?;
    changes.push(change);
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(factor)
}

async fn remove_lost(ctx: &Ctx, id: Uuid, user: Uuid) -> Result<Factor> {
    let home = users::ops::path(user);
    let unseen = || absent(FIELD, id);
    access::require_on(ctx, users::ops::READ, users::ops::WRITE, &[home], unseen)?;

    let mut tx = ctx.db.begin("remove_second_factor").await?;
    let user = users::ops::locked(&mut tx, user)
        .await?
        .ok_or_else(|| absent(FIELD, id))?;
    // Who can do this and set a password can sign in as the user.
    users::ops::may_sign_in_as(ctx, &mut tx, &user).await?;
    let (factor, change) = take(&mut tx, id, user.id).await?;
    let mut changes = vec![change];
    let ended = sessions::end_all(&mut tx, user.id, None).await?;
    changes.extend(Change::along(user.typed_id(), ended));
    let by = users::ops::doer(ctx);
    let values = json!({"username": user.username, "factor": factor.shown(), "by": by});
    users::ops::tell(ctx, &mut tx, &user, Template::SecondFactorRemoved, values).await?;
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(factor)
}

/// Takes the factor from its user, whose row is locked.
async fn take(tx: &mut Tx, id: Uuid, user: Uuid) -> Result<(Factor, Change)> {
    tx.touch([Tag::User(user)]);
    let gone = store::delete(tx, id).await?;
    let factor = gone.ok_or_else(|| absent(FIELD, id))?;
    if store::of_users(tx, &[user]).await?.is_empty() {
        store::put_recovery_codes(tx, user, &[]).await?;
    }
    let change = Change::deleted("secondFactor.delete", factor.typed_id(), factor.snapshot());
    Ok((factor, change.at(vec![users::ops::path(user)])))
}
