//! The type `AccessRequest` and its connection.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, ID, Object, SimpleObject};
use uuid::Uuid;

use crate::access_requests::model::{self, Access, RoleAt};
use crate::access_requests::ops;
use crate::error::{Error, Result};
use crate::graphql::connection::connection;
use crate::graphql::lean::Plain;
use crate::graphql::scalars::Timestamp;
use crate::graphql::{Request, request};
use crate::permissions::graphql::Role;
use crate::permissions::ops::access;
use crate::teams::graphql::{Team, TeamRole};
use crate::users::graphql::User;

/// Where an access request stands.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "model::AccessRequestStatus")]
pub enum AccessRequestStatus {
    /// It waits to be reviewed.
    Pending,
    /// It was given, all or less.
    Approved,
    /// It was not given.
    Denied,
    /// Whoever asked has taken it back.
    Withdrawn,
    /// Nobody has reviewed it in time.
    Expired,
}

/// What somebody asks for.
#[derive(Clone)]
pub struct AccessRequest(pub Arc<model::AccessRequest>);

impl AccessRequest {
    /// The request with that id, if the actor may see it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<Self>> {
        access::authenticated(&request.ctx)?;
        match ops::by_ids(&request.ctx.db, vec![id]).await?.remove(&id) {
            Some(found) if ops::may_read(&request.ctx, &found)? => Ok(Some(Self(found))),
            _ => Ok(None),
        }
    }
}

/// What somebody asks for: roles at paths, or a place in a team.
#[Object]
impl AccessRequest {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// Where it stands.
    async fn status(&self, context: &Context<'_>) -> AccessRequestStatus {
        self.0.status(request(context).ctx.now()).into()
    }

    /// Who asks: shown to whoever sees the request.
    async fn user(&self, context: &Context<'_>) -> Result<User> {
        let found = request(context).loaders.users.load(self.0.user_id).await?;
        found.map(User).ok_or_else(|| {
            Error::conflict("The user who asks was deleted while this request was under way.")
        })
    }

    /// The roles at paths that are asked for; empty where it is a place in a team.
    async fn permissions(&self) -> Result<Vec<AskedRole>> {
        Ok(roles(self.0.asked()?))
    }

    /// The place in a team that is asked for.
    async fn membership(&self) -> Option<Result<AskedMembership>> {
        self.0.asked().map(place).transpose()
    }

    /// Why.
    async fn justification(&self) -> &str {
        &self.0.justification
    }

    /// Until when it is wanted; null: for good.
    async fn until(&self) -> Option<Timestamp> {
        self.0.until.map(Timestamp)
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }

    /// From this moment on nobody can review it.
    async fn expires_at(&self) -> Timestamp {
        Timestamp(self.0.expires_at)
    }

    /// When it was reviewed or withdrawn.
    async fn decided_at(&self) -> Option<Timestamp> {
        self.0.decided_at.map(Timestamp)
    }

    /// Who has reviewed or withdrawn it, if you may see that user.
    async fn decided_by(&self, context: &Context<'_>) -> Option<Result<User>> {
        User::load(request(context), self.0.decided_by?)
            .await
            .transpose()
    }

    /// What the reviewer says of it.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// What was given; null where nothing was.
    async fn granted(&self) -> Option<Result<GrantedAccess>> {
        let granted = |access: Access| GrantedAccess {
            permissions: roles(access.clone()),
            membership: place(access),
            until: self.0.granted_until.map(Timestamp),
        };
        self.0.granted().map(|given| given.map(granted)).transpose()
    }
}

/// All of its fields are left to the resolvers.
impl Plain for AccessRequest {}

connection!("A page of access requests." AccessRequestConnection, "An access request in its list." AccessRequestEdge, "The access request." AccessRequest);

fn roles(access: Access) -> Vec<AskedRole> {
    match access {
        Access::Permissions(roles) => roles.into_iter().map(AskedRole).collect(),
        Access::Membership { .. } => Vec::new(),
    }
}

fn place(access: Access) -> Option<AskedMembership> {
    match access {
        Access::Permissions(_) => None,
        Access::Membership { team, role } => Some(AskedMembership {
            team_id: team,
            role: role.into(),
        }),
    }
}

/// A role at a path that is asked for, or was given.
pub struct AskedRole(RoleAt);

/// A role at a path that is asked for, or was given.
#[Object]
impl AskedRole {
    /// Where.
    async fn path(&self) -> &str {
        self.0.path.as_str()
    }

    /// What it allows; null if the role was deleted.
    async fn role(&self, context: &Context<'_>) -> Option<Result<Role>> {
        Role::load(request(context), self.0.role).await.transpose()
    }

    /// Whether it also applies to everything below the path.
    async fn propagate(&self) -> bool {
        self.0.propagate
    }
}

/// A place in a team that is asked for, or was given.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AskedMembership {
    #[graphql(skip)]
    team_id: Uuid,
    /// As what.
    role: TeamRole,
}

/// A place in a team that is asked for, or was given.
#[ComplexObject]
impl AskedMembership {
    /// The team, if it is there and you may see it.
    async fn team(&self, context: &Context<'_>) -> Option<Result<Team>> {
        Team::seen(request(context), self.team_id).await.transpose()
    }
}

/// What was given to whoever asked.
#[derive(SimpleObject)]
pub struct GrantedAccess {
    /// The roles at paths.
    permissions: Vec<AskedRole>,
    /// The place in a team.
    membership: Option<AskedMembership>,
    /// Until when; null: for good.
    until: Option<Timestamp>,
}
