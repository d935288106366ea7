//! Rows and values of users.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::ids::{Id, Kind};
use crate::db::schema::users;
use crate::db::statement::Seen;
use crate::limits::model::LimitsChanges;
use crate::permissions::model::InstanceRole;
use crate::teams::model::NewMembership;

/// A person or a service account.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub struct User {
    /// The primary key.
    pub id: Uuid,
    /// The name it signs in with; unique without regard to case.
    pub username: String,
    /// The e-mail address; unique without regard to case.
    pub email: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// `PERSON` or `SERVICE`.
    pub kind: String,
    /// `ADMIN`, `AUDITOR`, `MEMBER` or `VIEWER`.
    pub role: String,
    /// A disabled user holds nothing and its keys do not work.
    pub enabled: bool,
    /// From this moment on it counts as disabled.
    pub expires_at: Option<DateTime<Utc>>,
    /// For administrators.
    pub comment: Option<String>,
    /// A JSON object for whatever its readers keep there.
    pub metadata: Value,
    /// The password's bcrypt hash.
    pub password_hash: Option<String>,
    /// Whether the password is good for one sign-in, at which another one is chosen.
    pub must_change_password: bool,
    /// When the password was last set or taken away.
    pub password_changed_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When a credential of its was last used.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl User {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::User, self.id)
    }

    /// The display name, or else the user name.
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.username)
    }

    /// Whether it can do anything at that moment: it is enabled and has not expired.
    pub fn can_act(&self, at: DateTime<Utc>) -> bool {
        self.enabled && self.expires_at.is_none_or(|end| end > at)
    }

    /// What the audit trail keeps of it: all but the password's hash.
    pub fn snapshot(&self) -> Value {
        json!({
            "username": self.username, "email": self.email, "name": self.name, "givenName": self.given_name,
            "familyName": self.family_name, "kind": self.kind, "role": self.role, "enabled": self.enabled,
            "expiresAt": self.expires_at, "comment": self.comment, "metadata": self.metadata,
            "hasPassword": self.password_hash.is_some(), "mustChangePassword": self.must_change_password,
            "passwordChangedAt": self.password_changed_at,
        })
    }
}

/// A person or an account for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserKind {
    /// A human being.
    Person,
    /// A program, a CI job, a server.
    Service,
}

impl UserKind {
    /// The name as it is stored and spoken.
    pub fn as_str(self) -> &'static str {
        match self {
            UserKind::Person => "PERSON",
            UserKind::Service => "SERVICE",
        }
    }
}

/// A user to be made. Texts are as they were given; `ops::create` checks them.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// See [`User::username`].
    pub username: String,
    /// See [`User::email`].
    pub email: Option<String>,
    /// See [`User::name`].
    pub name: Option<String>,
    /// See [`User::given_name`].
    pub given_name: Option<String>,
    /// See [`User::family_name`].
    pub family_name: Option<String>,
    /// A person or a service account.
    pub kind: UserKind,
    /// What it is to the instance; `None`: as the policy says.
    pub role: Option<InstanceRole>,
    /// See [`User::enabled`].
    pub enabled: bool,
    /// See [`User::expires_at`].
    pub expires_at: Option<DateTime<Utc>>,
    /// See [`User::comment`].
    pub comment: Option<String>,
    /// See [`User::metadata`].
    pub metadata: Option<Value>,
    /// The password in the clear; at most 72 bytes.
    pub password: Option<String>,
    /// The teams to which it belongs from the beginning; `None`: as the policy says.
    pub memberships: Option<Vec<NewMembership>>,
    /// Its limits: what is not said is as the policy for limits says.
    pub limits: LimitsChanges,
}

impl NewUser {
    /// A person of that name, who may act, with nothing else said: as the policies say.
    pub fn named(username: String) -> Self {
        NewUser {
            username,
            email: None,
            name: None,
            given_name: None,
            family_name: None,
            kind: UserKind::Person,
            role: None,
            enabled: true,
            expires_at: None,
            comment: None,
            metadata: None,
            password: None,
            memberships: None,
            limits: LimitsChanges::default(),
        }
    }
}

/// Changes to a user. Outer `None` keeps; inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct UserChanges {
    /// See [`User::username`].
    pub username: Option<String>,
    /// See [`User::email`].
    pub email: Option<Option<String>>,
    /// See [`User::name`].
    pub name: Option<Option<String>>,
    /// See [`User::given_name`].
    pub given_name: Option<Option<String>>,
    /// See [`User::family_name`].
    pub family_name: Option<Option<String>>,
    /// What it is to the instance.
    pub role: Option<InstanceRole>,
    /// See [`User::enabled`].
    pub enabled: Option<bool>,
    /// See [`User::expires_at`].
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// See [`User::comment`].
    pub comment: Option<Option<String>>,
    /// See [`User::metadata`]; clearing leaves an empty object.
    pub metadata: Option<Option<Value>>,
    /// Go on where a team would be left without an admin who can act.
    pub allow_teams_without_admin: bool,
}

/// Which users a list holds; conditions are joined by AND.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct UserFilter {
    /// Words, each of which must begin a word of a name or of the e-mail address.
    pub search: Option<String>,
    /// Only of this kind.
    pub kind: Option<UserKind>,
    /// Only with this role.
    pub role: Option<InstanceRole>,
    /// Only enabled ones, or only disabled ones.
    pub enabled: Option<bool>,
    /// Only members of this team.
    pub team: Option<Uuid>,
    /// Only those made at or after this moment.
    pub created_from: Option<DateTime<Utc>>,
    /// Only those made before this moment.
    pub created_before: Option<DateTime<Utc>>,
}

/// The order of a list of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UserSort {
    /// By the time they were made.
    #[default]
    CreatedAt,
    /// By user name, without regard to case.
    Username,
}

/// Which users the actor may see: by the user's own path, or through a team that both know.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserSight {
    /// By `/users/<id>`.
    pub users: Seen,
    /// Members of these teams, by `/teams/<id>`.
    pub teams: Seen,
}
