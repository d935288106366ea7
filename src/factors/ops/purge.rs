//! Forgetting what was begun and not ended.

use chrono::TimeDelta;

use crate::ctx::Clock;
use crate::db::Db;
use crate::db::purge::in_parts;
use crate::error::Result;
use crate::factors::store;

/// The clocks of two servers differ by less: a challenge that was used is forgotten so long after it is refused for its age.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// Deletes what was begun and whose time is over, and challenges that were used and whose time is over; returns how many rows. Nobody can
/// end it, so nobody is told.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn purge(db: &Db, clock: &Clock) -> Result<usize> {
    let begun = in_parts(|| async {
        let mut conn = db.read("purge_factor_challenges").await?;
        Ok(store::purge_challenges(&mut conn, clock.now()).await?)
    })
    .await?;
    let used = in_parts(|| async {
        let mut conn = db.read("purge_used_challenges").await?;
        Ok(store::purge_used(&mut conn, clock.now() - MARGIN).await?)
    });
    Ok(begun + used.await?)
}
