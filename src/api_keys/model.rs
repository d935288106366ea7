//! Rows and values of API keys.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use ipnet::IpNet;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::ids::{Id, Kind};
use crate::db::schema::api_keys;
use crate::db::statement::Seen;
use crate::limits::model::LimitsChanges;

/// An API key, without the digests of its secrets: those never leave the store and the sign-on.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub struct ApiKey {
    /// The primary key.
    pub id: Uuid,
    /// The user as whom, or within whose rights, it acts.
    pub owner_id: Uuid,
    /// The team it was made for.
    pub team_id: Option<Uuid>,
    /// Unique among the owner's keys.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// What may be shown of the secret.
    pub prefix: String,
    /// Until when the secret before the last rotation works.
    pub previous_secret_expires_at: Option<DateTime<Utc>>,
    /// A disabled key does not work.
    pub enabled: bool,
    /// Why it is disabled, if somebody has said so; `None` for a key that is not.
    pub disabled_reason: Option<String>,
    /// Whether it has permissions of its own.
    pub restricted: bool,
    /// Ranges of addresses it may be used from, in canonical form; empty: from anywhere.
    pub allowed_cidrs: Vec<String>,
    /// From this moment on it does not work.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used; written in bulk.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The address it was last used from.
    pub last_used_from: Option<String>,
    /// When its secret was last replaced.
    pub rotated_at: Option<DateTime<Utc>>,
    /// A JSON object for whatever its readers keep there.
    pub metadata: Value,
    /// The user who made it; `None`: Keystead itself, or a user who is gone.
    pub created_by: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed by somebody.
    pub updated_at: DateTime<Utc>,
}

impl ApiKey {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::ApiKey, self.id)
    }

    /// When its present secret was made.
    pub fn secret_since(&self) -> DateTime<Utc> {
        self.rotated_at.unwrap_or(self.created_at)
    }

    /// Whether it works at that moment, as far as the key itself goes.
    pub fn status(&self, now: DateTime<Utc>) -> ApiKeyStatus {
        if !self.enabled {
            ApiKeyStatus::Disabled
        } else if self.expires_at.is_some_and(|end| end <= now) {
            ApiKeyStatus::Expired
        } else {
            ApiKeyStatus::Active
        }
    }

    /// What the audit trail keeps of it. Use is not a change, and secrets and digests are not in it.
    pub fn snapshot(&self) -> Value {
        json!({
            "owner": Id::new(Kind::User, self.owner_id).to_string(),
            "team": self.team_id.map(|id| Id::new(Kind::Team, id).to_string()),
            "name": self.name, "description": self.description, "prefix": self.prefix, "enabled": self.enabled,
            "disabledReason": self.disabled_reason,
            "restricted": self.restricted, "allowedCidrs": self.allowed_cidrs, "expiresAt": self.expires_at,
            "previousSecretExpiresAt": self.previous_secret_expires_at, "metadata": self.metadata,
        })
    }
}

/// Whether a key works, as far as the key itself goes: its owner and its team have their own switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiKeyStatus {
    /// It works.
    Active,
    /// It is switched off.
    Disabled,
    /// Its time is over.
    Expired,
}

/// A permission wanted for a key: the role, by name, at the path.
#[derive(Debug, Clone)]
pub struct KeyPermission {
    /// Where.
    pub path: String,
    /// The role's name, without regard to case.
    pub role: String,
    /// Whether it also applies below the path.
    pub propagate: bool,
    /// From this moment on it never applies.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key to be made. Texts are as they were given; `ops::generate` checks them.
#[derive(Debug, Clone, Default)]
pub struct NewApiKey {
    /// Whose key; `None`: the actor's.
    pub owner: Option<Uuid>,
    /// See [`ApiKey::name`]; `None`: made from the prefix.
    pub name: Option<String>,
    /// See [`ApiKey::description`].
    pub description: Option<String>,
    /// See [`ApiKey::expires_at`]; `None`: as late as the policy allows.
    pub expires_at: Option<DateTime<Utc>>,
    /// Permissions of its own: a list, even an empty one, makes the key restricted.
    pub permissions: Option<Vec<KeyPermission>>,
    /// See [`ApiKey::allowed_cidrs`].
    pub allowed_cidrs: Vec<IpNet>,
    /// See [`ApiKey::team_id`].
    pub team: Option<Uuid>,
    /// See [`ApiKey::metadata`].
    pub metadata: Option<Value>,
    /// Its limits: what is not said is as the policy for limits says.
    pub limits: LimitsChanges,
}

/// Changes to a key. Outer `None` keeps; inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyChanges {
    /// See [`ApiKey::name`].
    pub name: Option<String>,
    /// See [`ApiKey::description`].
    pub description: Option<Option<String>>,
    /// See [`ApiKey::enabled`].
    pub enabled: Option<bool>,
    /// See [`ApiKey::disabled_reason`].
    pub disabled_reason: Option<Option<String>>,
    /// See [`ApiKey::expires_at`].
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// All permissions of its own; clearing lifts the restriction.
    pub permissions: Option<Option<Vec<KeyPermission>>>,
    /// See [`ApiKey::allowed_cidrs`].
    pub allowed_cidrs: Option<Vec<IpNet>>,
    /// See [`ApiKey::metadata`]; clearing leaves an empty object.
    pub metadata: Option<Option<Value>>,
}

/// Which keys a list holds; conditions are joined by AND.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ApiKeyFilter {
    /// Only this user's.
    pub owner: Option<Uuid>,
    /// Only this team's.
    pub team: Option<Uuid>,
    /// Only those that stand so at the moment of asking.
    pub status: Option<ApiKeyStatus>,
    /// Only restricted ones, or only unrestricted ones.
    pub restricted: Option<bool>,
    /// Words, each of which must begin a word of the name, the description or the prefix.
    pub search: Option<String>,
    /// Only those that this user made.
    pub created_by: Option<Uuid>,
    /// Only those that expire before this moment.
    pub expires_before: Option<DateTime<Utc>>,
    /// Only those not used since this moment, or never.
    pub unused_since: Option<DateTime<Utc>>,
}

/// The order of a list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ApiKeySort {
    /// By the time they were made.
    #[default]
    CreatedAt,
    /// By name.
    Name,
}

/// Whose keys a nested list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeysOf {
    /// A user's own.
    Owner(Uuid),
    /// Those made for a team.
    Team(Uuid),
}

/// Which keys the actor may see: by the owner's path, by the team's, and always the one it uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeySight {
    /// Keys of these owners, by `/users/<id>`.
    pub users: Seen,
    /// Keys of these teams, by `/teams/<id>`.
    pub teams: Seen,
    /// The key that the actor uses.
    pub own: Option<Uuid>,
}

/// One use of a key, to be stored in bulk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// The client's address, if known.
    pub from: Option<String>,
}
