//! Making a user.

use super::WRITE;
use super::newcomer::Newcomer;
use crate::api_keys::model::{ApiKey, NewApiKey};
use crate::api_keys::ops::{Draft, Policies};
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::Kind;
use crate::error::Result;
use crate::permissions::gains::Exempt;
use crate::permissions::model::InstanceRole;
use crate::permissions::ops::access;
use crate::secrets::Secret;
use crate::users::model::{NewUser, User, UserKind};
use crate::users::store;

/// Makes a user.
///
/// # Errors
/// `FORBIDDEN` without `user.write` at `/users` and `team.write` at its teams, or if its role or its teams give rights that the actor
/// lacks; `BAD_USER_INPUT`; `NOT_FOUND` for a team; `ALREADY_EXISTS` for a name or address that is taken.
pub async fn create(ctx: &Ctx, new: NewUser) -> Result<User> {
    Ok(create_with_key(ctx, new, None).await?.0)
}

/// Makes a user and, if there is one to be made, its first key: both or neither.
///
/// # Errors
/// As [`create`]; for the key as [`crate::api_keys::ops::generate`].
pub async fn create_with_key(
    ctx: &Ctx,
    new: NewUser,
    key: Option<NewApiKey>,
) -> Result<(User, Option<(ApiKey, Secret)>)> {
    let policies = Policies::present(ctx).await?;
    let mut newcomer = Newcomer::new(ctx, &policies.policy, &policies.limits, new)?;
    let id = newcomer.user.id;
    let mut key = key
        .map(|key| Draft::new(ctx, &policies, "input.apiKey", id, key))
        .transpose()?;

    access::require(ctx, WRITE, &access::collection(Kind::User))?;
    newcomer.allow(ctx)?;
    if let Some(key) = &mut key {
        key.resolve(ctx).await?;
    }
    newcomer.hash(ctx).await?;

    let mut tx = ctx.db.begin("create_user").await?;
    let mut changes = newcomer.insert(ctx, &mut tx).await?;
    if let Some(key) = &mut key {
        let owner = newcomer.held(ctx, &mut tx).await?;
        let is_service = newcomer.user.kind == UserKind::Service.as_str();
        key.allow(ctx, &owner, is_service, &[Exempt::over_itself(id)])?;
        changes.push(key.insert(ctx, &tx).await?);
        key.fits(ctx, &mut tx).await?;
        changes.extend(key.limit(ctx, &mut tx).await?);
    }
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok((newcomer.user, key.map(Draft::into_parts)))
}

/// Makes the first administrator of an empty database; `None` if there is any user.
///
/// # Errors
/// As [`create`].
pub async fn first_admin(ctx: &Ctx, username: &str) -> Result<Option<User>> {
    if store::any(&mut *ctx.db.read("any_user").await?).await? {
        return Ok(None);
    }
    let new = NewUser {
        name: Some("Administrator".into()),
        role: Some(InstanceRole::Admin),
        memberships: Some(Vec::new()),
        ..NewUser::named(username.to_owned())
    };
    match create(ctx, new).await {
        Ok(user) => Ok(Some(user)),
        // Another process was faster.
        Err(error) if error.code == crate::error::Code::AlreadyExists => Ok(None),
        Err(error) => Err(error),
    }
}
