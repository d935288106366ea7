//! Replacing the secret of a webhook.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{lock, may_direct, path, purpose};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::permissions::ops::access;
use crate::secrets::Secret;
use crate::webhooks::model::Webhook;
use crate::webhooks::{signature, store};

/// How long the old secret signs beside the new one, at most.
pub const MAX_OVERLAP: TimeDelta = TimeDelta::days(30);

/// Gives a webhook a new secret, which is in the answer and nowhere else. Until `overlap_until` messages are signed with the old one too.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` as for changing its address; `BAD_USER_INPUT` for an overlap of more than [`MAX_OVERLAP`].
pub async fn rotate(
    ctx: &Ctx,
    id: Uuid,
    overlap_until: Option<DateTime<Utc>>,
) -> Result<(Webhook, Secret)> {
    if overlap_until.is_some_and(|until| until > ctx.now() + MAX_OVERLAP) {
        let days = MAX_OVERLAP.num_days();
        return Err(Error::bad_input(
            "input.overlap",
            format!(
                "input.overlap is too long. The old secret signs for {days} days more at most."
            ),
        ));
    }

    access::authenticated(ctx)?;

    let mut tx = ctx.db.begin("rotate_webhook_secret").await?;
    let before = lock(ctx, &mut tx, id).await?;
    may_direct(ctx, &mut tx, before.owner_id).await?;
    let (key, shown) = signature::generate(&ctx.random);
    let until = overlap_until.filter(|until| *until > ctx.now());
    let after = Webhook {
        secret: ctx.sealer.seal(&purpose(id), &ctx.random, &key)?,
        previous_secret: until.map(|_| before.secret.clone()),
        previous_until: until,
        updated_at: ctx.now(),
        ..before
    };
    store::update(&mut tx, &after).await?;
    let told = json!({"url": after.url, "previousSignsUntil": until});
    let change = Change::created("webhook.rotateSecret", after.typed_id(), told);
    audit::record(ctx, &mut tx, vec![change.at([path(after.owner_id)])]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok((after, shown))
}
