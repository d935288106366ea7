//! Mutations on users.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::inputs::{CreateUserInput, DeleteUserInput, UpdateUserInput};
use super::types::User;
use crate::api_keys::graphql::ApiKey;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::request;
use crate::users::ops;

/// What `createUser` answers.
#[derive(SimpleObject)]
pub struct CreateUserPayload {
    /// The new user.
    user: User,
    /// Its first key, if one was asked for.
    api_key: Option<ApiKey>,
    /// That key's secret. It is shown this once and cannot be read again.
    secret: Option<String>,
}

/// What `updateUser` answers.
#[derive(SimpleObject)]
pub struct UpdateUserPayload {
    /// The user as it is now.
    user: User,
}

/// What `deleteUser` answers.
#[derive(SimpleObject)]
pub struct DeleteUserPayload {
    /// The id of the user that is gone.
    deleted_user_id: ID,
}

/// Mutations on users.
#[derive(Default)]
pub struct UserMutations;

#[Object]
impl UserMutations {
    /// Makes a user. Needs `user.write` at `/users`; its rights cannot exceed yours.
    async fn create_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user.")] input: CreateUserInput,
    ) -> Result<CreateUserPayload> {
        let ctx = &request(context).ctx;
        let (user, key) = input.read(ctx.now())?;
        let (user, key) = ops::create_with_key(ctx, user, key).await?;
        let (key, secret) = key.unzip();
        Ok(CreateUserPayload {
            user: User(Arc::new(user)),
            api_key: key.map(|key| ApiKey(Arc::new(key))),
            secret: secret.map(|secret| secret.expose().to_owned()),
        })
    }

    /// Changes a user: what is absent stays, null clears. Needs `user.write` at the user's path.
    async fn update_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user and its changes.")] input: UpdateUserInput,
    ) -> Result<UpdateUserPayload> {
        let id = Id::parse_as(Kind::User, "input.id", &input.id)?;
        let user = ops::update(&request(context).ctx, id, input.read()?).await?;
        Ok(UpdateUserPayload {
            user: User(Arc::new(user)),
        })
    }

    /// Deletes a user with its keys, memberships and permissions; the audit trail stays. Needs `user.write` at the user's path.
    async fn delete_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user.")] input: DeleteUserInput,
    ) -> Result<DeleteUserPayload> {
        let id = Id::parse_as(Kind::User, "input.id", &input.id)?;
        ops::delete(&request(context).ctx, id, input.allow_teams_without_admin).await?;
        Ok(DeleteUserPayload {
            deleted_user_id: input.id,
        })
    }
}
