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

/// Takes up to `limit` events from the outbox, which are gone once the transaction is committed; what another transaction is taking is
/// passed over. Returns their ids.
///
/// # Errors
/// What the statement failed with.
pub async fn take_events(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>> {
    Ok(store::take_events(tx, now, limit).await?)
}

/// Has deliveries made, each named by its id and its webhook's.
///
/// # Errors
/// What the statement failed with.
pub async fn put_deliveries(
    tx: &mut Tx,
    deliveries: Vec<(Uuid, Uuid)>,
    now: DateTime<Utc>,
) -> Result<()> {
    Ok(store::insert_deliveries(tx, &deliveries, now).await?)
}

/// Has a delivery made anew, whatever came of it before; false while it waits or is tried.
///
/// # Errors
/// What the statement failed with.
pub async fn restart_delivery(
    tx: &mut Tx,
    delivery: (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<bool> {
    Ok(store::restart_delivery(tx, delivery, now).await? > 0)
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
