//! Inputs of mutations on API keys.

use async_graphql::{ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};

use crate::api_keys::model::{ApiKeyChanges, KeyPermission, NewApiKey};
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::graphql::input::{change, change_required};
use crate::graphql::scalars::{Cidr, Duration, Json, Timestamp};
use crate::limits::graphql::NewLimitsInput;

/// A permission of a key itself, within its owner's.
#[derive(InputObject)]
pub struct KeyPermissionInput {
    /// Where: `/`, `/models/gpt-4o` …
    path: String,
    /// What it allows: the name of a role.
    role: String,
    /// Whether it also applies to everything below the path.
    #[graphql(default = true)]
    propagate: bool,
    /// From this moment on it no longer applies.
    expires_at: Option<Timestamp>,
}

impl From<KeyPermissionInput> for KeyPermission {
    fn from(input: KeyPermissionInput) -> Self {
        KeyPermission {
            path: input.path,
            role: input.role,
            propagate: input.propagate,
            expires_at: input.expires_at.map(|at| at.0),
        }
    }
}

/// An API key to be made with its owner.
#[derive(InputObject)]
pub struct NewApiKeyInput {
    /// The name, 1–200 characters, unique among the owner's keys; made from the prefix if not given.
    name: Option<String>,
    /// What it is for, 1–2,000 characters.
    description: Option<String>,
    /// From this moment on it does not work. Neither this nor `expiresIn`: as late as the policy allows.
    expires_at: Option<Timestamp>,
    /// How long it works from now on, in ISO 8601: `P30D`, `PT12H`. Not together with `expiresAt`.
    expires_in: Option<Duration>,
    /// Permissions of its own, within the owner's, at most 100. A list, even an empty one, makes the key restricted.
    permissions: Option<Vec<KeyPermissionInput>>,
    /// Ranges of addresses it may be used from, at most 100; none: from anywhere.
    allowed_cidrs: Option<Vec<Cidr>>,
    /// Makes it a key of this team. The owner must be a member, or a service account.
    team: Option<ID>,
    /// A JSON object of at most 16 kB.
    metadata: Option<Json>,
    /// How much it may use. What is left out is as the policy for limits says, and within its bounds.
    limits: Option<NewLimitsInput>,
}

