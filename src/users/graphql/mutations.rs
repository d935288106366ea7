//! Mutations on users.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::inputs::{CreateUserInput, DeleteUserInput, UpdateUserInput};
use super::types::User;
use crate::api_keys::graphql::ApiKey;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::request;
use crate::secrets::Secret;
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

/// Your own password, and what takes its place.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The present one.
    password: String,
    /// The new one: at least 12 characters and at most 72 bytes, none of the commonest, and not your names or address.
    new_password: String,
}

/// What `changePassword` answers.
#[derive(SimpleObject)]
pub struct ChangePasswordPayload {
    /// You, as you are now.
    user: User,
}

/// Somebody's new password.
#[derive(InputObject)]
pub struct SetPasswordInput {
    /// The user.
    user: ID,
    /// The password, by the rules of `changePassword`; null takes it away, so that nobody signs in with one.
    password: Option<String>,
    /// Whether it is good for one sign-in, at which the user chooses another one.
    #[graphql(default = true)]
    must_change: bool,
}

/// What `setPassword` answers.
#[derive(SimpleObject)]
pub struct SetPasswordPayload {
    /// The user as it is now.
    user: User,
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

    /// Changes your own password. Your other sessions end; the one that is calling goes on.
    async fn change_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The present password, and the new one.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let (present, new) = (Secret::new(input.password), Secret::new(input.new_password));
        let user = ops::change_password(&request(context).ctx, present, new).await?;
        Ok(ChangePasswordPayload {
            user: User(Arc::new(user)),
        })
    }

    /// Sets another user's password, and ends all its sessions. Needs `user.write` at the user's path, and all that the user holds.
    async fn set_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user and its password.")] input: SetPasswordInput,
    ) -> Result<SetPasswordPayload> {
        let id = Id::parse_as(Kind::User, "input.user", &input.user)?;
        let new = input.password.map(Secret::new);
        let user = ops::set_password(&request(context).ctx, id, new, input.must_change).await?;
        Ok(SetPasswordPayload {
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
