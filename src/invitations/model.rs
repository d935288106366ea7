//! Rows and values of invitations.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::authn::cookie::Cookies;
use crate::ctx::Actor;
use crate::db::ids::{Id, Kind};
use crate::db::schema::invitations;
use crate::db::statement::Seen;
use crate::error::{Error, Result};
use crate::factors::model::Offered;
use crate::permissions::model::InstanceRole;
use crate::secrets::Secret;
use crate::sessions::model::Session;
use crate::teams::model::NewMembership;
use crate::users::model::User;

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = invitations, treat_none_as_default_value = false)]
pub struct Invitation {
    /// The primary key.
    pub id: Uuid,
    /// The user that it is for, if that exists already.
    pub user_id: Option<Uuid>,
    /// Else the address that it is for.
    pub email: Option<String>,
    /// What a new user will be to the instance.
    pub role: Option<String>,
    /// The teams it is into.
    pub team_ids: Vec<Uuid>,
    /// What the user will be to each of them.
    pub team_roles: Vec<String>,
    /// The user who answers for it.
    pub invited_by: Uuid,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From this moment on it is not good.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// By whom.
    pub accepted_by: Option<Uuid>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Invitation {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::Invitation, self.id)
    }

    /// Where it stands at that moment.
    pub fn status(&self, now: DateTime<Utc>) -> InvitationStatus {
        if self.accepted_at.is_some() {
            InvitationStatus::Accepted
        } else if self.revoked_at.is_some() {
            InvitationStatus::Revoked
        } else if self.expires_at <= now {
            InvitationStatus::Expired
        } else {
            InvitationStatus::Pending
        }
    }

    /// What it gives.
    ///
    /// # Errors
    /// An internal error if a role is none.
    pub fn offer(&self) -> Result<Offer> {
        let wrong = |_| Error::internal("a stored invitation has an unknown role");
        let Some(role) = &self.role else {
            return Ok(Offer::Existing(self.user_id.unwrap_or_default()));
        };
        let teams = self.team_ids.iter().zip(&self.team_roles);
        let memberships = teams.map(|(team, role)| {
            Ok(NewMembership {
                team: *team,
                role: role.parse().map_err(wrong)?,
            })
        });
        Ok(Offer::New {
            email: self.email.clone().unwrap_or_default(),
            role: role.parse().map_err(wrong)?,
            memberships: memberships.collect::<Result<_>>()?,
        })
    }

    /// What the audit trail keeps of it; the token is not in it.
    pub fn snapshot(&self) -> Value {
        let user = |id: Option<Uuid>| id.map(|id| Id::new(Kind::User, id).to_string());
        let teams = self.team_ids.iter().zip(&self.team_roles);
        let team = |(id, role): (&Uuid, &String)| json!({"team": Id::new(Kind::Team, *id).to_string(), "role": role});
        json!({
            "user": user(self.user_id), "email": self.email, "role": self.role, "memberships": teams.map(team).collect::<Vec<_>>(),
            "invitedBy": user(Some(self.invited_by)), "expiresAt": self.expires_at, "acceptedAt": self.accepted_at,
            "acceptedBy": user(self.accepted_by), "revokedAt": self.revoked_at,
        })
    }
}

/// What an invitation gives, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// This user may come in, with names and a password of its choice.
    Existing(Uuid),
    /// A new user, or one that is signed in and joins the teams.
    New {
        /// The address that it is for.
        email: String,
        /// What a new user will be to the instance.
        role: InstanceRole,
        /// The teams it is into.
        memberships: Vec<NewMembership>,
    },
}

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvitationStatus {
    /// It is good.
    Pending,
    /// It was accepted.
    Accepted,
    /// Its time is over.
    Expired,
    /// Somebody has taken it back.
    Revoked,
}

/// An invitation to be made. Texts are as they were given; `ops::create` checks them.
#[derive(Debug, Clone, Default)]
pub struct NewInvitation {
    /// For a user that exists.
    pub user: Option<Uuid>,
    /// For an address.
    pub email: Option<String>,
    /// What a new user will be to the instance; `None`: as the policy says.
    pub role: Option<InstanceRole>,
    /// The teams it is into; `None`: as the policy says.
    pub memberships: Option<Vec<NewMembership>>,
    /// How long it is good; `None`: seven days.
    pub lifetime: Option<TimeDelta>,
}

/// Somebody who accepts an invitation. Texts are as they were given; `ops::accept` checks them.
pub struct Acceptance {
    /// The token of the link.
    pub token: Secret,
    /// Of a new user: the name it signs in with; `None`: its address.
    pub username: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// The password; not of somebody who is signed in.
    pub password: Option<Secret>,
    /// What is offered as a second factor.
    pub offered: Offered,
    /// How a browser is to keep the session, if it is.
    pub cookies: Option<Cookies>,
}

/// What came of accepting.
pub struct Accepted {
    /// Who has accepted.
    pub user: User,
    /// The teams that the user has joined, and did not belong to before.
    pub joined: Vec<Uuid>,
    /// The session that was begun, unless somebody was signed in; and its secret, unless it went into a cookie.
    pub session: Option<(Session, Option<Secret>)>,
    /// Who is calling from now on, unless somebody was signed in.
    pub actor: Option<Actor>,
}

/// Which invitations a list holds; conditions are joined by AND.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvitationFilter {
    /// Only those that stand so at the moment of asking.
    pub status: Option<InvitationStatus>,
    /// Only those into this team.
    pub team: Option<Uuid>,
    /// Only those for this address, without regard to case.
    pub email: Option<String>,
    /// Only those that this user answers for.
    pub invited_by: Option<Uuid>,
}

/// Which invitations the actor may see: by `/invitations`, by the paths of their teams, and always its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationSight {
    /// By their own paths.
    pub invitations: Seen,
    /// By the teams they are into.
    pub teams: Seen,
    /// Those that this user answers for.
    pub own: Option<Uuid>,
}
