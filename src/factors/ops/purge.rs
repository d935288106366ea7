//! Forgetting what was begun and not ended.

use crate::ctx::Clock;
use crate::db::Db;
use crate::error::Result;
use crate::factors::store;

/// Rows that one statement deletes at most.
const PURGED_AT_ONCE: i64 = 1_000;

/// Deletes what was begun and whose time is over; returns how many rows. Nobody can end it, so nobody is told.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn purge(db: &Db, clock: &Clock) -> Result<usize> {
    let mut gone = 0;
    loop {
        let mut conn = db.read("purge_factor_challenges").await?;
        let some = store::purge_challenges(&mut conn, clock.now(), PURGED_AT_ONCE).await?;
        gone += some;
        if some < PURGED_AT_ONCE as usize {
            return Ok(gone);
        }
    }
}
