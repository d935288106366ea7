//! Writing parcels, and looking after those that were given up.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::model::Lane;
use super::store;
use crate::ctx::Ctx;
use crate::db::{Db, Tx};
use crate::error::Result;

/// How long dead letters are kept.
const DEAD_KEPT: TimeDelta = TimeDelta::days(30);

/// What parcels of a lane are sealed for.
pub(super) fn purpose(lane: Lane) -> String {
    format!("outbox {}", lane.as_str())
}

/// Has something delivered once the transaction is committed. The change that this is part of must be published after its commit, which
/// wakes the workers. Returns the parcel's id.
///
/// # Errors
/// What the statement failed with, or an internal error when nothing can be sealed; the transaction must then not be committed.
pub async fn put(ctx: &Ctx, tx: &mut Tx, lane: Lane, payload: &[u8]) -> Result<Uuid> {
    let id = ctx.new_id();
    let sealed = ctx.sealer.seal(&purpose(lane), &ctx.random, payload)?;
    store::insert(tx, id, lane.as_str(), sealed, ctx.now()).await?;
    Ok(id)
}

/// Deletes dead letters that are older than 30 days; returns how many.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn tidy(db: &Db, now: DateTime<Utc>) -> Result<usize> {
    let mut conn = db.read("delete_dead_letters").await?;
    Ok(store::delete_dead(&mut conn, now - DEAD_KEPT).await?)
}

/// How many parcels wait, and how many were given up.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn counts(db: &Db) -> Result<(i64, i64)> {
    let mut conn = db.read("count_outbox").await?;
    Ok(store::counts(&mut conn).await?)
}
