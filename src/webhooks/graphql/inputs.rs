//! Inputs of webhooks.

use async_graphql::{Enum, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};

use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::graphql::input::{change, change_required};
use crate::graphql::scalars::Duration;
use crate::webhooks::model::{self, DeliveryFilter, NewWebhook, WebhookChanges};

/// A webhook to make.
#[derive(InputObject)]
pub struct CreateWebhookInput {
    /// Where events are sent: `https://hooks.example.com/keystead`, of 2,048 bytes at most. Addresses that are not public, and `http://`, only
    /// where the operator allows the network.
    url: String,
    /// Which events: actions such as `user.create`, or with a dot at the end all actions on a noun, such as `apiKey.`; at most 50. Not given,
    /// or empty: all that you may read.
    #[graphql(default)]
    events: Vec<String>,
    /// What it is for, of 2,000 characters at most.
    description: Option<String>,
}

impl CreateWebhookInput {
    pub(super) fn read(self) -> NewWebhook {
        NewWebhook {
            url: self.url,
            events: self.events,
            description: self.description,
        }
    }
}

/// Changes of a webhook: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateWebhookInput {
    /// The webhook.
    pub id: ID,
    /// Where events are sent; what waits goes there too.
    url: MaybeUndefined<String>,
    /// Which events; null or empty: all that its maker may read.
    events: MaybeUndefined<Vec<String>>,
    /// What it is for, of 2,000 characters at most.
    description: MaybeUndefined<String>,
    /// Whether it gets anything. What waits while it is disabled is given up, and can be redelivered.
    enabled: MaybeUndefined<bool>,
}

impl UpdateWebhookInput {
    pub(super) fn read(self) -> Result<WebhookChanges> {
        Ok(WebhookChanges {
            url: change_required("input.url", self.url)?,
            events: change(self.events).map(Option::unwrap_or_default),
            description: change(self.description),
            enabled: change_required("input.enabled", self.enabled)?,
        })
    }
}

/// The webhook whose secret is replaced.
#[derive(InputObject)]
pub struct RotateWebhookSecretInput {
    /// The webhook.
    pub id: ID,
    /// How long messages are signed with the old secret too, 30 days at most; not given: no longer.
    overlap: Option<Duration>,
}

impl RotateWebhookSecretInput {
    pub(super) fn read(self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        let until = |overlap: Duration| {
            let message = "input.overlap ends beyond the year 9999.";
            overlap
                .after(now)
                .ok_or_else(|| Error::bad_input("input.overlap", message))
        };
        self.overlap.map(until).transpose()
    }
}

/// The webhook to delete.
#[derive(InputObject)]
pub struct DeleteWebhookInput {
    /// The webhook.
    pub id: ID,
}

/// What to deliver once more.
#[derive(InputObject)]
pub struct RedeliverInput {
    /// The delivery.
    pub id: ID,
}

/// What became of a delivery.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "model::Status")]
pub enum WebhookDeliveryStatus {
    /// It is tried, or will be tried again.
    Pending,
    /// The receiver has it.
    Delivered,
    /// It was given up: a dead letter.
    Dead,
}

/// Which deliveries to list; conditions are joined by AND.
#[derive(InputObject, Default)]
pub struct WebhookDeliveryFilter {
    /// Only to this webhook.
    webhook: Option<ID>,
    /// Only of this event: the id of an audit event.
    event: Option<ID>,
    /// Only what has come to this.
    status: Option<WebhookDeliveryStatus>,
}

impl WebhookDeliveryFilter {
    pub(super) fn read(self) -> Result<DeliveryFilter> {
        let id =
            |kind, field, id: Option<ID>| id.map(|id| Id::parse_as(kind, field, &id)).transpose();
        Ok(DeliveryFilter {
            webhook: id(Kind::Webhook, "filter.webhook", self.webhook)?,
            event: id(Kind::AuditEvent, "filter.event", self.event)?,
            status: self.status.map(Into::into),
        })
    }
}
