//! SQL of the tables that usage events lie in, one for each month.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db;
use crate::db::statement::Statement;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Month {
    #[diesel(sql_type = Text)]
    month: String,
}

/// Makes the tables of this month and of so many that follow, as far as there are none.
pub(in crate::usage) async fn make(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    ahead: i64,
) -> db::Result<()> {
    // The function returns void, which diesel cannot read.
    let statement = Statement::new("SELECT count(*) FILTER (WHERE usage_partition(")
        .bind(now)
        .sql(" + n * interval '1 month') IS NULL) AS count FROM generate_series(0, ")
        .bind(ahead)
        .sql(") AS n");
    statement.load::<Count>(conn).await?;
    Ok(())
}

/// Those months, as `2030-01`, that have no table.
pub(in crate::usage) async fn missing(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    ahead: i64,
) -> db::Result<Vec<String>> {
    let statement = Statement::new(
        "SELECT to_char(m.month, 'YYYY-MM') AS month FROM (SELECT (",
    )
    .bind(now)
    .sql(" + n * interval '1 month') AT TIME ZONE 'UTC' AS month FROM generate_series(0, ")
    .bind(ahead)
    .sql(") AS n) m WHERE to_regclass('usage_events_' || to_char(m.month, 'YYYY_MM')) IS NULL ORDER BY 1");
    let months: Vec<Month> = statement.load(conn).await?;
    Ok(months.into_iter().map(|row| row.month).collect())
}

/// Drops the tables of months that have ended before that moment. Returns how many.
pub(in crate::usage) async fn expire(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> db::Result<i64> {
    let statement = Statement::new("SELECT usage_expire(")
        .bind(before)
        .sql(") AS count");
    let gone: Vec<Count> = statement.load(conn).await?;
    Ok(gone.iter().map(|row| row.count).sum())
}
