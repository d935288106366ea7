//! New recovery codes.

use serde_json::json;

use super::prove::authorise;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::factors::codes::new_recovery_codes;
use crate::factors::model::Proof;
use crate::factors::store;
use crate::secrets::Secret;
use crate::users;

/// Makes recovery codes in place of those that the caller has: they are answered this once.
///
/// # Errors
/// As for [`enrol_totp`](super::enrol_totp); `CONFLICT` for who has no second factor.
pub async fn regenerate(ctx: &Ctx, proof: Proof) -> Result<Vec<Secret>> {
    let (user, shown) = authorise(ctx, &proof).await?;
    let (codes, digests) = new_recovery_codes(&ctx.random);

    let mut tx = ctx.db.begin("regenerate_recovery_codes").await?;
    users::ops::locked(&mut tx, user.id)
        .await?
        .ok_or_else(|| users::ops::absent("input", user.id))?;
    if store::of_users(&mut tx, &[user.id]).await?.is_empty() {
        return Err(Error::conflict(
            "You have no second factor, and recovery codes are for who has lost one. Set one up by enrolTotp: the codes come with it.",
        ));
    }
    let mut changes = shown.spend(ctx, &mut tx).await?;
    store::put_recovery_codes(&mut tx, user.id, &digests).await?;
    let whose = Id::new(Kind::User, user.id);
    let made = json!({"recoveryCodes": digests.len()});
    changes.push(Change::created("user.regenerateRecoveryCodes", whose, made));
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(codes)
}
