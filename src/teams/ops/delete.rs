//! Deleting a team.

use uuid::Uuid;

use super::giving::Measured;
use super::{READ, WRITE, absent, path};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::quoted;
use crate::db::lock::{self, Lock};
use crate::error::{Error, Result};
use crate::permissions::ops::access;
use crate::teams::store::{rows, tree};

/// Deletes a team with its memberships, permissions and keys. The audit trail stays.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `team.write`, or if a member would gain a right that the actor lacks because the team took it away;
/// `CONFLICT` while there are teams below it; `LIMIT_EXCEEDED` if too many people are touched.
pub async fn delete(ctx: &Ctx, id: Uuid) -> Result<()> {
    access::require_on(ctx, READ, WRITE, &[path(id)], || absent("input.id", id))?;

    let mut tx = ctx.db.begin("delete_team").await?;
    lock::alone(&mut tx, Lock::TeamTree).await?;
    let team = rows::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    if tree::has_children(&mut tx, id).await? {
        return Err(Error::conflict(format!(
            "There are teams below {}. Delete them first, or give them another parent.",
            quoted(&team.slug)
        )));
    }
    let measured = Measured::of_team(ctx, &mut tx, id).await?;
    rows::delete(&mut tx, id).await?;
    measured.compare(ctx, &mut tx, &[]).await?;
    audit::record(
        ctx,
        &mut tx,
        vec![Change::deleted(
            "team.delete",
            team.typed_id(),
            team.snapshot(),
        )],
    )
    .await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}
