//! Deleting a user.

use uuid::Uuid;

use super::{READ, WRITE, absent, keep_an_admin, path, spare_admins};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::permissions::ops::access;
use crate::teams;
use crate::users::store;

/// Deletes a user with its keys, memberships and permissions. The audit trail stays.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `user.write`, or for an administrator unless by one; `CONFLICT` for the last
/// administrator who can act, and for the last such admin of a team unless `allow_teams_without_admin`.
pub async fn delete(ctx: &Ctx, id: Uuid, allow_teams_without_admin: bool) -> Result<()> {
    access::require_on(ctx, READ, WRITE, &[path(id)], || absent("input.id", id))?;

    let mut tx = ctx.db.begin("delete_user").await?;
    let user = store::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    spare_admins(ctx, &user)?;
    keep_an_admin(ctx, &mut tx, &user, ctx.now()).await?;
    if !allow_teams_without_admin {
        teams::ops::keep_an_admin(ctx, &mut tx, id, None, ctx.now()).await?;
    }
    store::delete(&mut tx, id).await?;
    audit::record(
        ctx,
        &mut tx,
        vec![Change::deleted(
            "user.delete",
            user.typed_id(),
            user.snapshot(),
        )],
    )
    .await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}
