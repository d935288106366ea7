//! Changing what a user is to a team.

use uuid::Uuid;

use super::{changed, no_member, not_past};
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::lock::{self, Lock};
use crate::error::Result;
use crate::permissions::model::TeamRole;
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::teams::model::{MemberChange, Membership};
use crate::teams::ops::giving::Measured;
use crate::teams::ops::{READ, WRITE, absent, last_admin, path};
use crate::teams::store::{members, rows};
use crate::users;

/// Changes a member's role, and until when it belongs to the team.
///
/// # Errors
/// `NOT_FOUND` for the team or the member; `FORBIDDEN` without `team.write` at the team, or if the member would gain a right that the
/// actor lacks; `CONFLICT` for the last admin who can act, unless `allow_teams_without_admin`.
pub async fn update(ctx: &Ctx, team: Uuid, user: Uuid, change: MemberChange) -> Result<Membership> {
    if let Some(Some(end)) = change.expires_at {
        not_past(ctx, "input.expiresAt", end)?;
    }

    access::require_on(ctx, READ, WRITE, &[path(team)], || {
        absent("input.team", team)
    })?;
    users::ops::require_readable(ctx, |_| "input.user".into(), &[user]).await?;

    let mut tx = ctx.db.begin("update_team_member").await?;
    tx.touch([Tag::User(user)]);
    lock::shared(&mut tx, Lock::TeamTree).await?;
    let team = rows::lock(&mut tx, team)
        .await?
        .ok_or_else(|| absent("input.team", team))?;
    let before = members::lock(&mut tx, team.id, user)
        .await?
        .ok_or_else(|| no_member("input.user", user))?;
    let after = Membership {
        role: change.role.as_str().into(),
        expires_at: change.expires_at.unwrap_or(before.expires_at),
        ..before.clone()
    };
    if before != after {
        let stays = change.role == TeamRole::Admin && after.expires_at.is_none();
        if !stays && !change.allow_teams_without_admin {
            last_admin::keep(ctx, &mut tx, user, Some(team.id), ctx.now()).await?;
        }
        let measured = Measured::of(ctx, &mut tx, &[user]).await?;
        members::update(&mut tx, &after).await?;
        measured.compare(ctx, &mut tx, &[]).await?;
        audit::record(ctx, &mut tx, vec![changed(&before, &after)]).await?;
    }
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}
