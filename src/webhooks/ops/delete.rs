//! Deleting webhooks.

use uuid::Uuid;

use super::{lock, path};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::permissions::ops::access;
use crate::webhooks::model::Webhook;
use crate::webhooks::store;

/// Deletes a webhook with its deliveries, also those that wait.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `webhook.write` at the maker's path.
pub async fn delete(ctx: &Ctx, id: Uuid) -> Result<()> {
    access::authenticated(ctx)?;

    let mut tx = ctx.db.begin("delete_webhook").await?;
    let webhook = lock(ctx, &mut tx, id).await?;
    store::delete(&mut tx, id).await?;
    audit::record(ctx, &mut tx, vec![gone(&webhook)]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}

/// The events of the webhooks that go along with the deletion of their maker.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn along(tx: &mut Tx, owner: Uuid) -> Result<Vec<Change>> {
    let webhooks = store::lock_of(tx, owner).await?;
    Ok(webhooks.iter().map(gone).collect())
}

fn gone(webhook: &Webhook) -> Change {
    Change::deleted("webhook.delete", webhook.typed_id(), webhook.snapshot())
        .at([path(webhook.owner_id)])
}
