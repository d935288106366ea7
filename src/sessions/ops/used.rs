//! Storing when sessions were last used, and clearing away those that have ended by themselves.

use chrono::TimeDelta;

use crate::ctx::Clock;
use crate::db::Db;
use crate::db::purge::in_parts;
use crate::error::Result;
use crate::sessions::model::{SessionUse, Terms};
use crate::sessions::store;

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
    let idle = now - terms.idle - MARGIN;
    in_parts(|| async {
        let mut conn = db.read("purge_sessions").await?;
        Ok(store::purge(&mut conn, now, idle).await?)
    })
    .await
}
