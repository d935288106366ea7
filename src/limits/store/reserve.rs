//! The statements that reserve and settle; `migrations/` has the functions that they call.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::db;
use crate::db::statement::Statement;

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Text)]
    told: String,
}

/// Reserves for a batch of requests; the answer is JSON.
pub(crate) async fn reserve(conn: &mut AsyncPgConnection, batch: Value) -> db::Result<String> {
    let statement = Statement::new("SELECT limits_reserve(").bind(batch);
    told(conn, statement.sql(") AS told")).await
}

/// Settles a batch of reservations; the answer is JSON.
pub(crate) async fn settle(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: Value,
) -> db::Result<String> {
    let statement = Statement::new("SELECT limits_settle(").bind(now);
    told(conn, statement.sql(", ").bind(batch).sql(") AS told")).await
}

/// Charges or releases what has run out.
pub(crate) async fn lapse(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    charging: bool,
) -> db::Result<()> {
    // The function returns void, which diesel cannot read.
    let statement = Statement::new("SELECT (limits_lapse(")
        .bind(now)
        .sql(", ")
        .bind(charging)
        .sql(", '{}') IS NULL)::text AS told");
    told(conn, statement).await?;
    Ok(())
}

async fn told(conn: &mut AsyncPgConnection, statement: Statement) -> db::Result<String> {
    let rows: Vec<Told> = statement.load(conn).await?;
    let one = rows.into_iter().next();
    one.map(|row| row.told)
        .ok_or_else(|| db::Failure::Other("a function gave no row".into()))
}
