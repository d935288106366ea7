//! Rows and values of teams and memberships.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::ids::{Id, Kind};
use crate::db::schema::{team_memberships, teams};
use crate::db::statement::Seen;
use crate::permissions::model::TeamRole;
use crate::users::model::UserSight;

/// How many levels the tree of teams may have.
pub const MAX_DEPTH: usize = 16;

/// A team.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = teams, treat_none_as_default_value = false)]
pub struct Team {
    /// The primary key.
    pub id: Uuid,
    /// The name in addresses; unique without regard to case.
    pub slug: String,
    /// The display name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The team above it, whose permissions hold for this team's members too.
    pub parent_id: Option<Uuid>,
    /// A disabled team gives its members nothing.
    pub enabled: bool,
    /// A JSON object for whatever its readers keep there.
    pub metadata: Value,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Team {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::Team, self.id)
    }

    /// What the audit trail keeps of it.
    pub fn snapshot(&self) -> Value {
        json!({
            "slug": self.slug, "name": self.name, "description": self.description,
            "parent": self.parent_id.map(|id| Id::new(Kind::Team, id).to_string()),
            "enabled": self.enabled, "metadata": self.metadata,
        })
    }
}

/// That a user belongs to a team.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = team_memberships, treat_none_as_default_value = false)]
pub struct Membership {
    /// The team.
    pub team_id: Uuid,
    /// The user.
    pub user_id: Uuid,
    /// `ADMIN` or `MEMBER`.
    pub role: String,
    /// When the user joined.
    pub since: DateTime<Utc>,
    /// From this moment on the user does not belong to the team.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Membership {
    /// What the audit trail keeps of it; the event's target is the team.
    pub fn snapshot(&self) -> Value {
        let mut snapshot =
            json!({"user": Id::new(Kind::User, self.user_id).to_string(), "role": self.role});
        if let Some(end) = self.expires_at {
            snapshot["expiresAt"] = json!(end);
        }
        snapshot
    }
}

/// A team among those of a user.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = team_memberships)]
pub struct JoinedTeam {
    /// The team.
    #[diesel(embed)]
    pub team: Team,
    /// When the user joined it.
    pub since: DateTime<Utc>,
}

/// A user that is to belong to a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMember {
    /// The user.
    pub user: Uuid,
    /// What it is to the team.
    pub role: TeamRole,
    /// From which moment on it does not belong to it.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a member is to be from now on.
#[derive(Debug, Clone, Copy)]
pub struct MemberChange {
    /// What it is to the team.
    pub role: TeamRole,
    /// From which moment on it does not belong to the team. Outer `None` keeps; inner `None` clears.
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// Whether the team may be left without an admin who can act.
    pub allow_teams_without_admin: bool,
}

/// A team that a new user is to belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMembership {
    /// The team.
    pub team: Uuid,
    /// What the user is to it.
    pub role: TeamRole,
}

/// A team to be made. Texts are as they were given; `ops::create` checks them.
#[derive(Debug, Clone)]
pub struct NewTeam {
    /// See [`Team::slug`].
    pub slug: String,
    /// See [`Team::name`].
    pub name: String,
    /// See [`Team::description`].
    pub description: Option<String>,
    /// See [`Team::parent_id`].
    pub parent: Option<Uuid>,
    /// See [`Team::metadata`].
    pub metadata: Option<Value>,
    /// Its members; `None`: the actor as its admin.
    pub members: Option<Vec<NewMember>>,
}

/// Changes to a team. Outer `None` keeps; inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct TeamChanges {
    /// See [`Team::slug`].
    pub slug: Option<String>,
    /// See [`Team::name`].
    pub name: Option<String>,
    /// See [`Team::description`].
    pub description: Option<Option<String>>,
    /// See [`Team::parent_id`]; cleared, it lies below no other.
    pub parent: Option<Option<Uuid>>,
    /// See [`Team::enabled`].
    pub enabled: Option<bool>,
    /// See [`Team::metadata`]; clearing leaves an empty object.
    pub metadata: Option<Option<Value>>,
}

/// Which teams a list holds; conditions are joined by AND.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TeamFilter {
    /// Words, each of which must begin a word of the slug or of the name.
    pub search: Option<String>,
    /// Only enabled ones, or only disabled ones.
    pub enabled: Option<bool>,
    /// Only direct children of this team.
    pub parent: Option<Uuid>,
    /// Only those without a parent, or only those with one.
    pub root: Option<bool>,
    /// Only those to which this user belongs directly.
    pub member: Option<Uuid>,
    /// Only those made at or after this moment.
    pub created_from: Option<DateTime<Utc>>,
    /// Only those made before this moment.
    pub created_before: Option<DateTime<Utc>>,
}

/// The order of a list of teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TeamSort {
    /// By the time they were made.
    #[default]
    CreatedAt,
    /// By slug, without regard to case.
    Slug,
}

/// Which members of a team a list holds; conditions are joined by AND.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct MemberFilter {
    /// Words, each of which must begin a word of a name or of the e-mail address.
    pub search: Option<String>,
    /// Only those with this role in the team.
    pub role: Option<TeamRole>,
}

/// The members of a team: which of them, and which the actor may see.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberList {
    /// Which members.
    pub filter: MemberFilter,
    /// Which users the actor may see; `None`: all members of this team.
    pub sight: Option<UserSight>,
}

/// The teams below a team, or those of a user, as far as the actor may see them.
pub type TeamList = Seen;
