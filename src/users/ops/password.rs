//! Setting passwords. Every way to set one goes through [`check_password`].

use serde_json::json;
use uuid::Uuid;

use super::{READ, WRITE, absent, doer, may_sign_in_as, path, spare_admins, tell};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::authn::password;
use crate::ctx::{Actor, Ctx};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::mail::model::Template;
use crate::permissions::model::Principal;
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::secrets::Secret;
use crate::sessions::ops as sessions;
use crate::users::model::User;
use crate::users::store;

/// Checks a new password of that user against the rules.
///
/// # Errors
/// `BAD_USER_INPUT` naming the rule; never the password.
pub fn check_password(ctx: &Ctx, field: &str, password: &Secret, user: &User) -> Result<()> {
    let names = [
        Some(user.username.as_str()),
        user.email.as_deref(),
        user.name.as_deref(),
        user.given_name.as_deref(),
        user.family_name.as_deref(),
    ];
    let least = ctx.policy.password_min_length;
    password::validate(field, password.expose(), least, names.into_iter().flatten())
}

/// Puts another password in force, in a transaction that has locked the user, and ends the user's sessions but one. Returns the user as it
/// is then, and what is to be recorded.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn put_password(
    ctx: &Ctx,
    tx: &mut Tx,
    before: &User,
    hash: Option<String>,
    must_change: bool,
    but: Option<Uuid>,
) -> Result<(User, Vec<Change>)> {
    tx.touch([Tag::User(before.id)]);
    let after = User {
        must_change_password: must_change && hash.is_some(),
        password_hash: hash,
        password_changed_at: Some(ctx.now()),
        updated_at: ctx.now(),
        ..before.clone()
    };
    store::set_password(tx, &after).await?;
    let change = Change::updated(
        "user.setPassword",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    let ended = sessions::end_all(tx, after.id, but).await?;
    let mut changes = vec![change];
    changes.extend(Change::along(after.typed_id(), ended));
    Ok((after, changes))
}

/// Changes the caller's own password. Its other sessions end; the one that is calling goes on.
///
/// # Errors
/// `UNAUTHENTICATED`, also for a wrong present password, and `RATE_LIMITED` after too many; `FORBIDDEN` for a restricted key;
/// `BAD_USER_INPUT` for a new one against the rules; `CONFLICT` if it was changed meanwhile.
pub async fn change_password(ctx: &Ctx, present: Secret, new: Secret) -> Result<User> {
    const FIELD: &str = "input.newPassword";
    access::authenticated(ctx)?;
    let holder = ctx.holder()?;
    if !matches!(holder.principal, Principal::User(_)) {
        return Err(Error::forbidden(
            "A restricted key does not change its owner's password. Sign in, or use a key without restrictions.",
        ));
    }
    let id = holder.user_id;
    let found = super::by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let user = found.ok_or_else(|| absent("input", id))?;
    check_password(ctx, FIELD, &new, &user)?;
    if new.expose() == present.expose() {
        return Err(Error::bad_input(
            FIELD,
            "The new password is the present one. Choose another.",
        ));
    }
    let proved = crate::sessions::ops::Proving::of(ctx)
        .user(&user.username, &present)
        .await;
    let proved = proved.and_then(|proved| {
        let own = proved.id == id;
        own.then_some(proved)
            .ok_or_else(|| Error::new(Code::Unauthenticated, "wrong"))
    });
    let user = proved.map_err(|error| match error.code {
        Code::Unauthenticated => Error::new(
            Code::Unauthenticated,
            "input.password is not your present password. If you have none, somebody who may can set one by setPassword.",
        )
        .at("input.password"),
        _ => error,
    })?;
    let hash = password::hash(new, ctx.policy.password_cost).await?;

    let mut tx = ctx.db.begin("change_password").await?;
    let meanwhile = || Error::conflict("Your password has just been changed by another request.");
    let user = super::unchanged(&mut tx, &user)
        .await?
        .ok_or_else(meanwhile)?;
    let own = holder.session_id;
    let (user, changes) = put_password(ctx, &mut tx, &user, Some(hash), false, own).await?;
    tell_of_change(ctx, &mut tx, &user, None).await?;
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(user)
}

/// Sets the password of another user, or takes it away, and ends the user's sessions. With `must_change` it is good for one sign-in, at which
/// another one is chosen.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `user.write`, for an administrator unless by one, for a user who holds what the actor lacks, and for
/// the own password of who is signed in by a session; `BAD_USER_INPUT` for a password against the rules.
pub async fn set_password(
    ctx: &Ctx,
    id: Uuid,
    new: Option<Secret>,
    must_change: bool,
) -> Result<User> {
    const FIELD: &str = "input.user";
    access::require_on(ctx, READ, WRITE, &[path(id)], || absent(FIELD, id))?;
    let found = super::by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let user = found.ok_or_else(|| absent(FIELD, id))?;
    spare_admins(ctx, &user)?;
    if let Actor::Holder(holder) = &ctx.actor
        && holder.user_id == id
        && holder.api_key_id.is_none()
    {
        return Err(Error::forbidden(
            "Your own password is changed by changePassword, with the present one.",
        ));
    }
    if let Some(new) = &new {
        check_password(ctx, "input.password", new, &user)?;
    }
    let hash = match new {
        Some(new) => Some(password::hash(new, ctx.policy.password_cost).await?),
        None => None,
    };

    let mut tx = ctx.db.begin("set_password").await?;
    tx.touch([Tag::User(id)]);
    let user = store::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent(FIELD, id))?;
    // Whoever sets a password can sign in with it: that gives all that the user holds.
    may_sign_in_as(ctx, &mut tx, &user).await?;
    let (user, changes) = put_password(ctx, &mut tx, &user, hash, must_change, None).await?;
    tell_of_change(ctx, &mut tx, &user, Some(doer(ctx))).await?;
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(user)
}

/// `by`: who has done it, if that was somebody else.
async fn tell_of_change(ctx: &Ctx, tx: &mut Tx, user: &User, by: Option<&str>) -> Result<()> {
    let values = json!({"username": user.username, "by": by});
    tell(ctx, tx, user, Template::PasswordChanged, values).await
}
