//! Changing a webhook.

use uuid::Uuid;

use super::{description, events, lock, may_direct, path};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::permissions::ops::access;
use crate::text;
use crate::webhooks::model::{Webhook, WebhookChanges};
use crate::webhooks::{request, store};

/// Changes a webhook: what is absent stays. What waits to be delivered goes to the new address.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `webhook.write` at the maker's path, or without all that the maker holds, unless it is only disabled;
/// `BAD_USER_INPUT`.
pub async fn update(ctx: &Ctx, id: Uuid, changes: WebhookChanges) -> Result<Webhook> {
    if let Some(url) = &changes.url {
        request::check("input.url", url, &ctx.policy.webhooks.networks)?;
    }
    let events = changes.events.as_deref().map(events).transpose()?;
    let description = text::change(changes.description, |text| description(&text))?;

    access::authenticated(ctx)?;

    let mut tx = ctx.db.begin("update_webhook").await?;
    let before = lock(ctx, &mut tx, id).await?;
    if changes.url.is_some() || events.is_some() || changes.enabled == Some(true) {
        may_direct(ctx, &mut tx, before.owner_id).await?;
    }
    let enabled = changes.enabled.unwrap_or(before.enabled);
    let mut after = Webhook {
        url: changes.url.unwrap_or_else(|| before.url.clone()),
        events: events.unwrap_or_else(|| before.events.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        enabled,
        disabled_reason: before.disabled_reason.clone().filter(|_| !enabled),
        ..before.clone()
    };
    if before.snapshot() != after.snapshot() {
        after.updated_at = ctx.now();
        store::update(&mut tx, &after).await?;
    }
    let change = Change::updated(
        "webhook.update",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    audit::record(ctx, &mut tx, vec![change.at([path(after.owner_id)])]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}
