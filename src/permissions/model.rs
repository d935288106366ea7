//! The values that the permission check speaks of, and the rows of roles and permissions.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::facts::PermissionFact;
use super::path::Path;
use super::visible::Territory;
use crate::db::ids::{Id, Kind, quoted, with_article};
use crate::db::schema::{permissions, roles};
use crate::db::statement::Seen;
use crate::error::{Error, Result};

/// Who can hold rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Principal {
    /// A person or a service account.
    User(Uuid),
    /// A team; its members hold its rights through it.
    Team(Uuid),
    /// An API key that is restricted to permissions of its own.
    ApiKey(Uuid),
}

impl Principal {
    /// The id, without its kind.
    pub fn id(&self) -> Uuid {
        match self {
            Self::User(id) | Self::Team(id) | Self::ApiKey(id) => *id,
        }
    }

    /// The typed id.
    pub fn typed_id(&self) -> Id {
        match *self {
            Self::User(id) => Id::new(Kind::User, id),
            Self::Team(id) => Id::new(Kind::Team, id),
            Self::ApiKey(id) => Id::new(Kind::ApiKey, id),
        }
    }

    /// Reads the typed id of a user, a team or a key. `field` is the input's path, for the error.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when it is no id, or of something that cannot hold rights.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        let id = Id::parse(field, text)?;
        match id.kind {
            Kind::User => Ok(Self::User(id.uuid)),
            Kind::Team => Ok(Self::Team(id.uuid)),
            Kind::ApiKey => Ok(Self::ApiKey(id.uuid)),
            _ => Err(Error::bad_input(
                field,
                format!(
                    "{} is the id of {}. Give the id of a user, a team or an API key.",
                    quoted(text),
                    with_article(id.kind.noun())
                ),
            )),
        }
    }
}

/// What a user is to the whole instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstanceRole {
    /// Holds everything everywhere, before any walk.
    Admin,
    /// Reads everything: holds the role `AUDITOR` at `/`.
    Auditor,
    /// Reads itself and makes its own keys; everything else by permissions.
    Member,
    /// Reads itself; everything else by permissions.
    Viewer,
}

impl InstanceRole {
    /// The name as it is stored and spoken.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Auditor => "AUDITOR",
            Self::Member => "MEMBER",
            Self::Viewer => "VIEWER",
        }
    }
}

/// What a user is to a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TeamRole {
    /// Changes the team, its members and its keys.
    Admin,
    /// Belongs to the team.
    Member,
}

impl TeamRole {
    /// The name as it is stored and spoken.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Member => "MEMBER",
        }
    }
}

/// A text that is none of the names expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    value: String,
    right: &'static str,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is none of {}", self.value, self.right)
    }
}

impl std::error::Error for UnknownName {}

impl FromStr for InstanceRole {
    type Err = UnknownName;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text {
            "ADMIN" => Ok(Self::Admin),
            "AUDITOR" => Ok(Self::Auditor),
            "MEMBER" => Ok(Self::Member),
            "VIEWER" => Ok(Self::Viewer),
            _ => Err(UnknownName {
                value: text.to_owned(),
                right: "ADMIN, AUDITOR, MEMBER, VIEWER",
            }),
        }
    }
}

impl FromStr for TeamRole {
    type Err = UnknownName;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text {
            "ADMIN" => Ok(Self::Admin),
            "MEMBER" => Ok(Self::Member),
            _ => Err(UnknownName {
                value: text.to_owned(),
                right: "ADMIN, MEMBER",
            }),
        }
    }
}

impl fmt::Display for InstanceRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TeamRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A named set of privileges, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = roles, treat_none_as_default_value = false)]
pub struct Role {
    /// The primary key.
    pub id: Uuid,
    /// The name, unique without regard to case.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Names, and in built-in roles patterns, in the order of [`PrivilegeSet::to_patterns`](super::privilege::PrivilegeSet::to_patterns).
    pub privileges: Vec<String>,
    /// Whether it came with Keystead and never changes.
    pub built_in: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Role {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::Role, self.id)
    }

    /// What the audit trail keeps of it.
    pub fn snapshot(&self) -> Value {
        json!({ "name": self.name, "description": self.description, "privileges": self.privileges })
    }
}

/// A role to be made. Texts are as they were given; `ops::roles` checks them.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// See [`Role::name`].
    pub name: String,
    /// See [`Role::description`].
    pub description: Option<String>,
    /// Names of privileges.
    pub privileges: Vec<String>,
}

/// Changes to a role. Outer `None` keeps; inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct RoleChanges {
    /// See [`Role::name`].
    pub name: Option<String>,
    /// See [`Role::description`].
    pub description: Option<Option<String>>,
    /// Names of privileges: all that it holds afterwards.
    pub privileges: Option<Vec<String>>,
}

