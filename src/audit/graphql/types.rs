//! The type `AuditEvent` and its connection.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, ScalarType, Value};
use uuid::Uuid;

use crate::api_keys::graphql::ApiKey;
use crate::audit::{model, ops};
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::connection::connection;
use crate::graphql::lean::{self, Plain};
use crate::graphql::scalars::{Json, Timestamp};
use crate::graphql::{Request, request};
use crate::permissions::graphql::Principal;
use crate::permissions::ops::access;
use crate::users::graphql::User;

/// One event of the trail.
#[derive(Clone)]
pub struct AuditEvent(pub Arc<model::AuditEvent>);

impl AuditEvent {
    /// The event with that id, if the actor may read it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<AuditEvent>> {
        access::authenticated(&request.ctx)?;
        let event = request.loaders.audit_events.load(id).await?;
        Ok(event
            .filter(|event| ops::may_read(&request.ctx, event))
            .map(AuditEvent))
    }
}

/// One change, as it was made: who, what, when, by which request, and what was before and after. Events are never changed
/// or deleted, and outlive what they tell of.
#[Object]
impl AuditEvent {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// When it happened.
    async fn at(&self) -> Timestamp {
        Timestamp(self.0.at)
    }

    /// The user who acted; null if it was Keystead itself, or if the user has been deleted since or is none that you may see.
    /// `actorId` and `actorName` tell these apart.
    async fn actor(&self, context: &Context<'_>) -> Option<Result<Principal>> {
        let user = User::load(request(context), self.0.actor_id?).await;
        user.map(|user| user.map(Principal::User)).transpose()
    }

    /// The id of the user who acted, which may have been deleted since; null: Keystead itself, at the operator's command.
    async fn actor_id(&self) -> Option<ID> {
        self.0
            .actor_id
            .map(|id| Id::new(Kind::User, id).to_string().into())
    }

    /// The user name of who acted, as it was then; null: Keystead itself.
    async fn actor_name(&self) -> Option<&str> {
        self.0.actor_name.as_deref()
    }

    /// The API key that was used; null if none was, or if it has been deleted since or is none that you may see. `apiKeyId` tells
    /// these apart.
    async fn api_key(&self, context: &Context<'_>) -> Option<Result<ApiKey>> {
        ApiKey::load(request(context), self.0.api_key_id?)
            .await
            .transpose()
    }

    /// The id of the API key that was used, which may have been deleted since; null: none was.
    async fn api_key_id(&self) -> Option<ID> {
        self.0
            .api_key_id
            .map(|id| Id::new(Kind::ApiKey, id).to_string().into())
    }

    /// What the caller said in the header `X-Keystead-On-Behalf-Of`: recorded, never trusted.
    async fn on_behalf_of(&self) -> Option<&str> {
        self.0.on_behalf_of.as_deref()
    }

    /// What was done: noun, dot, verb, such as `user.create`, `apiKey.delete`, `permission.update`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// The id of what it was done to, which may have been deleted since.
    async fn target(&self) -> ID {
        self.0.target.clone().into()
    }

    /// Where the target lay: whoever holds `audit.read` at one of these paths, or at `/`, may read this event.
    async fn paths(&self) -> &[String] {
        &self.0.paths
    }

    /// The target before: what was deleted, or what an update changed; null when it was made. Secrets and hashes never
    /// appear.
    async fn before(&self) -> Option<Json> {
        self.0.before.clone().map(Json)
    }

    /// The target after: what was made, or what an update changed; null when it was deleted. Secrets and hashes never
    /// appear.
    async fn after(&self) -> Option<Json> {
        self.0.after.clone().map(Json)
    }

    /// The id of the request: the caller's `X-Request-Id`, or one made by this server.
    async fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// The client's address.
    async fn ip(&self) -> Option<&str> {
        self.0.ip.as_deref()
    }

    /// The client's `User-Agent`.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// The dialect that it came by, such as `wandb`; null: Keystead's own API, or its command line.
    async fn via(&self) -> Option<&str> {
        self.0.via.as_deref()
    }
}

impl Plain for AuditEvent {
    fn plain(&self, field: &str) -> Option<Value> {
        let row = &self.0;
        Some(match field {
            "id" => row.typed_id().to_string().into(),
            "at" => Timestamp(row.at).to_value(),
            "actorName" => lean::text(row.actor_name.as_deref()),
            "action" => row.action.as_str().into(),
            "requestId" => row.request_id.as_str().into(),
            "ip" => lean::text(row.ip.as_deref()),
            "userAgent" => lean::text(row.user_agent.as_deref()),
            _ => return None,
        })
    }
}

connection!("A page of audit events." AuditEventConnection, "An audit event in its list." AuditEventEdge,
    "The audit event." AuditEvent);
