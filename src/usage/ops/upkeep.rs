//! Keeping the tables of events: one for each month, made ahead, and dropped when the operator wants events no longer. Sums stay.

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::Db;
use crate::error::Result;
use crate::usage::store::months;

/// Months whose tables are made ahead, beside the present one.
const AHEAD: i64 = 2;

/// Makes the tables of this month and the two that follow, and drops those of months that ended longer ago than `kept`; `None`: none. Any
/// number of servers may do it at once. Returns how many were dropped.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached, or when somebody reads or writes events for so long that it has to be tried
/// again.
pub async fn tend(db: &Db, now: DateTime<Utc>, kept: Option<TimeDelta>) -> Result<i64> {
    let mut conn = db.read("usage_months").await?;
    months::make(&mut conn, now, AHEAD).await?;
    match kept.and_then(|kept| now.checked_sub_signed(kept)) {
        None => Ok(0),
        Some(before) => {
            let gone = months::expire(&mut conn, before).await?;
            if gone > 0 {
                tracing::info!(months = gone, "dropped usage events that are too old");
            }
            Ok(gone)
        }
    }
}

/// Which of this month and the two that follow have no table yet, as `2030-01`.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn missing_months(db: &Db, now: DateTime<Utc>) -> Result<Vec<String>> {
    let mut conn = db.read("usage_months_missing").await?;
    Ok(months::missing(&mut conn, now, AHEAD).await?)
}