impl NewApiKeyInput {
    /// The key as operations take it; `field` is the path of this input.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for two ends, an end out of range, or an id that is not a team's.
    pub fn read(self, field: &str, now: DateTime<Utc>) -> Result<NewApiKey> {
        let team = self
            .team
            .map(|id| Id::parse_as(Kind::Team, &format!("{field}.team"), &id))
            .transpose()?;
        Ok(NewApiKey {
            owner: None,
            name: self.name,
            description: self.description,
            expires_at: end(field, now, self.expires_at, self.expires_in)?,
            permissions: self
                .permissions
                .map(|list| list.into_iter().map(Into::into).collect()),
            allowed_cidrs: self
                .allowed_cidrs
                .unwrap_or_default()
                .iter()
                .map(|cidr| cidr.0)
                .collect(),
            team,
            metadata: self.metadata.map(|json| json.0),
            limits: self
                .limits
                .map(|limits| limits.read(&format!("{field}.limits")))
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

/// When a key ends; `None`: not by itself.
type End = Option<DateTime<Utc>>;

/// One end of two ways to say it.
fn end(
    field: &str,
    now: DateTime<Utc>,
    at: Option<Timestamp>,
    within: Option<Duration>,
) -> Result<End> {
    let field = format!("{field}.expiresIn");
    match (at, within) {
        (Some(_), Some(_)) => Err(Error::bad_input(
            field,
            "Give either expiresAt or expiresIn, not both.",
        )),
        (None, Some(length)) => moment(&field, now, length).map(Some),
        (at, None) => Ok(at.map(|at| at.0)),
    }
}

/// The moment that much later, which must be later and within the years that can be stored.
fn moment(field: &str, now: DateTime<Utc>, length: Duration) -> Result<DateTime<Utc>> {
    length.after(now).filter(|end| *end > now).ok_or_else(|| {
        let what = if length.is_zero() {
            "is no time at all"
        } else {
            "ends after the year 9999"
        };
        Error::bad_input(
            field,
            format!("{field} {what}. Give a length of time such as P30D or PT12H."),
        )
    })
}

/// An API key to be made.
#[derive(InputObject)]
pub struct GenerateApiKeyInput {
    /// Whose key; yours if not given.
    owner: Option<ID>,
    /// The name, 1–200 characters, unique among the owner's keys; made from the prefix if not given.
    name: Option<String>,
    /// What it is for, 1–2,000 characters.
    description: Option<String>,
    /// From this moment on it does not work. Neither this nor `expiresIn`: as late as the policy allows.
    expires_at: Option<Timestamp>,
    /// How long it works from now on, in ISO 8601: `P30D`, `PT12H`. Not together with `expiresAt`.
    expires_in: Option<Duration>,
    /// Permissions of its own, within the owner's, at most 100. A list, even an empty one, makes the key restricted.
    permissions: Option<Vec<KeyPermissionInput>>,
    /// Ranges of addresses it may be used from, at most 100; none: from anywhere.
    allowed_cidrs: Option<Vec<Cidr>>,
    /// Makes it a key of this team. The owner must be a member, or a service account.
    team: Option<ID>,
    /// A JSON object of at most 16 kB.
    metadata: Option<Json>,
    /// How much it may use. What is left out is as the policy for limits says, and within its bounds.
    limits: Option<NewLimitsInput>,
}

impl GenerateApiKeyInput {
    /// The key as the operation takes it.
    ///
    /// # Errors
    /// As [`NewApiKeyInput::read`], and for an owner that is not a user's id.
    pub fn read(self, now: DateTime<Utc>) -> Result<NewApiKey> {
        let owner = self
            .owner
            .map(|id| Id::parse_as(Kind::User, "input.owner", &id))
            .transpose()?;
        let key = NewApiKeyInput {
            name: self.name,
            description: self.description,
            expires_at: self.expires_at,
            expires_in: self.expires_in,
            permissions: self.permissions,
            allowed_cidrs: self.allowed_cidrs,
            team: self.team,
            metadata: self.metadata,
            limits: self.limits,
        };
        Ok(NewApiKey {
            owner,
            ..key.read("input", now)?
        })
    }
}

/// Changes to an API key: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateApiKeyInput {
    /// The key's id.
    pub id: ID,
    /// The name, 1–200 characters, unique among the owner's keys.
    name: MaybeUndefined<String>,
    /// What it is for, 1–2,000 characters.
    description: MaybeUndefined<String>,
    /// Whether it is switched on. Who switches a key on must hold what it holds.
    enabled: MaybeUndefined<bool>,
    /// Why it is disabled, 1–500 characters; only for a key that is, or becomes so. Switching a key on clears it.
    disabled_reason: MaybeUndefined<String>,
    /// From this moment on it does not work; null: as late as the policy allows.
    expires_at: MaybeUndefined<Timestamp>,
    /// All permissions of its own, at most 100; null lifts the restriction: the key may then do what its owner may.
    permissions: MaybeUndefined<Vec<KeyPermissionInput>>,
    /// Ranges of addresses it may be used from, at most 100; an empty list or null: from anywhere.
    allowed_cidrs: MaybeUndefined<Vec<Cidr>>,
    /// A JSON object of at most 16 kB; null leaves an empty one.
    metadata: MaybeUndefined<Json>,
}

impl UpdateApiKeyInput {
    /// The changes as the operation takes them.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for null where something must be.
    pub fn read(self) -> Result<ApiKeyChanges> {
        Ok(ApiKeyChanges {
            name: change_required("input.name", self.name)?,
            description: change(self.description),
            enabled: change_required("input.enabled", self.enabled)?,
            disabled_reason: change(self.disabled_reason),
            expires_at: change(self.expires_at).map(|at| at.map(|at| at.0)),
            permissions: change(self.permissions)
                .map(|list| list.map(|list| list.into_iter().map(Into::into).collect())),
            allowed_cidrs: change(self.allowed_cidrs).map(|list| {
                let list = list.unwrap_or_default();
                list.iter().map(|cidr| cidr.0).collect()
            }),
            metadata: change(self.metadata).map(|json| json.map(|json| json.0)),
        })
    }
}

/// Names the API key whose secret is to be replaced.
#[derive(InputObject)]
pub struct RotateApiKeyInput {
    /// The key's id.
    pub id: ID,
    /// How long the present secret still works beside the new one, in ISO 8601: `PT1H`, `P7D`. No time at all if not given.
    #[graphql(default_with = "Duration::ZERO")]
    overlap: Duration,
    /// From this moment on the key does not work; absent keeps its end, null: as late as the policy allows.
    expires_at: MaybeUndefined<Timestamp>,
}

/// When the present secret ends, and the key's new end if it is to have another.
type Ends = (End, Option<End>);

impl RotateApiKeyInput {
    /// The ends as the operation takes them.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an overlap out of range.
    pub fn read(self, now: DateTime<Utc>) -> Result<Ends> {
        let overlap = (!self.overlap.is_zero())
            .then(|| moment("input.overlap", now, self.overlap))
            .transpose()?;
        let end = change(self.expires_at).map(|at| at.map(|at| at.0));
        Ok((overlap, end))
    }
}

/// Names the API key to be deleted.
#[derive(InputObject)]
pub struct DeleteApiKeyInput {
    /// The key's id.
    pub id: ID,
}
