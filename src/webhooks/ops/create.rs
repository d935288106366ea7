//! Making a webhook.

use super::{MAX_WEBHOOKS, WRITE, description, events, may_direct, path, purpose};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::lock::{self, Lock};
use crate::error::{Code, Error, Result};
use crate::permissions::ops::access;
use crate::secrets::Secret;
use crate::webhooks::model::{NewWebhook, Webhook};
use crate::webhooks::{request, signature, store};

/// Makes a webhook of the actor's, which is told what the actor may read. Its secret is in the answer and nowhere else.
///
/// # Errors
/// `UNAUTHENTICATED`; `BAD_USER_INPUT`; `FORBIDDEN` without `webhook.write` at the actor's own path, or with a key that holds less than its
/// owner; `LIMIT_EXCEEDED` where there are [`MAX_WEBHOOKS`].
pub async fn create(ctx: &Ctx, new: NewWebhook) -> Result<(Webhook, Secret)> {
    let owner = ctx.holder()?.user_id;
    request::check("input.url", &new.url, &ctx.policy.webhooks.networks)?;
    let events = events(&new.events)?;
    let description = new.description.as_deref().map(description).transpose()?;

    access::require(ctx, WRITE, &path(owner))?;

    let (id, now) = (ctx.new_id(), ctx.now());
    let (key, shown) = signature::generate(&ctx.random);
    let webhook = Webhook {
        id,
        owner_id: owner,
        url: new.url,
        events,
        description,
        enabled: true,
        disabled_reason: None,
        secret: ctx.sealer.seal(&purpose(id), &ctx.random, &key)?,
        previous_secret: None,
        previous_until: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = ctx.db.begin("create_webhook").await?;
    may_direct(ctx, &mut tx, owner).await?;
    lock::alone(&mut tx, Lock::Webhooks).await?;
    if store::count(&mut tx).await? >= MAX_WEBHOOKS {
        return Err(Error::new(
            Code::LimitExceeded,
            format!(
                "There are {MAX_WEBHOOKS} webhooks, which is as many as there may be. Delete one first."
            ),
        ));
    }
    store::insert(&mut tx, &webhook).await?;
    let change = Change::created("webhook.create", webhook.typed_id(), webhook.snapshot());
    audit::record(ctx, &mut tx, vec![change.at([path(owner)])]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok((webhook, shown))
}
