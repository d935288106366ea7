//! Disabling a webhook whose receiver is no more.

use uuid::Uuid;

use super::path;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::permissions::ops::access;
use crate::webhooks::model::Webhook;
use crate::webhooks::store;

/// The answer of a receiver that wants nothing more.
pub(in crate::webhooks) const GONE: u16 = 410;

/// Disables a webhook whose receiver has answered 410, as Standard Webhooks has it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub(in crate::webhooks) async fn disable_gone(ctx: &Ctx, id: Uuid) -> Result<()> {
    access::authenticated(ctx)?;

    let mut tx = ctx.db.begin("disable_webhook").await?;
    let Some(before) = store::lock(&mut tx, id).await? else {
        return Ok(());
    };
    let after = Webhook {
        enabled: false,
        disabled_reason: Some("The receiver answered 410 Gone.".into()),
        updated_at: ctx.now(),
        ..before.clone()
    };
    store::update(&mut tx, &after).await?;
    let change = Change::updated(
        "webhook.update",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    audit::record(ctx, &mut tx, vec![change.at([path(after.owner_id)])]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}
