//! Taking a request back.

use uuid::Uuid;

use super::{absent, paths, seen};
use crate::access_requests::model::{AccessRequest, AccessRequestStatus, Decision};
use crate::access_requests::store;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};

/// Takes a request of one's own back. Doing it again changes nothing.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` for somebody else's; `CONFLICT` for one that was reviewed.
pub async fn withdraw(ctx: &Ctx, id: Uuid) -> Result<AccessRequest> {
    authorise(ctx, seen(ctx, id).await?.user_id)?;

    let mut tx = ctx.db.begin("withdraw_access_request").await?;
    let before = store::lock(&mut tx, id).await?.ok_or_else(|| absent(id))?;
    match before.status(ctx.now()) {
        AccessRequestStatus::Withdrawn => return Ok(before),
        AccessRequestStatus::Pending | AccessRequestStatus::Expired => {}
        AccessRequestStatus::Approved => {
            return Err(Error::conflict(
                "This request was approved already. What it gave is taken away with deletePermission or removeTeamMember.",
            ));
        }
        AccessRequestStatus::Denied => {
            return Err(Error::conflict("This request was denied already."));
        }
    }
    let after = AccessRequest {
        decision: Some(Decision::Withdrawn.as_str().into()),
        decided_at: Some(ctx.now()),
        decided_by: Some(before.user_id),
        ..before.clone()
    };
    store::decide(&mut tx, &after).await?;
    let change = Change::updated(
        "accessRequest.withdraw",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    audit::record(ctx, &mut tx, vec![change.at(paths(&after)?)]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}

fn authorise(ctx: &Ctx, asks: Uuid) -> Result<()> {
    match ctx.actor.user_itself() == Some(asks) {
        true => Ok(()),
        false => Err(Error::forbidden(
            "Only whoever asks withdraws a request. Deny it with reviewAccessRequest.",
        )),
    }
}
