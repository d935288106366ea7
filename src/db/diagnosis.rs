//! What `keystead doctor` asks of a database, in one statement.

use super::connect::Endpoint;
use crate::ctx::Clock;
use crate::error::{Code, Error, Result};
use chrono::{DateTime, TimeDelta, Utc};

/// What a database says of itself.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The version, as a number: 150018 is 15.18.
    pub version: i32,
    /// The version in words.
    pub version_text: String,
    /// The encoding of the database; `UTF8` is right.
    pub encoding: String,
    /// Whether it refuses to write: a standby, or set so.
    pub read_only: bool,
    /// Connections that ordinary users may have together.
    pub max_connections: i32,
    /// Enabled users with the instance role ADMIN; `None` before the first migration.
    pub administrators: Option<i64>,
    /// How far its clock is ahead of ours.
    pub skew: TimeDelta,
    /// The most that `skew` may be wrong, as asking took time.
    pub uncertainty: TimeDelta,
}

const ASK: &str = "
    SELECT current_setting('server_version_num')::int,
        current_setting('server_version'),
        current_setting('server_encoding'),
        pg_is_in_recovery() OR current_setting('transaction_read_only')::bool,
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
        to_regclass('users') IS NOT NULL,
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

const ADMINISTRATORS: &str = "SELECT count(*) FROM users WHERE role = 'ADMIN' AND enabled";

/// Asks.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached; an internal error with its answer when it refuses.
pub async fn examine(endpoint: &Endpoint, clock: &Clock) -> Result<Diagnosis> {
    let refused = |error: tokio_postgres::Error| {
        Error::new(Code::Internal, "The database refused to answer.").because(format!("{error:?}"))
    };
    let client = endpoint.client().await?;
    // The first statement of a connection costs more than the time that is measured.
    let ask = client.prepare(ASK).await.map_err(refused)?;
    let before = clock.now();
    let row = client.query_one(&ask, &[]).await.map_err(refused)?;
    let after = clock.now();
    let administrators = if row.get(5) {
        Some(
            client
                .query_one(ADMINISTRATORS, &[])
                .await
                .map_err(refused)?
                .get(0),
        )
    } else {
        None
    };
    let there: DateTime<Utc> = DateTime::from_timestamp_micros(row.get(6)).unwrap_or_default();
    let uncertainty = (after - before) / 2;
    Ok(Diagnosis {
        version: row.get(0),
        version_text: row.get(1),
        encoding: row.get(2),
        read_only: row.get(3),
        max_connections: row.get(4),
        administrators,
        skew: there - (before + uncertainty),
        uncertainty,
    })
}
