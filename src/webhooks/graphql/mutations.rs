//! Mutations on webhooks.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::inputs::{
    CreateWebhookInput, DeleteWebhookInput, RedeliverInput, RotateWebhookSecretInput,
    UpdateWebhookInput,
};
use super::types::{Webhook, WebhookDelivery};
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::request;
use crate::webhooks::ops;

/// What `createWebhook` answers.
#[derive(SimpleObject)]
pub struct CreateWebhookPayload {
    /// The new webhook.
    webhook: Webhook,
    /// What signs its messages: `whsec_` and base64. It is shown this once and cannot be read again.
    secret: String,
}

/// What `updateWebhook` answers.
#[derive(SimpleObject)]
pub struct UpdateWebhookPayload {
    /// The webhook as it is now.
    webhook: Webhook,
}

/// What `rotateWebhookSecret` answers.
#[derive(SimpleObject)]
pub struct RotateWebhookSecretPayload {
    /// The webhook as it is now.
    webhook: Webhook,
    /// The new secret. It is shown this once and cannot be read again.
    secret: String,
}

/// What `deleteWebhook` answers.
#[derive(SimpleObject)]
pub struct DeleteWebhookPayload {
    /// The id of the webhook that is gone.
    deleted_webhook_id: ID,
}

/// What `redeliver` answers.
#[derive(SimpleObject)]
pub struct RedeliverPayload {
    /// The delivery, which waits for its next attempt.
    delivery: WebhookDelivery,
}

/// Mutations on webhooks.
#[derive(Default)]
pub struct WebhookMutations;

#[Object]
impl WebhookMutations {
    /// Makes a webhook of yours, which gets the events that you may read. Needs `webhook.write` at your own path, and a key that can do all
    /// that you can.
    async fn create_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook.")] input: CreateWebhookInput,
    ) -> Result<CreateWebhookPayload> {
        let (webhook, secret) = ops::create(&request(context).ctx, input.read()).await?;
        Ok(CreateWebhookPayload {
            webhook: Webhook(Arc::new(webhook)),
            secret: secret.expose().to_owned(),
        })
    }

    /// Changes a webhook: what is absent stays, null clears. Needs `webhook.write` at its maker's path; and for anything but disabling and
    /// describing it all that its maker holds, since it is told what its maker may read.
    async fn update_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook and its changes.")] input: UpdateWebhookInput,
    ) -> Result<UpdateWebhookPayload> {
        let id = Id::parse_as(Kind::Webhook, "input.id", &input.id)?;
        let ctx = &request(context).ctx;
        let webhook = ops::update(ctx, id, input.read()?).await?;
        Ok(UpdateWebhookPayload {
            webhook: Webhook(Arc::new(webhook)),
        })
    }

    /// Gives a webhook a new secret; messages are signed with the old one too for as long as `overlap` says. Needs what changing its
    /// address needs.
    async fn rotate_webhook_secret(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook.")] input: RotateWebhookSecretInput,
    ) -> Result<RotateWebhookSecretPayload> {
        let ctx = &request(context).ctx;
        let id = Id::parse_as(Kind::Webhook, "input.id", &input.id)?;
        let (webhook, secret) = ops::rotate(ctx, id, input.read(ctx.now())?).await?;
        Ok(RotateWebhookSecretPayload {
            webhook: Webhook(Arc::new(webhook)),
            secret: secret.expose().to_owned(),
        })
    }

    /// Deletes a webhook with its deliveries, also those that wait. Needs `webhook.write` at its maker's path.
    async fn delete_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook.")] input: DeleteWebhookInput,
    ) -> Result<DeleteWebhookPayload> {
        let id = Id::parse_as(Kind::Webhook, "input.id", &input.id)?;
        ops::delete(&request(context).ctx, id).await?;
        Ok(DeleteWebhookPayload {
            deleted_webhook_id: input.id,
        })
    }

    /// Has an event delivered once more, whatever came of it before: the same message, from its first attempt on. Needs `webhook.write` at
    /// the maker's path of its webhook.
    async fn redeliver(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The delivery.")] input: RedeliverInput,
    ) -> Result<RedeliverPayload> {
        let id = Id::parse_as(Kind::WebhookDelivery, "input.id", &input.id)?;
        let delivery = ops::redeliver(&request(context).ctx, id).await?;
        Ok(RedeliverPayload {
            delivery: WebhookDelivery(Arc::new(delivery)),
        })
    }
}