/// One permission, as it is stored: the principal holds the role at the path.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = permissions, treat_none_as_default_value = false)]
pub struct Permission {
    /// The primary key.
    pub id: Uuid,
    /// The principal, if it is a user.
    pub user_id: Option<Uuid>,
    /// The principal, if it is a team.
    pub team_id: Option<Uuid>,
    /// The principal, if it is a key.
    pub api_key_id: Option<Uuid>,
    /// Where, in canonical form.
    pub path: String,
    /// What it allows.
    pub role_id: Uuid,
    /// Whether it also applies below the path.
    pub propagate: bool,
    /// From this moment on it never applies.
    pub expires_at: Option<DateTime<Utc>>,
    /// The user who granted it.
    pub created_by: Option<Uuid>,
    /// When it was granted.
    pub created_at: DateTime<Utc>,
}

impl Permission {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::Permission, self.id)
    }

    /// Who holds it.
    ///
    /// # Errors
    /// An internal error for a row without principal, which the table does not take.
    pub fn principal(&self) -> Result<Principal> {
        let user = self.user_id.map(Principal::User);
        user.or(self.team_id.map(Principal::Team))
            .or(self.api_key_id.map(Principal::ApiKey))
            .ok_or_else(|| Error::internal("a permission without principal"))
    }

    /// Whether it comes with a status instead of a row: such ids are computed (version 8), those of rows are version 7.
    pub fn is_derived(&self) -> bool {
        self.id.get_version_num() == 8
    }

    /// A permission that decided, stored or derived, in the form of a row.
    pub fn of_fact(fact: &PermissionFact) -> Self {
        let mut row = Self::of(fact.principal, &fact.path);
        row.id = fact.id;
        row.role_id = fact.role.id;
        row.propagate = fact.propagate;
        row.expires_at = fact.expires_at;
        row.created_by = fact.created_by;
        row.created_at = fact.created_at;
        row
    }

    /// A row for that principal at that path, without anything else.
    pub(super) fn of(principal: Principal, path: &Path) -> Self {
        let (mut user_id, mut team_id, mut api_key_id) = (None, None, None);
        match principal {
            Principal::User(id) => user_id = Some(id),
            Principal::Team(id) => team_id = Some(id),
            Principal::ApiKey(id) => api_key_id = Some(id),
        }
        Self {
            id: Uuid::nil(),
            user_id,
            team_id,
            api_key_id,
            path: path.to_string(),
            role_id: Uuid::nil(),
            propagate: true,
            expires_at: None,
            created_by: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }
}

/// A role wanted at a path: what [`Permission`] has beside principal and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role's name, without regard to case.
    pub role: String,
    /// See [`Permission::propagate`].
    pub propagate: bool,
    /// See [`Permission::expires_at`].
    pub expires_at: Option<DateTime<Utc>>,
}

/// What somebody holds at a path, as the audit trail keeps it.
#[derive(Debug, Clone, Serialize, QueryableByName)]
#[diesel(table_name = permissions)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// The path.
    pub path: String,
    /// The role's name.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub role: String,
    /// Whether it holds below the path too.
    pub propagate: bool,
    /// From this moment on it does not.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Which permissions a list holds; conditions are joined by AND.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PermissionFilter {
    /// Only this principal's own.
    pub principal: Option<Principal>,
    /// Only at this path.
    pub path: Option<Path>,
    /// Only at this path and below it.
    pub path_prefix: Option<Path>,
    /// Only of the role with this id.
    pub role: Option<Uuid>,
    /// Only those that expire before this moment.
    pub expires_before: Option<DateTime<Utc>>,
}

/// Which permissions the actor may see: by the path they are about, or by the path of who holds them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PermissionSight {
    /// By their own path.
    pub paths: Territory,
    /// By `/users/<id>` of the user, or of the key's owner.
    pub users: Seen,
    /// By `/teams/<id>` of the team, or of the team the key was made for.
    pub teams: Seen,
}

impl PermissionSight {
    /// Sees every permission.
    pub fn all() -> Self {
        Self {
            paths: Territory::Everywhere,
            users: Seen::All,
            teams: Seen::All,
        }
    }

    /// Whether it sees none.
    pub fn is_none(&self) -> bool {
        self.paths == Territory::Nowhere && self.users.is_none() && self.teams.is_none()
    }
}

/// What one kind of principal holds, as one reader may see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PermissionList {
    /// Users, teams or keys.
    pub holder: Kind,
    /// What the reader may see of it.
    pub sight: Arc<PermissionSight>,
}

/// Whether what ends at `one` lasts as long as what ends at `other`; `None` never ends.
pub fn lasts_as_long(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> bool {
    one.is_none_or(|one| other.is_some_and(|other| one >= other))
}
