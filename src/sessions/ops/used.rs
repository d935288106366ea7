//! Storing when sessions were last used, and clearing away those that have ended by themselves.

use chrono::TimeDelta;

use crate::ctx::Clock;
use crate::db::Db;
use crate::error::Result;
use crate::sessions::model::{SessionUse, Terms};
use crate::sessions::store;

/// Rows that one statement deletes at most.
const PURGED_AT_ONCE: i64 = 1_000;
/// Uses are stored some seconds late: what seems idle is kept so much longer.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// Stores many uses in one statement; one that is older than what is stored changes nothing. No audit: being used is no change.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn note_used(db: &Db, uses: &[SessionUse]) -> Result<()> {
    let mut conn = db.read("note_sessions_used").await?;
    Ok(store::note_used(&mut conn, uses).await?)
}

/// Deletes the sessions that have ended by themselves; returns how many. Nobody can use them, so nobody is told.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn purge(db: &Db, clock: &Clock, terms: &Terms) -> Result<usize> {
    let now = clock.now();
    let mut gone = 0;
    loop {
        let mut conn = db.read("purge_sessions").await?;
        let idle = now - terms.idle - MARGIN;
        let some = store::purge(&mut conn, now, idle, PURGED_AT_ONCE).await?;
        gone += some;
        if some < PURGED_AT_ONCE as usize {
            return Ok(gone);
        }
    }
}
