//! The type `Session` and its connection.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::graphql::connection::connection;
use crate::graphql::lean::Plain;
use crate::graphql::scalars::Timestamp;
use crate::graphql::{Request, request};
use crate::permissions::ops::access;
use crate::sessions::{model, ops};
use crate::users::graphql::User;

/// How a session was begun.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "model::Method")]
pub enum SignInMethod {
    /// With a password.
    Password,
    /// By accepting an invitation.
    Invitation,
    /// By a link that was sent by mail.
    MagicLink,
    /// With a passkey, and nothing else.
    Passkey,
}

/// Somebody who is signed in somewhere.
#[derive(Clone)]
pub struct Session(pub Arc<model::Session>);

impl Session {
    /// The session with that id, if the actor may see it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<Session>> {
        access::authenticated(&request.ctx)?;
        let found = request.loaders.sessions.load(id).await?;
        Ok(found
            .filter(|session| ops::may_read(&request.ctx, session))
            .map(Session))
    }
}

/// Somebody who is signed in somewhere.
#[Object]
impl Session {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// Who is signed in.
    async fn user(&self, context: &Context<'_>) -> Result<User> {
        let user = request(context).loaders.users.load(self.0.user_id).await?;
        user.map(User).ok_or_else(|| {
            // Deleted between two statements, and the session with it.
            Error::conflict("This session and its user have just been deleted.")
        })
    }

    /// Whether this is the session that is calling.
    async fn current(&self, context: &Context<'_>) -> bool {
        ops::own(&request(context).ctx) == Some(self.0.id)
    }

    /// How it was begun.
    async fn method(&self) -> Result<SignInMethod> {
        let known = [
            SignInMethod::Password,
            SignInMethod::Invitation,
            SignInMethod::MagicLink,
            SignInMethod::Passkey,
        ];
        known
            .into_iter()
            .find(|method| model::Method::from(*method).as_str() == self.0.method)
            .ok_or_else(|| Error::internal("a stored session has an unknown method"))
    }

    /// What signed in, as it calls itself (`User-Agent`); null if it did not say.
    async fn device(&self) -> Option<&str> {
        self.0.device.as_deref()
    }

    /// The address that signed in.
    async fn created_from(&self) -> Option<&str> {
        self.0.created_from.as_deref()
    }

    /// When it was begun.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }

    /// When it was last used; written in bulk, some seconds late.
    async fn last_used_at(&self) -> Timestamp {
        Timestamp(self.0.last_used_at)
    }

    /// The address it was last used from.
    async fn last_used_from(&self) -> Option<&str> {
        self.0.last_used_from.as_deref()
    }

    /// When it ends if it is not used any more. Every use puts that off, but not for ever.
    async fn expires_at(&self, context: &Context<'_>) -> Timestamp {
        Timestamp(self.0.ends_at(&request(context).ctx.policy.sessions))
    }
}

impl Plain for Session {}

connection!("A page of sessions." SessionConnection, "A session in its list." SessionEdge, "The session." Session);

/// The name that cursors of lists of sessions carry.
pub const LIST: &str = "sessions";
