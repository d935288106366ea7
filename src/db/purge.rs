//! Deleting what is over, in parts: no statement holds many rows, and processes that do so at once do not wait for each other.

use super::statement::Statement;
use crate::error::Result;

/// Rows that one statement deletes at most.
pub const AT_ONCE: i64 = 1_000;

/// Deletes part after part; `part` deletes up to [`AT_ONCE`] rows of each of its tables, and returns how many. Returns how many all were.
///
/// # Errors
/// What `part` failed with.
pub async fn in_parts<F>(part: impl Fn() -> F) -> Result<usize>
where
    F: Future<Output = Result<usize>>,
{
    let mut gone = 0;
    loop {
        let some = part().await?;
        gone += some;
        if some < AT_ONCE as usize {
            return Ok(gone);
        }
    }
}

impl Statement {
    /// Deletes up to [`AT_ONCE`] rows of the table, whose primary key is `key`: those of which `over` is true, but for those that others have
    /// locked.
    pub(crate) fn purge(table: &'static str, key: &'static str, over: Statement) -> Statement {
        Statement::new("DELETE FROM ")
            .sql(table)
            .sql(" WHERE ")
            .sql(key)
            .sql(" IN (SELECT ")
            .sql(key)
            .sql(" FROM ")
            .sql(table)
            .sql(" WHERE ")
            .append(over)
            .sql(" LIMIT ")
            .bind(AT_ONCE)
            .sql(" FOR UPDATE SKIP LOCKED)")
    }
}
