//! Deleting a user.

use uuid::Uuid;

use super::{READ, WRITE, absent, keep_an_admin, path, spare_admins};
use crate::api_keys;
use crate::api_keys::model::KeysOf;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::permissions::model::Principal;
use crate::permissions::ops::access;
use crate::permissions::ops::along as permissions;
use crate::replicas::model::Tag;
use crate::sessions;
use crate::teams;
use crate::users::store;
use crate::webhooks;

/// Deletes a user with its keys, webhooks, memberships and permissions, each of which leaves its event (see [`Change::along`]). The audit trail
/// stays.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `user.write`, or for an administrator unless by one; `CONFLICT` for the last
/// administrator who can act, and for the last such admin of a team unless `allow_teams_without_admin`.
pub async fn delete(ctx: &Ctx, id: Uuid, allow_teams_without_admin: bool) -> Result<()> {
    access::require_on(ctx, READ, WRITE, &[path(id)], || absent("input.id", id))?;

    let mut tx = ctx.db.begin("delete_user").await?;
    tx.touch([Tag::User(id)]);
    let user = store::lock_to_delete(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    spare_admins(ctx, &user)?;
    keep_an_admin(ctx, &mut tx, &user, ctx.now()).await?;
    if !allow_teams_without_admin {
        teams::ops::keep_an_admin(ctx, &mut tx, id, None, ctx.now()).await?;
    }
    let gone = Change::deleted("user.delete", user.typed_id(), user.snapshot());
    let principal = Principal::User(id);
    let changes = [
        teams::ops::members::along(&mut tx, principal).await?,
        permissions::along(&mut tx, principal).await?,
        api_keys::ops::along(&mut tx, KeysOf::Owner(id)).await?,
        sessions::ops::end_all(&mut tx, id, None).await?,
        webhooks::ops::along(&mut tx, id).await?,
        vec![gone],
    ]
    .into_iter()
    .flat_map(|some| Change::along(user.typed_id(), some))
    .collect();
    store::delete(&mut tx, id).await?;
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}
