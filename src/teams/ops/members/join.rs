//! Adding a user to teams to which it was invited.

use uuid::Uuid;

use super::{joined, rows};
use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::lock::{self, Lock};
use crate::error::{Error, Result};
use crate::replicas::model::Tag;
use crate::teams::model::NewMembership;
use crate::teams::ops::giving::Measured;
use crate::teams::store::members;

/// Adds a user to teams, as far as it does not belong to them, in a transaction of the caller's; returns which, and what is to be recorded.
/// `ctx` is of whoever answers for it: whether that may add members to them has been decided.
///
/// # Errors
/// `NOT_FOUND` for a team that is gone; `FORBIDDEN` if the user would gain a right that the actor lacks.
pub async fn join(
    ctx: &Ctx,
    tx: &mut Tx,
    user: Uuid,
    memberships: &[NewMembership],
) -> Result<(Vec<Uuid>, Vec<Change>)> {
    tx.touch([Tag::User(user)]);
    lock::shared(tx, Lock::TeamTree).await?;
    let measured = Measured::of(ctx, tx, &[user]).await?;
    let rows = rows(ctx, user, memberships);
    let new = members::insert_missing(tx, &rows)
        .await
        .map_err(|failure| {
            failure.foreign_key("team_memberships_team_id_fkey", || {
                Error::not_found("input.token", "One of the teams does not exist any more.")
            })
        })?;
    measured.compare(ctx, tx, &[]).await?;
    let added = rows.iter().filter(|row| new.contains(&row.team_id));
    Ok((new.clone(), added.map(joined).collect()))
}
