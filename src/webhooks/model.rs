//! Webhooks, deliveries, and how they are made.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use ipnet::IpNet;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit::model::ActionFilter;
use crate::db::ids::{Id, Kind};
use crate::db::schema::{webhook_deliveries, webhooks};

/// How webhooks are delivered.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Networks that are not public and may be delivered to, and by `http://` too.
    pub networks: Vec<IpNet>,
    /// A file with the certificates (PEM) that receivers' are checked against, in place of the system's.
    pub roots: Option<PathBuf>,
}

/// Who wants to be told of events.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = webhooks, treat_none_as_default_value = false)]
pub struct Webhook {
    /// The webhook's id.
    pub id: Uuid,
    /// Its maker.
    pub owner_id: Uuid,
    /// Where events are sent.
    pub url: String,
    /// Which: actions, or with a dot at the end all on a noun; empty: all.
    pub events: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it gets anything.
    pub enabled: bool,
    /// Why not.
    pub disabled_reason: Option<String>,
    /// What signs, sealed.
    pub secret: Vec<u8>,
    /// What signed before the last rotation, sealed.
    pub previous_secret: Option<Vec<u8>>,
    /// Until when that signs too.
    pub previous_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Webhook {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::Webhook, self.id)
    }

    /// What the trail tells of it: no secret.
    pub fn snapshot(&self) -> Value {
        json!({
            "owner": Id::new(Kind::User, self.owner_id).to_string(), "url": self.url, "events": self.events,
            "description": self.description, "enabled": self.enabled, "disabledReason": self.disabled_reason,
        })
    }

    /// Whether it asks for events of that action.
    pub fn wants(&self, action: &str) -> bool {
        self.events.is_empty()
            || self
                .events
                .iter()
                .any(|wanted| ActionFilter::known(wanted).matches(action))
    }
}

/// A webhook to be made.
#[derive(Debug, Clone, Default)]
pub struct NewWebhook {
    /// Where events are sent.
    pub url: String,
    /// Which; empty: all.
    pub events: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
}

/// What is to be changed; `None` keeps.
#[derive(Debug, Clone, Default)]
pub struct WebhookChanges {
    /// Where events are sent.
    pub url: Option<String>,
    /// Which; empty: all.
    pub events: Option<Vec<String>>,
    /// What it is for.
    pub description: Option<Option<String>>,
    /// Whether it gets anything.
    pub enabled: Option<bool>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is tried, or tried again.
    Pending,
    /// The receiver has it.
    Delivered,
    /// It was given up.
    Dead,
}

impl Status {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "PENDING",
            Status::Delivered => "DELIVERED",
            Status::Dead => "DEAD",
        }
    }

    /// As it was stored.
    pub fn known(text: &str) -> Self {
        match text {
            "PENDING" => Status::Pending,
            "DELIVERED" => Status::Delivered,
            _ => Status::Dead,
        }
    }
}

/// One event for one webhook.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = webhook_deliveries)]
pub struct Delivery {
    /// The delivery's id.
    pub id: Uuid,
    /// To whom.
    pub webhook_id: Uuid,
    /// Of what.
    pub event_id: Uuid,
    /// The event's action.
    pub action: String,
    /// What became of it, as it is stored.
    pub status: String,
    /// How often it was tried, since it was last asked for.
    pub attempts: i32,
    /// The status of the last answer.
    pub response_status: Option<i32>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When the event was spread.
    pub created_at: DateTime<Utc>,
    /// When it was last tried.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it is tried next.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

impl Delivery {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::WebhookDelivery, self.id)
    }
}

/// Which deliveries a list holds; conditions are joined by AND.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only to this webhook.
    pub webhook: Option<Uuid>,
    /// Only of this event.
    pub event: Option<Uuid>,
    /// Only what has come to this.
    pub status: Option<Status>,
}
