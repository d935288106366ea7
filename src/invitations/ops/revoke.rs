//! Taking an invitation back.

use uuid::Uuid;

use super::{absent, authorise, paths};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::invitations::model::Invitation;
use crate::invitations::store;

/// Takes an invitation back: its link is not good any more. Doing it again changes nothing.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `invitation.write` at one of its paths, for others than its inviter; `CONFLICT` for one that was accepted.
pub async fn revoke(ctx: &Ctx, id: Uuid) -> Result<Invitation> {
    authorise(ctx, id).await?;

    let mut tx = ctx.db.begin("revoke_invitation").await?;
    let before = store::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    if before.accepted_at.is_some() {
        return Err(Error::conflict(
            "This invitation was accepted already. What it gave is taken away from the user.",
        ));
    }
    if before.revoked_at.is_some() {
        return Ok(before);
    }
    let after = Invitation {
        revoked_at: Some(ctx.now()),
        ..before.clone()
    };
    store::update(&mut tx, &after).await?;
    let change = Change::updated(
        "invitation.revoke",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    audit::record(ctx, &mut tx, vec![change.at(paths(&after))]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}
