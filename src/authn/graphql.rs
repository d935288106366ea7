//! Who is calling, in GraphQL.

use std::sync::Arc;

use async_graphql::{Context, Object};
use uuid::Uuid;

use crate::api_keys::graphql::ApiKey;
use crate::ctx::Actor;
use crate::error::{Code, Error, Result};
use crate::graphql::connection::{Place, page_request};
use crate::graphql::lean::AtHand;
use crate::graphql::request;
use crate::permissions::ops::ask;
use crate::sessions::graphql::{LIST, Session, SessionConnection};
use crate::sessions::ops as sessions;
use crate::users::graphql::User;

/// Who is calling.
pub struct Viewer {
    user: Uuid,
    api_key: Option<Uuid>,
    session: Option<Uuid>,
}

/// Who is calling, and with what. It answers whatever the rights of the credential are.
#[Object]
impl Viewer {
    /// The user who is calling, or whose API key is.
    async fn user(&self, context: &Context<'_>) -> Result<User> {
        let user = request(context).loaders.users.load(self.user).await?;
        user.map(User).ok_or_else(|| deleted("user"))
    }

    /// The API key that was sent; null if another credential was.
    async fn api_key(&self, context: &Context<'_>) -> Option<Result<ApiKey>> {
        let key = request(context).loaders.api_keys.load(self.api_key?).await;
        Some(key.and_then(|key| key.map(ApiKey).ok_or_else(|| deleted("API key"))))
    }

    /// The session that was sent; null if another credential was.
    async fn session(&self, context: &Context<'_>) -> Option<Result<Session>> {
        let found = request(context).loaders.sessions.load(self.session?).await;
        Some(found.and_then(|one| one.map(Session).ok_or_else(|| deleted("session"))))
    }

    /// Where you are signed in, in the order in which it was begun; nothing for a key without `session.read` at your path.
    async fn sessions(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AtHand<SessionConnection>> {
        let page = page_request(context, LIST, first, after, last, before)?;
        let found = sessions::list(&request(context).ctx, self.user, &page).await?;
        Ok(SessionConnection::of(
            found,
            |session| Place::new(LIST, sessions::cursor(session)),
            |session| Session(Arc::new(session)),
        ))
    }

    /// What you hold at a path: privileges, and patterns such as `*.read` that stand for many; `*` is all there are.
    async fn privileges(
        &self,
        context: &Context<'_>,
        #[graphql(default = "/", desc = "The path, such as /models/gpt-4o.")] path: String,
    ) -> Result<Vec<String>> {
        ask::held(&request(context).ctx, &path)
    }
}

fn deleted(what: &str) -> Error {
    Error::new(
        Code::Unauthenticated,
        format!("The {what} that is calling has just been deleted."),
    )
}

/// Queries about who is calling.
#[derive(Default)]
pub struct ViewerQueries;

#[Object]
impl ViewerQueries {
    /// Who is calling; null if no credential was sent.
    async fn viewer(&self, context: &Context<'_>) -> Option<Viewer> {
        match &request(context).ctx.actor {
            Actor::Holder(holder) | Actor::Enrolling(holder) => Some(Viewer {
                user: holder.user_id,
                api_key: holder.api_key_id,
                session: holder.session_id,
            }),
            Actor::Anonymous | Actor::Keystead => None,
        }
    }
}
