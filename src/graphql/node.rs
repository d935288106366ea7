//! Relay's `Node`: any object by its global id.

use async_graphql::{Context, ID, Interface, Object};
use futures_util::future::join_all;

use super::{Request, request};
use crate::access_requests::graphql::AccessRequest;
use crate::api_keys::graphql::ApiKey;
use crate::audit::graphql::AuditEvent;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::factors::graphql::SecondFactor;
use crate::invitations::graphql::Invitation;
use crate::permissions::graphql::{Permission, Role};
use crate::sessions::graphql::Session;
use crate::teams::graphql::Team;
use crate::users::graphql::User;
use crate::webhooks::graphql::Webhook;

/// An object with a global id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The global id: a typed id such as user_01h455vb4pex5vsknk084sn02q."
))]
pub enum Node {
    /// A person or a service account.
    User(User),
    /// A team.
    Team(Team),
    /// A named set of privileges.
    Role(Role),
    /// One permission: a principal holds a role at a path.
    Permission(Permission),
    /// One change of the audit trail.
    AuditEvent(AuditEvent),
    /// What programs sign on with.
    ApiKey(ApiKey),
    /// A link by which somebody comes in.
    Invitation(Invitation),
    /// What somebody asks for.
    AccessRequest(AccessRequest),
    /// Somebody who is signed in somewhere.
    Session(Session),
    /// What a user shows beside a password.
    SecondFactor(SecondFactor),
    /// Who is told of events.
    Webhook(Webhook),
}

/// Objects by global id.
#[derive(Default)]
pub struct NodeQueries;

/// Ids of one `nodes` request at most.
const MAX_NODES: usize = 100;

#[Object]
impl NodeQueries {
    /// The object with that id; null if there is none or you may not see it.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A typed id, such as user_01h455vb4pex5vsknk084sn02q.")] id: ID,
    ) -> Option<Result<Node>> {
        load(request(context), "id", &id).await.transpose()
    }

    /// The objects with those ids, in their order; null where there is none or you may not see it.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Typed ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Result<Node>>>> {
        if ids.len() > MAX_NODES {
            return Err(Error::bad_input(
                "ids",
                format!(
                    "{} ids are asked for. At most {MAX_NODES} go in one request.",
                    ids.len()
                ),
            ));
        }
        let request = request(context);
        let nodes = ids.iter().enumerate().map(|(n, id)| async move {
            let field = format!("ids.{n}");
            load(request, &field, id).await
        });
        Ok(join_all(nodes)
            .await
            .into_iter()
            .map(Result::transpose)
            .collect())
    }
}

async fn load(request: &Request, field: &str, id: &str) -> Result<Option<Node>> {
    let id = Id::parse(field, id)?;
    match id.kind {
        Kind::User => Ok(User::load(request, id.uuid).await?.map(Node::User)),
        Kind::Role => Ok(Role::load(request, id.uuid).await?.map(Node::Role)),
        Kind::Permission => Ok(Permission::load(request, id.uuid)
            .await?
            .map(Node::Permission)),
        Kind::AuditEvent => Ok(AuditEvent::load(request, id.uuid)
            .await?
            .map(Node::AuditEvent)),
        Kind::Team => Ok(Team::load(request, id.uuid).await?.map(Node::Team)),
        Kind::Invitation => Ok(Invitation::load(request, id.uuid)
            .await?
            .map(Node::Invitation)),
        Kind::AccessRequest => Ok(AccessRequest::load(request, id.uuid)
            .await?
            .map(Node::AccessRequest)),
        Kind::ApiKey => Ok(ApiKey::load(request, id.uuid).await?.map(Node::ApiKey)),
        Kind::Session => Ok(Session::load(request, id.uuid).await?.map(Node::Session)),
        Kind::SecondFactor => Ok(SecondFactor::load(request, id.uuid)
            .await?
            .map(Node::SecondFactor)),
        Kind::Webhook => Ok(Webhook::load(request, id.uuid).await?.map(Node::Webhook)),
        // Reservations are the business of those who made them: they are settled, not read.
        Kind::Reservation
        | Kind::WebhookDelivery
        | Kind::LimitPolicy
        | Kind::Policy
        | Kind::MagicLink => Ok(None),
    }
}
