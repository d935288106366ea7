//! Rows and values of access requests.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::ids::{Id, Kind};
use crate::db::schema::access_requests;
use crate::db::statement::Seen;
use crate::error::{Error, Result};
use crate::permissions::model::TeamRole;
use crate::permissions::path::Path;
use crate::permissions::visible::Territory;

/// An access request.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = access_requests, treat_none_as_default_value = false)]
pub struct AccessRequest {
    /// The primary key.
    pub id: Uuid,
    /// Who asks.
    pub user_id: Uuid,
    /// For what: an [`Access`].
    pub asked: Value,
    /// Where that lies: the paths of the permissions, or the team's.
    pub paths: Vec<String>,
    /// The team, where a place in one is asked for.
    pub team_id: Option<Uuid>,
    /// Why.
    pub justification: String,
    /// Until when it is wanted; `None`: for good.
    pub until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From this moment on nobody can review it.
    pub expires_at: DateTime<Utc>,
    /// The name of a [`Decision`].
    pub decision: Option<String>,
    /// When it was decided, or withdrawn.
    pub decided_at: Option<DateTime<Utc>>,
    /// By whom.
    pub decided_by: Option<Uuid>,
    /// What the reviewer says of it.
    pub reason: Option<String>,
    /// What was given: an [`Access`].
    pub granted: Option<Value>,
    /// Until when; `None`: for good.
    pub granted_until: Option<DateTime<Utc>>,
}

impl AccessRequest {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::AccessRequest, self.id)
    }

    /// Where it stands at that moment.
    pub fn status(&self, now: DateTime<Utc>) -> AccessRequestStatus {
        match self.decision.as_deref() {
            Some("APPROVED") => AccessRequestStatus::Approved,
            Some("DENIED") => AccessRequestStatus::Denied,
            Some(_) => AccessRequestStatus::Withdrawn,
            None if self.expires_at <= now => AccessRequestStatus::Expired,
            None => AccessRequestStatus::Pending,
        }
    }

    /// What is asked for.
    ///
    /// # Errors
    /// An internal error if it cannot be read.
    pub fn asked(&self) -> Result<Access> {
        read(&self.asked)
    }

    /// What was given.
    ///
    /// # Errors
    /// As [`Self::asked`].
    pub fn granted(&self) -> Result<Option<Access>> {
        self.granted.as_ref().map(read).transpose()
    }

    /// What the audit trail keeps of it.
    pub fn snapshot(&self) -> Value {
        let user = |id: Option<Uuid>| id.map(|id| Id::new(Kind::User, id).to_string());
        let told = |access: &Value| read(access).map(|access| access.told()).ok();
        json!({
            "user": user(Some(self.user_id)), "asked": told(&self.asked), "justification": self.justification, "until": self.until,
            "expiresAt": self.expires_at, "decision": self.decision, "decidedBy": user(self.decided_by), "reason": self.reason,
            "granted": self.granted.as_ref().and_then(told), "grantedUntil": self.granted_until,
        })
    }
}

fn read(access: &Value) -> Result<Access> {
    serde_json::from_value(access.clone()).map_err(|error| {
        Error::internal(format!("a stored access request cannot be read: {error}"))
    })
}

/// What is asked for, or given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Roles at paths.
    Permissions(Vec<RoleAt>),
    /// A place in a team.
    Membership {
        /// The team.
        team: Uuid,
        /// What the user is to it.
        role: TeamRole,
    },
}

/// A role at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleAt {
    /// Where.
    pub path: Path,
    /// The role's id.
    pub role: Uuid,
    /// Whether it also applies below the path.
    pub propagate: bool,
}

impl Access {
    /// As JSON, to be stored.
    ///
    /// # Errors
    /// An internal error, which there is no reason for.
    pub fn stored(&self) -> Result<Value> {
        serde_json::to_value(self).map_err(|error| {
            Error::internal(format!("an access request cannot be written: {error}"))
        })
    }

    fn told(&self) -> Value {
        let role = |each: &RoleAt| json!({"path": each.path, "role": Id::new(Kind::Role, each.role).to_string(), "propagate": each.propagate});
        match self {
            Access::Permissions(roles) => {
                json!({ "permissions": roles.iter().map(role).collect::<Vec<_>>() })
            }
            Access::Membership { team, role } => {
                json!({"team": Id::new(Kind::Team, *team).to_string(), "role": role})
            }
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It was given, all or less.
    Approved,
    /// It was not.
    Denied,
    /// Whoever asked does not want it any more.
    Withdrawn,
}

impl Decision {
    /// The name as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Approved => "APPROVED",
            Decision::Denied => "DENIED",
            Decision::Withdrawn => "WITHDRAWN",
        }
    }
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessRequestStatus {
    /// It waits to be reviewed.
    Pending,
    /// It was given, all or less.
    Approved,
    /// It was not.
    Denied,
    /// Whoever asked has taken it back.
    Withdrawn,
    /// Nobody has reviewed it in time.
    Expired,
}

/// A role by its name at a path, as somebody writes it.
#[derive(Debug, Clone)]
pub struct NamedRoleAt {
    /// Where.
    pub path: String,
    /// The role's name.
    pub role: String,
    /// Whether it also applies below the path.
    pub propagate: bool,
}

/// A request to be made. Texts are as they were given; `ops::request` checks them.
#[derive(Debug, Clone)]
pub struct NewAccessRequest {
    /// Roles at paths …
    pub permissions: Option<Vec<NamedRoleAt>>,
    /// … or a place in a team.
    pub membership: Option<(Uuid, TeamRole)>,
    /// Why.
    pub justification: String,
    /// Until when; `None`: for good.
    pub until: Option<DateTime<Utc>>,
}

/// What a reviewer decides. Texts are as they were given; `ops::review` checks them.
#[derive(Debug, Clone)]
pub struct Review {
    /// Whether it is given.
    pub approve: bool,
    /// Only these of the permissions that were asked for, or less at the same paths; `None`: all.
    pub permissions: Option<Vec<NamedRoleAt>>,
    /// Only this place in the team; `None`: the one that was asked for.
    pub team_role: Option<TeamRole>,
    /// Only until then; `None`: as long as was asked for.
    pub until: Option<DateTime<Utc>>,
    /// What is to be said of it.
    pub reason: Option<String>,
}

/// Which requests a list holds; conditions are joined by AND.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessRequestFilter {
    /// Only those that stand so at the moment of asking.
    pub status: Option<AccessRequestStatus>,
    /// Only those of this user.
    pub user: Option<Uuid>,
    /// Only those for a place in this team.
    pub team: Option<Uuid>,
    /// Only those for roles at this path.
    pub path: Option<Path>,
}

/// Which requests the actor may see: those that it may decide on, by what it may write where, and always its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequestSight {
    /// By their own paths.
    pub requests: Seen,
    /// By where permissions are asked for.
    pub paths: Territory,
    /// By the team in which a place is asked for.
    pub teams: Seen,
    /// Those of this user.
    pub own: Option<Uuid>,
}
