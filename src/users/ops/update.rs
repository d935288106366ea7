//! Changing a user.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{READ, WRITE, absent, keep_an_admin, path, spare_admins, taken};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::permissions::facts::{Facts, UserFacts};
use crate::permissions::model::{InstanceRole, Principal};
use crate::permissions::ops::{access, facts};
use crate::replicas::model::Tag;
use crate::users::model::{User, UserChanges};
use crate::users::store;
use crate::{sessions, teams, text};

/// Changes a user: what is absent stays, what is null is cleared.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `user.write`, for an administrator unless by one, or if the new role gives rights that the
/// actor lacks; `BAD_USER_INPUT`; `ALREADY_EXISTS`; `CONFLICT` for the last administrator who can act, and for the last such admin of a
/// team unless the changes allow it.
pub async fn update(ctx: &Ctx, id: Uuid, changes: UserChanges) -> Result<User> {
    let changes = validate(ctx, changes)?;
    let allow_teams_without_admin = changes.allow_teams_without_admin;

    access::require_on(ctx, READ, WRITE, &[path(id)], || absent("input.id", id))?;

    let mut tx = ctx.db.begin("update_user").await?;
    tx.touch([Tag::User(id)]);
    let before = store::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    spare_admins(ctx, &before)?;
    let after = apply(ctx, &before, changes);
    let end = end(ctx, &after);
    let sooner = before.can_act(ctx.now())
        && end.is_some_and(|end| before.expires_at.is_none_or(|was| end < was));
    if after.role != before.role {
        keep_an_admin(ctx, &mut tx, &before, ctx.now()).await?;
    } else if let Some(end) = end.filter(|_| sooner) {
        keep_an_admin(ctx, &mut tx, &before, end).await?;
    }
    if let Some(end) = end.filter(|_| sooner && !allow_teams_without_admin) {
        teams::ops::keep_an_admin(ctx, &mut tx, id, None, end).await?;
    }
    store::update(&mut tx, &after)
        .await
        .map_err(|failure| taken(failure, &after))?;
    if before.role != after.role
        || before.enabled != after.enabled
        || before.expires_at != after.expires_at
    {
        give_only_what_is_held(ctx, &mut tx, &before).await?;
    }
    let change = Change::updated(
        "user.update",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    let mut changes = vec![change];
    if !(before.can_act(ctx.now()) && after.can_act(ctx.now())) {
        // Also those of a user that is enabled again: what has ended does not come back.
        let ended = sessions::ops::end_all(&mut tx, id, None).await?;
        changes.extend(Change::along(after.typed_id(), ended));
    }
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}

fn validate(ctx: &Ctx, mut changes: UserChanges) -> Result<UserChanges> {
    if changes
        .expires_at
        .flatten()
        .is_some_and(|end| end <= ctx.now())
    {
        return Err(Error::bad_input(
            "input.expiresAt",
            "input.expiresAt lies in the past. To stop a user now, set enabled to false.",
        ));
    }
    let line = |field: &str, name| text::change(name, |name: String| text::line(field, &name, 200));
    changes.username = changes
        .username
        .map(|name| text::identifier("input.username", &name, "._-@+"))
        .transpose()?;
    changes.email = text::change(changes.email, |email| text::email("input.email", &email))?;
    changes.name = line("input.name", changes.name)?;
    changes.given_name = line("input.givenName", changes.given_name)?;
    changes.family_name = line("input.familyName", changes.family_name)?;
    changes.comment = text::change(changes.comment, |comment| {
        text::lines("input.comment", &comment, 2_000)
    })?;
    changes.metadata = text::change(changes.metadata, |value| {
        text::metadata("input.metadata", value)
    })?;
    Ok(changes)
}

fn apply(ctx: &Ctx, before: &User, changes: UserChanges) -> User {
    let mut user = before.clone();
    user.username = changes.username.unwrap_or(user.username);
    user.email = changes.email.unwrap_or(user.email);
    user.name = changes.name.unwrap_or(user.name);
    user.given_name = changes.given_name.unwrap_or(user.given_name);
    user.family_name = changes.family_name.unwrap_or(user.family_name);
    user.role = changes.role.map_or(user.role, |role| role.as_str().into());
    user.enabled = changes.enabled.unwrap_or(user.enabled);
    user.expires_at = changes.expires_at.unwrap_or(user.expires_at);
    user.comment = changes.comment.unwrap_or(user.comment);
    user.metadata = changes
        .metadata
        .map_or(user.metadata, |value| value.unwrap_or_else(|| json!({})));
    if user.snapshot() != before.snapshot() {
        user.updated_at = ctx.now();
    }
    user
}

/// When the user ceases to be able to act; `None`: never.
fn end(ctx: &Ctx, user: &User) -> Option<DateTime<Utc>> {
    if user.enabled {
        user.expires_at
    } else {
        Some(ctx.now())
    }
}

/// Compares what the user holds after the change, which this transaction sees, with what it held before.
async fn give_only_what_is_held(ctx: &Ctx, tx: &mut crate::db::Tx, before: &User) -> Result<()> {
    let principal = Principal::User(before.id);
    let missing = || Error::internal("a locked user has no facts");
    let after = facts::of_principal(tx, ctx.now(), principal)
        .await?
        .ok_or_else(missing)?;
    let mut given = after.given().clone();
    given.user = given.user.map(|user| UserFacts {
        role: before.role.parse().unwrap_or(InstanceRole::Viewer),
        enabled: before.enabled,
        expires_at: before.expires_at,
        ..user
    });
    let held = Facts::new(ctx.now(), given);
    access::may_give(ctx, &held, &after, &principal, &[])
}
