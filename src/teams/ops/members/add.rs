//! Adding a user to a team.

use uuid::Uuid;

use super::{joined, not_past, rows};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind, quoted};
use crate::db::lock::{self, Lock};
use crate::db::{Failure, Tx};
use crate::error::{Error, Result};
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::teams::model::{Membership, NewMember, NewMembership};
use crate::teams::ops::giving::Measured;
use crate::teams::ops::{READ, WRITE, absent, path};
use crate::teams::store::members;
use crate::users;

/// Adds a user to a team, so that it holds what the team and those above it hold.
///
/// # Errors
/// `NOT_FOUND` for the team or the user; `FORBIDDEN` without `team.write` at the team, or if the user would gain a right that the actor
/// lacks; `ALREADY_EXISTS` if it belongs to the team.
pub async fn add(ctx: &Ctx, team: Uuid, member: NewMember) -> Result<Membership> {
    let user = member.user;
    if let Some(end) = member.expires_at {
        not_past(ctx, "input.expiresAt", end)?;
    }
    let membership = Membership {
        team_id: team,
        user_id: user,
        role: member.role.as_str().into(),
        since: ctx.now(),
        expires_at: member.expires_at,
    };

    access::require_on(ctx, READ, WRITE, &[path(team)], || {
        absent("input.team", team)
    })?;
    users::ops::require_readable(ctx, |_| "input.user".into(), &[user]).await?;

    let mut tx = ctx.db.begin("add_team_member").await?;
    tx.touch([Tag::User(user)]);
    lock::shared(&mut tx, Lock::TeamTree).await?;
    let measured = Measured::of(ctx, &mut tx, &[user]).await?;
    let added = members::insert_or_begin_anew(&mut tx, &membership).await;
    if !added.map_err(|failure| refused(failure, team, user))? {
        return Err(belongs_already(user));
    }
    measured.compare(ctx, &mut tx, &[]).await?;
    audit::record(ctx, &mut tx, vec![joined(&membership)]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(membership)
}

fn belongs_already(user: Uuid) -> Error {
    let id = Id::new(Kind::User, user).to_string();
    Error::already_exists(
        "input.user",
        format!(
            "The user {} belongs to this team already. Use updateTeamMember to change its role.",
            quoted(&id)
        ),
    )
}

fn refused(failure: Failure, team: Uuid, user: Uuid) -> Error {
    match failure {
        Failure::ForeignKey(name) if name == "team_memberships_team_id_fkey" => {
            absent("input.team", team)
        }
        Failure::ForeignKey(_) => users::ops::absent("input.user", user),
        other => other.into(),
    }
}

/// Whether the actor may add members to these teams, to which a new user is to belong.
///
/// # Errors
/// `NOT_FOUND` for a team; `FORBIDDEN` without `team.write` at it.
pub fn may_enrol(ctx: &Ctx, memberships: &[NewMembership]) -> Result<()> {
    for (n, NewMembership { team, .. }) in memberships.iter().enumerate() {
        access::require_on(ctx, READ, WRITE, &[path(*team)], || {
            absent(&format!("input.memberships.{n}.team"), *team)
        })?;
    }
    Ok(())
}

/// Adds a new user to its first teams, in the transaction that makes it; returns what is to be recorded. What the user gains is for
/// the caller to measure.
///
/// # Errors
/// `NOT_FOUND` for a team that is not there; `SERVICE_UNAVAILABLE`.
pub async fn enrol(
    ctx: &Ctx,
    tx: &mut Tx,
    user: Uuid,
    memberships: &[NewMembership],
) -> Result<Vec<Change>> {
    if memberships.is_empty() {
        return Ok(Vec::new());
    }
    lock::shared(tx, Lock::TeamTree).await?;
    let rows = rows(ctx, user, memberships);
    members::insert(tx, &rows).await.map_err(|failure| {
        failure.foreign_key("team_memberships_team_id_fkey", || match memberships {
            [one] => absent("input.memberships.0.team", one.team),
            _ => Error::not_found(
                "input.memberships",
                "One of the teams in input.memberships does not exist. Look them up again.",
            ),
        })
    })?;
    Ok(rows.iter().map(joined).collect())
}
