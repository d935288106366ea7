//! The type `Invitation`, its connection, and what an invitation shows to whoever holds it.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, ID, Object, SimpleObject};
use uuid::Uuid;

use crate::error::Result;
use crate::graphql::connection::connection;
use crate::graphql::lean::Plain;
use crate::graphql::scalars::Timestamp;
use crate::graphql::{Request, request};
use crate::invitations::{model, ops};
use crate::permissions::ops::access;
use crate::teams::graphql::{Team, TeamRole};
use crate::teams::model::NewMembership;
use crate::users::graphql::{InstanceRole, User};

/// Where an invitation stands.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "model::InvitationStatus")]
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

/// A link by which somebody comes in.
#[derive(Clone)]
pub struct Invitation(pub Arc<model::Invitation>);

impl Invitation {
    /// The invitation with that id, if the actor may see it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<Self>> {
        access::authenticated(&request.ctx)?;
        let found = ops::by_ids(&request.ctx.db, vec![id]).await?.remove(&id);
        Ok(found
            .filter(|invitation| ops::may_read(&request.ctx, invitation))
            .map(Self))
    }
}

/// A link by which somebody comes in: as a new user, as one that exists already, or into teams. It is good once.
#[Object]
impl Invitation {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// Where it stands.
    async fn status(&self, context: &Context<'_>) -> InvitationStatus {
        self.0.status(request(context).ctx.now()).into()
    }

    /// The user that it is for, if that exists already and you may see it.
    async fn user(&self, context: &Context<'_>) -> Option<Result<User>> {
        User::load(request(context), self.0.user_id?)
            .await
            .transpose()
    }

    /// Else the address that it is for.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// What a new user will be to the instance.
    async fn role(&self) -> Option<Result<InstanceRole>> {
        match self.0.offer() {
            Ok(model::Offer::Existing(_)) => None,
            Ok(model::Offer::New { role, .. }) => Some(Ok(role.into())),
            Err(error) => Some(Err(error)),
        }
    }

    /// The teams it is into.
    async fn memberships(&self) -> Result<Vec<OfferedMembership>> {
        let one = |each: &NewMembership| OfferedMembership {
            team_id: each.team,
            role: each.role.into(),
        };
        Ok(match self.0.offer()? {
            model::Offer::Existing(_) => Vec::new(),
            model::Offer::New { memberships, .. } => memberships.iter().map(one).collect(),
        })
    }

    /// The user who answers for it, if you may see it: whoever has made it, or sent it again.
    async fn invited_by(&self, context: &Context<'_>) -> Option<Result<User>> {
        User::load(request(context), self.0.invited_by)
            .await
            .transpose()
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }

    /// From this moment on it is not good.
    async fn expires_at(&self) -> Timestamp {
        Timestamp(self.0.expires_at)
    }

    /// When it was accepted.
    async fn accepted_at(&self) -> Option<Timestamp> {
        self.0.accepted_at.map(Timestamp)
    }

    /// Who has accepted it, if you may see that user.
    async fn accepted_by(&self, context: &Context<'_>) -> Option<Result<User>> {
        User::load(request(context), self.0.accepted_by?)
            .await
            .transpose()
    }
}

/// All of its fields are left to the resolvers.
impl Plain for Invitation {}

connection!("A page of invitations." InvitationConnection, "An invitation in its list." InvitationEdge, "The invitation." Invitation);

/// A team that an invitation is into.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct OfferedMembership {
    #[graphql(skip)]
    team_id: Uuid,
    /// What the user will be to the team.
    role: TeamRole,
}

/// A team that an invitation is into.
#[ComplexObject]
impl OfferedMembership {
    /// The team, if it is there and you may see it.
    async fn team(&self, context: &Context<'_>) -> Option<Result<Team>> {
        Team::seen(request(context), self.team_id).await.transpose()
    }
}

/// What an invitation shows to whoever holds its token.
#[derive(SimpleObject)]
pub struct InvitationOffer {
    /// The name of whoever answers for it.
    inviter: String,
    /// The address that it is for; null if it is for a user that exists.
    email: Option<String>,
    /// The name that the user signs in with; null if a new one is made.
    username: Option<String>,
    /// What a new user will be to the instance.
    role: Option<InstanceRole>,
    /// The teams it is into.
    teams: Vec<OfferedTeam>,
    /// From this moment on it is not good.
    expires_at: Timestamp,
}

/// A team that an invitation is into, as it is shown to whoever holds the token.
#[derive(SimpleObject)]
pub struct OfferedTeam {
    /// The team's display name.
    name: String,
    /// What the user will be to it.
    role: TeamRole,
}

impl InvitationOffer {
    /// What is shown.
    pub(super) fn of(shown: ops::Shown) -> Self {
        let team = |(name, role): (String, crate::permissions::model::TeamRole)| OfferedTeam {
            name,
            role: role.into(),
        };
        InvitationOffer {
            inviter: shown.inviter,
            email: shown.email,
            username: shown.username,
            role: shown.role.map(Into::into),
            teams: shown.teams.into_iter().map(team).collect(),
            expires_at: Timestamp(shown.expires_at),
        }
    }
}
