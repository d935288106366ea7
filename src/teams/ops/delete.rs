//! Deleting a team.

use uuid::Uuid;

use super::giving::Measured;
use super::{READ, WRITE, absent, members, path};
use crate::api_keys;
use crate::api_keys::model::KeysOf;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::quoted;
use crate::db::lock::{self, Lock};
use crate::error::{Error, Result};
use crate::permissions::model::Principal;
use crate::permissions::ops::access;
use crate::permissions::ops::along as permissions;
use crate::replicas::model::Tag;
use crate::teams::store::{rows, tree};

/// Deletes a team with its memberships, permissions and keys, each of which leaves its event (see [`Change::along`]). The audit trail
/// stays.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `team.write`, or if a member would gain a right that the actor lacks because the team took it away;
/// `CONFLICT` while there are teams below it; `LIMIT_EXCEEDED` if too many people are touched.
pub async fn delete(ctx: &Ctx, id: Uuid) -> Result<()> {
    access::require_on(ctx, READ, WRITE, &[path(id)], || absent("input.id", id))?;

    let mut tx = ctx.db.begin("delete_team").await?;
    tx.touch([Tag::Team(id)]);
    lock::alone(&mut tx, Lock::TeamTree).await?;
    let team = rows::lock_to_delete(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    if tree::has_children(&mut tx, id).await? {
        return Err(Error::conflict(format!(
            "There are teams below {}. Delete them first, or give them another parent.",
            quoted(&team.slug)
        )));
    }
    let measured = Measured::of_team(ctx, &mut tx, id).await?;
    let gone = Change::deleted("team.delete", team.typed_id(), team.snapshot());
    let principal = Principal::Team(id);
    let changes = [
        members::along(&mut tx, principal).await?,
        permissions::along(&mut tx, principal).await?,
        api_keys::ops::along(&mut tx, KeysOf::Team(id)).await?,
        vec![gone],
    ]
    .into_iter()
    .flat_map(|some| Change::along(team.typed_id(), some))
    .collect();
    rows::delete(&mut tx, id).await?;
    measured.compare(ctx, &mut tx, &[]).await?;
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}
