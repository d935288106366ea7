//! Giving somebody a place in a team that it has asked for.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{changed, joined};
use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::lock::{self, Lock};
use crate::error::{Error, Result};
use crate::permissions::model::{TeamRole, lasts_as_long};
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::teams::model::{Membership, NewMembership};
use crate::teams::ops::giving::Measured;
use crate::teams::ops::{READ, WRITE, absent, path};
use crate::teams::store::members;
use crate::users;

/// Whether the actor may add members to the team.
///
/// # Errors
/// `NOT_FOUND` for a team that may not be seen; `FORBIDDEN` without `team.write` at it.
pub fn may_add(ctx: &Ctx, field: &str, team: Uuid) -> Result<()> {
    access::require_on(ctx, READ, WRITE, &[path(team)], || absent(field, team))
}

/// Makes that user a member of the team until `until`, or, where it is one, more or longer, in a transaction of the caller's; returns what
/// is to be recorded. Whether the actor [may add](may_add) members has been decided, and the user is locked.
///
/// # Errors
/// `NOT_FOUND` for a team that is gone; `FORBIDDEN` if the user would gain a right that the actor lacks; `CONFLICT` where it would lose
/// something.
pub async fn give(
    ctx: &Ctx,
    tx: &mut Tx,
    user: Uuid,
    place: NewMembership,
    until: Option<DateTime<Utc>>,
) -> Result<Vec<Change>> {
    tx.touch([Tag::User(user)]);
    lock::shared(tx, Lock::TeamTree).await?;
    let wanted = Membership {
        team_id: place.team,
        user_id: user,
        role: place.role.as_str().into(),
        since: ctx.now(),
        expires_at: until,
    };
    let measured = Measured::of(ctx, tx, &[user]).await?;
    let added = members::insert_or_begin_anew(tx, &wanted).await;
    let added = added.map_err(|failure| {
        failure.foreign_key("team_memberships_team_id_fkey", || {
            Error::not_found(
                "input.id",
                "The team that is asked for does not exist any more.",
            )
        })
    })?;
    let change = if added {
        joined(&wanted)
    } else {
        let held = members::lock(tx, place.team, user).await?;
        let held = held.ok_or_else(|| users::ops::absent("input.id", user))?;
        let more = place.role == TeamRole::Admin || held.role == wanted.role;
        if !(more && lasts_as_long(until, held.expires_at)) {
            return Err(Error::conflict(
                "The user belongs to this team already, longer or with another role, and would lose that. Change it with updateTeamMember.",
            ));
        }
        let after = Membership {
            since: held.since,
            ..wanted
        };
        if after == held {
            return Ok(Vec::new());
        }
        members::update(tx, &after).await?;
        changed(&held, &after)
    };
    measured.compare(ctx, tx, &[]).await?;
    Ok(vec![change])
}
