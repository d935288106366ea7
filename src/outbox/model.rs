//! Parcels, and what can become of them.

use chrono::TimeDelta;
use diesel::prelude::*;
use uuid::Uuid;

use crate::db::schema::outbox;

/// What kind of parcel it is. Each kind has workers of its own: none waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Somebody who wants a link to sign in by: it is found out who, and a mail written.
    Link,
    /// A mail.
    Mail,
    /// A message to a webhook.
    Webhook,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Lane; 3] = [Lane::Link, Lane::Mail, Lane::Webhook];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Lane::Link => "LINK",
            Lane::Mail => "MAIL",
            Lane::Webhook => "WEBHOOK",
        }
    }

    /// Parcels that one server delivers at once.
    pub fn width(self) -> usize {
        match self {
            Lane::Link | Lane::Mail => 4,
            Lane::Webhook => 16,
        }
    }

    /// Of these at most so many for the same receiver.
    pub fn share(self) -> usize {
        match self {
            Lane::Link | Lane::Mail => self.width(),
            Lane::Webhook => 4,
        }
    }
}

/// A parcel that a worker has claimed.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = outbox)]
pub struct Parcel {
    /// The parcel's id, the same at every attempt.
    pub id: Uuid,
    /// What is to be delivered, sealed; `None` where the id says it.
    pub payload: Option<Vec<u8>>,
    /// To which webhook.
    pub subject: Option<Uuid>,
    /// Which attempt this is, from 1.
    pub attempts: i32,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For the log: no secret, no content.
    pub why: String,
    /// Whether another attempt would fail as well.
    pub for_good: bool,
}

impl Refusal {
    /// Another attempt may succeed.
    pub fn for_now(why: impl Into<String>) -> Self {
        Refusal {
            why: why.into(),
            for_good: false,
        }
    }

    /// No other attempt will succeed.
    pub fn for_good(why: impl Into<String>) -> Self {
        Refusal {
            why: why.into(),
            for_good: true,
        }
    }
}

/// How long is waited after each attempt that failed, in seconds: a day less 17 minutes in all, for eleven attempts.
const PAUSES: [i64; 10] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800];

/// How long is waited after that many attempts; `None`: it is given up.
pub fn pause_after(attempts: i32) -> Option<TimeDelta> {
    let place = usize::try_from(attempts).ok()?.checked_sub(1)?;
    PAUSES
        .get(place)
        .map(|seconds| TimeDelta::seconds(*seconds))
}
