//! What the policy says.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::db::ids::{Id, Kind};
use crate::permissions::model::{InstanceRole, TeamRole};
use crate::teams::model::NewMembership;

/// What holds for new users, for keys and for signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What new users are to the instance where nothing else is said: `MEMBER` or `VIEWER`.
    pub user_role: InstanceRole,
    /// The teams to which new users belong where nothing else is said, in the order of their ids.
    pub teams: Vec<NewMembership>,
    /// The rules for keys.
    pub keys: KeyRules,
    /// Whose instance role demands a second factor of who signs in.
    pub second_factor_roles: Vec<InstanceRole>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            user_role: InstanceRole::Member,
            teams: Vec::new(),
            keys: KeyRules::default(),
            second_factor_roles: Vec::new(),
        }
    }
}

/// What binds keys that others than administrators make or change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRules {
    /// Whose instance role lets it make keys that belong to no team; `None`: whoever holds the privilege.
    pub personal_makers: Option<Vec<InstanceRole>>,
    /// Whose role in the team lets it make the team's keys; `None`: whoever holds the privilege.
    pub team_makers: Option<Vec<TeamRole>>,
    /// What every key must have.
    pub required: Vec<KeyField>,
    /// The longest that a secret may live; `None`: for ever.
    pub max_lifetime: Option<TimeDelta>,
    /// Keys of one owner at most, those for teams among them, whatever their state; `None`: any number.
    pub max_per_user: Option<i64>,
}

/// Something that a key can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyField {
    /// What it is for.
    Description,
    /// An end.
    ExpiresAt,
    /// The addresses that it can be used from.
    AllowedCidrs,
    /// Permissions of its own: it is restricted.
    Permissions,
}

impl KeyField {
    /// All of them, in the order in which they are told.
    pub const ALL: [KeyField; 4] = [
        KeyField::Description,
        KeyField::ExpiresAt,
        KeyField::AllowedCidrs,
        KeyField::Permissions,
    ];

    /// The name as it is stored and spoken.
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyField::Description => "DESCRIPTION",
            KeyField::ExpiresAt => "EXPIRES_AT",
            KeyField::AllowedCidrs => "ALLOWED_CIDRS",
            KeyField::Permissions => "PERMISSIONS",
        }
    }

    /// The name of the input's field.
    pub const fn input(self) -> &'static str {
        match self {
            KeyField::Description => "description",
            KeyField::ExpiresAt => "expiresAt",
            KeyField::AllowedCidrs => "allowedCidrs",
            KeyField::Permissions => "permissions",
        }
    }
}

/// A text that names no field of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField(String);

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = KeyField::ALL.map(KeyField::as_str).join(", ");
        write!(f, "{:?} is none of {names}", self.0)
    }
}

impl std::error::Error for UnknownField {}

impl FromStr for KeyField {
    type Err = UnknownField;

    fn from_str(text: &str) -> Result<Self, UnknownField> {
        let named = |field: &KeyField| field.as_str() == text;
        let found = KeyField::ALL.into_iter().find(named);
        found.ok_or_else(|| UnknownField(text.to_owned()))
    }
}

impl fmt::Display for KeyField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Changes to the policy. Outer `None` keeps; inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct PolicyChanges {
    /// See [`Policy::user_role`]; clearing leaves `MEMBER`.
    pub user_role: Option<Option<InstanceRole>>,
    /// See [`Policy::teams`]: exactly these afterwards.
    pub teams: Option<Vec<NewMembership>>,
    /// See [`KeyRules::personal_makers`].
    pub personal_makers: Option<Option<Vec<InstanceRole>>>,
    /// See [`KeyRules::team_makers`].
    pub team_makers: Option<Option<Vec<TeamRole>>>,
    /// See [`KeyRules::required`]: exactly these afterwards.
    pub required: Option<Vec<KeyField>>,
    /// See [`KeyRules::max_lifetime`].
    pub max_lifetime: Option<Option<TimeDelta>>,
    /// See [`KeyRules::max_per_user`].
    pub max_per_user: Option<Option<i64>>,
    /// See [`Policy::second_factor_roles`]: exactly these afterwards.
    pub second_factor_roles: Option<Vec<InstanceRole>>,
}

impl Policy {
    /// What it is after these changes: lists in their order, each element once.
    pub fn changed(&self, changes: PolicyChanges) -> Policy {
        let before = self.clone();
        let default = Policy::default();
        Policy {
            user_role: changes
                .user_role
                .map_or(before.user_role, |role| role.unwrap_or(default.user_role)),
            teams: changes.teams.map_or(before.teams, |mut teams| {
                teams.sort_by_key(|each| each.team);
                teams
            }),
            keys: KeyRules {
                personal_makers: changes
                    .personal_makers
                    .map_or(before.keys.personal_makers, |roles| roles.map(once)),
                team_makers: changes
                    .team_makers
                    .map_or(before.keys.team_makers, |roles| roles.map(once)),
                required: changes.required.map_or(before.keys.required, once),
                max_lifetime: changes.max_lifetime.unwrap_or(before.keys.max_lifetime),
                max_per_user: changes.max_per_user.unwrap_or(before.keys.max_per_user),
            },
            second_factor_roles: changes
                .second_factor_roles
                .map_or(before.second_factor_roles, once),
        }
    }

    /// What the audit trail keeps of it.
    pub fn snapshot(&self) -> Value {
        let team = |each: &NewMembership| json!({"team": Id::new(Kind::Team, each.team).to_string(), "role": each.role});
        let teams: Vec<Value> = self.teams.iter().map(team).collect();
        let keys = &self.keys;
        json!({
            "userDefaults": {"role": self.user_role, "memberships": teams},
            "apiKeys": {
                "personalKeyMakers": keys.personal_makers, "teamKeyMakers": keys.team_makers, "requiredFields": keys.required,
                "maxLifetimeSeconds": keys.max_lifetime.map(|life| life.num_seconds()), "maxPerUser": keys.max_per_user,
            },
            "signIn": {"secondFactorRoles": self.second_factor_roles},
        })
    }
}

/// The elements in their order, each once.
pub fn once<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list.dedup();
    list
}
