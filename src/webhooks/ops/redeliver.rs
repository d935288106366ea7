//! Delivering once more.

use serde_json::json;
use uuid::Uuid;

use super::{READ, WRITE, path};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::outbox::ops as outbox;
use crate::permissions::ops::access;
use crate::webhooks::model::{Delivery, Status};
use crate::webhooks::store;

/// Has an event delivered once more, whatever came of it before, from its first attempt on. The message is the same: `webhook-id` tells a
/// receiver that it is.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `webhook.write` at the maker's path; `CONFLICT` while the webhook is disabled, and while it is being
/// tried.
pub async fn redeliver(ctx: &Ctx, id: Uuid) -> Result<Delivery> {
    access::authenticated(ctx)?;

    let absent = || {
        let id = Id::new(Kind::WebhookDelivery, id).to_string();
        let message = format!("There is no delivery {}.", quoted(&id));
        Error::not_found("input.id", message)
    };
    let mut tx = ctx.db.begin("redeliver_webhook").await?;
    let (delivery, webhook) = store::delivery(&mut tx, id).await?.ok_or_else(absent)?;
    access::require_on(ctx, READ, WRITE, &[path(webhook.owner_id)], absent)?;
    if !webhook.enabled {
        let message = "The webhook is disabled. Enable it first, with updateWebhook.";
        return Err(Error::conflict(message).at("input.id"));
    }
    let now = ctx.now();
    if !outbox::restart_delivery(&mut tx, (id, webhook.id), now).await? {
        let message =
            "It is being delivered already; what comes of it will be seen in webhookDeliveries.";
        return Err(Error::conflict(message).at("input.id"));
    }
    store::restart(&mut tx, id, now).await?;
    let event = Id::new(Kind::AuditEvent, delivery.event_id).to_string();
    let told = json!({"delivery": delivery.typed_id().to_string(), "event": event});
    let change = Change::created("webhook.redeliver", webhook.typed_id(), told);
    audit::record(ctx, &mut tx, vec![change.at([path(webhook.owner_id)])]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(Delivery {
        status: Status::Pending.as_str().to_owned(),
        attempts: 0,
        next_attempt_at: Some(now),
        ..delivery
    })
}
