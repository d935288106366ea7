//! Memberships that have ended by themselves.

use super::paths;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::db::lock::{self, Lock};
use crate::error::Result;
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::teams::model::Membership;
use crate::teams::store::members;

/// Memberships that one transaction takes away at most.
const AT_ONCE: i64 = 500;

/// Takes the memberships away that have ended; returns how many. They have given nothing since.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn end(ctx: &Ctx) -> Result<usize> {
    access::authenticated(ctx)?;
    let mut gone = 0;
    loop {
        let mut tx = ctx.db.begin("end_memberships").await?;
        lock::shared(&mut tx, Lock::TeamTree).await?;
        let ended = members::lock_ended(&mut tx, ctx.now(), AT_ONCE).await?;
        if ended.is_empty() {
            return Ok(gone);
        }
        tx.touch(ended.iter().map(|row| Tag::User(row.user_id)));
        for row in &ended {
            members::delete(&mut tx, row.team_id, row.user_id).await?;
        }
        audit::record(ctx, &mut tx, ended.iter().map(left).collect()).await?;
        tx.commit().await?;

        ctx.events.publish();

        gone += ended.len();
    }
}

fn left(row: &Membership) -> Change {
    let team = Id::new(Kind::Team, row.team_id);
    Change::deleted("teamMember.remove", team, row.snapshot()).at(paths(row))
}
