//! Rows and values of magic links.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::schema::magic_links;
use crate::factors::model::Offered;
use crate::secrets::Secret;

/// How long a link is good.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// Whether people may sign in by links, and who.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether there are any.
    pub enabled: bool,
    /// Only addresses of these domains are sent one, in small letters; empty: any that belongs to a user.
    pub domains: Vec<String>,
    /// Whether an address of these domains that belongs to nobody makes a user with the policy's defaults.
    pub new_users: bool,
}

impl Settings {
    /// Whether links are sent to that address at all.
    pub fn allows(&self, email: &str) -> bool {
        let domain = email.rsplit('@').next().unwrap_or_default().to_lowercase();
        self.domains.is_empty() || self.domains.contains(&domain)
    }
}

/// A link, without the digest of its token.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = magic_links, treat_none_as_default_value = false)]
pub struct MagicLink {
    /// The primary key: that of the parcel that has asked for it.
    pub id: Uuid,
    /// Who is signed in by it; `None`: a user that does not exist yet.
    pub user_id: Option<Uuid>,
    /// The address it was sent to.
    pub email: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From this moment on it is not good.
    pub expires_at: DateTime<Utc>,
    /// When it was used, or another one to the same address.
    pub used_at: Option<DateTime<Utc>>,
}

/// That somebody wants a link, as the outbox carries it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wish {
    /// To this address.
    pub email: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// Somebody who signs in by a link.
pub struct Entry {
    /// The token of the link.
    pub token: Secret,
    /// What is offered as a second factor.
    pub offered: Offered,
    /// Whether a browser is to keep the secret of the session in a cookie.
    pub cookie: bool,
}
