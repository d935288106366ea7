//! The types `Webhook` and `WebhookDelivery`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::inputs::WebhookDeliveryStatus;
use crate::audit::graphql::AuditEvent;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::connection::connection;
use crate::graphql::lean::Plain;
use crate::graphql::scalars::Timestamp;
use crate::graphql::{Request, request};
use crate::permissions::ops::access;
use crate::users::graphql::User;
use crate::webhooks::{courier, model, ops};

/// Who wants to be told of events.
#[derive(Clone)]
pub struct Webhook(pub Arc<model::Webhook>);

impl Webhook {
    /// The webhook with that id, if the actor may read it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<Webhook>> {
        access::authenticated(&request.ctx)?;
        let webhook = request.loaders.webhooks.load(id).await?;
        Ok(webhook
            .filter(|webhook| ops::may_read(&request.ctx, webhook))
            .map(Webhook))
    }
}

/// A receiver that is told of events by HTTP, in the form of Standard Webhooks. It gets what its maker may read.
#[Object]
impl Webhook {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// Its maker: it gets the events that this user may read. Null if that is none that you may see.
    async fn owner(&self, context: &Context<'_>) -> Option<Result<User>> {
        User::load(request(context), self.0.owner_id)
            .await
            .transpose()
    }

    /// Where events are sent.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// Which events: actions, or with a dot at the end all actions on a noun; empty: all that its maker may read.
    async fn events(&self) -> &[String] {
        &self.0.events
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Whether it gets anything.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// Why it was disabled, where Keystead has done it.
    async fn disabled_reason(&self) -> Option<&str> {
        self.0.disabled_reason.as_deref()
    }

    /// Until when messages are signed with the secret before the last rotation too; null: they are not.
    async fn previous_secret_until(&self, context: &Context<'_>) -> Option<Timestamp> {
        let now = request(context).ctx.now();
        self.0
            .previous_until
            .filter(|until| *until > now)
            .map(Timestamp)
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> Timestamp {
        Timestamp(self.0.updated_at)
    }
}

impl Plain for Webhook {}
impl Plain for WebhookDelivery {}

connection!("A page of webhooks." WebhookConnection, "A webhook in its list." WebhookEdge, "The webhook." Webhook);

/// What was to be delivered.
#[derive(Clone)]
pub struct WebhookDelivery(pub Arc<model::Delivery>);

/// One event for one webhook, and what came of it. Kept for 30 days.
#[Object]
impl WebhookDelivery {
    /// The id, for `redeliver`.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// To whom; null if the webhook is gone.
    async fn webhook(&self, context: &Context<'_>) -> Option<Result<Webhook>> {
        Webhook::load(request(context), self.0.webhook_id)
            .await
            .transpose()
    }

    /// The event; null if it is none that you may read. `eventId` is known in any case.
    async fn event(&self, context: &Context<'_>) -> Option<Result<AuditEvent>> {
        AuditEvent::load(request(context), self.0.event_id)
            .await
            .transpose()
    }

    /// The id of the event, which receivers get as `webhook-id`.
    async fn event_id(&self) -> ID {
        Id::new(Kind::AuditEvent, self.0.event_id)
            .to_string()
            .into()
    }

    /// The event's action, which receivers get as `type`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// What became of it.
    async fn status(&self) -> WebhookDeliveryStatus {
        courier::status(&self.0).into()
    }

    /// How often it was tried, since it was last asked for.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// The HTTP status of the last answer; null if there was none.
    async fn response_status(&self) -> Option<i32> {
        self.0.response_status
    }

    /// Why the last attempt failed.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// Since when it is to be delivered.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }

    /// When it was last tried.
    async fn attempted_at(&self) -> Option<Timestamp> {
        self.0.attempted_at.map(Timestamp)
    }

    /// When it is tried next; null where it is not.
    async fn next_attempt_at(&self) -> Option<Timestamp> {
        self.0.next_attempt_at.map(Timestamp)
    }
}

connection!("A page of deliveries." WebhookDeliveryConnection, "A delivery in its list." WebhookDeliveryEdge,
    "The delivery." WebhookDelivery);
