//! Removing a user from a team.

use uuid::Uuid;

use super::{no_member, paths};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::lock::{self, Lock};
use crate::error::Result;
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::teams::model::Team;
use crate::teams::ops::giving::Measured;
use crate::teams::ops::{READ, WRITE, absent, last_admin, path};
use crate::teams::store::{members, rows};
use crate::users;

/// Removes a user from a team, and returns the team.
///
/// # Errors
/// `NOT_FOUND` for the team or the member; `FORBIDDEN` without `team.write` at the team, or if the user would gain a right that the
/// actor lacks because the team took it away; `CONFLICT` for the last admin who can act, unless `allow_teams_without_admin`.
pub async fn remove(
    ctx: &Ctx,
    team: Uuid,
    user: Uuid,
    allow_teams_without_admin: bool,
) -> Result<Team> {
    access::require_on(ctx, READ, WRITE, &[path(team)], || {
        absent("input.team", team)
    })?;
    users::ops::require_readable(ctx, |_| "input.user".into(), &[user]).await?;

    let mut tx = ctx.db.begin("remove_team_member").await?;
    tx.touch([Tag::User(user)]);
    lock::shared(&mut tx, Lock::TeamTree).await?;
    let team = rows::lock(&mut tx, team)
        .await?
        .ok_or_else(|| absent("input.team", team))?;
    let membership = members::lock(&mut tx, team.id, user)
        .await?
        .ok_or_else(|| no_member("input.user", user))?;
    if !allow_teams_without_admin {
        last_admin::keep(ctx, &mut tx, user, Some(team.id), ctx.now()).await?;
    }
    let measured = Measured::of(ctx, &mut tx, &[user]).await?;
    members::delete(&mut tx, team.id, user).await?;
    measured.compare(ctx, &mut tx, &[]).await?;
    let left = Change::deleted("teamMember.remove", team.typed_id(), membership.snapshot());
    audit::record(ctx, &mut tx, vec![left.at(paths(&membership))]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(team)
}
