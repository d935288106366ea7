//! Forgetting what was begun and not ended.

use crate::ctx::Clock;
use crate::db::Db;
use crate::db::purge::in_parts;
use crate::error::Result;
use crate::factors::store;

/// Deletes what was begun and whose time is over; returns how many rows. Nobody can end it, so nobody is told.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn purge(db: &Db, clock: &Clock) -> Result<usize> {
    in_parts(|| async {
        let mut conn = db.read("purge_factor_challenges").await?;
        Ok(store::purge_challenges(&mut conn, clock.now()).await?)
    })
    .await
}
