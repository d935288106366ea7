//! SQL of leases and of what is announced. What a process does with its own lease goes over its listening connection; everything else
//! over the pool.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tokio_postgres::Client;
use uuid::Uuid;

use super::model::LeaseRow;
use crate::db;
use crate::db::statement::Statement;

/// Where changes are announced.
pub(super) const CHANGES: &str = "keystead_changes";

/// What is for one lease alone: its own beats, and acknowledgements of what its process has announced.
pub(super) fn channel(lease: Uuid) -> String {
    format!("keystead_lease_{}", lease.simple())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    process: Uuid,
    #[diesel(sql_type = BigInt)]
    renewals: i64,
    #[diesel(sql_type = BigInt)]
    length_ms: i64,
    #[diesel(sql_type = Text)]
    holder: String,
}

/// Every lease there is. They are few: one for each server.
pub(super) async fn all(conn: &mut AsyncPgConnection) -> db::Result<Vec<LeaseRow>> {
    let statement =
        Statement::new("SELECT id, process, renewals, length_ms, holder FROM leases ORDER BY id");
    let rows: Vec<Row> = statement.load(conn).await?;
    let row = |row: Row| LeaseRow {
        id: row.id,
        process: row.process,
        renewals: row.renewals,
        length: Duration::from_millis(u64::try_from(row.length_ms).unwrap_or(u64::MAX)),
        holder: row.holder,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Deletes a lease unless it was renewed since; says whether it did.
pub(super) async fn bury(conn: &mut AsyncPgConnection, lease: &LeaseRow) -> db::Result<bool> {
    let statement = Statement::new("DELETE FROM leases WHERE id = ")
        .bind(lease.id)
        .sql(" AND renewals = ")
        .bind(lease.renewals);
    Ok(statement.execute(conn).await? > 0)
}

/// Sends a notification when the transaction commits.
pub(super) async fn notify(
    conn: &mut AsyncPgConnection,
    channel: &str,
    payload: String,
) -> db::Result<()> {
    let statement = Statement::new("SELECT pg_notify(")
        .bind(channel)
        .sql(", ")
        .bind(payload)
        .sql(")");
    statement.execute(conn).await?;
    Ok(())
}

type Spoken<T> = Result<T, tokio_postgres::Error>;

/// Listens to changes and to what is for this lease alone.
pub(super) async fn listen(client: &Client, lease: Uuid) -> Spoken<()> {
    let own = channel(lease);
    client
        .batch_execute(&format!("LISTEN {CHANGES}; LISTEN {own}"))
        .await
}

/// Stores a new lease, in place of any that the process had before. It is on the disk when this returns: one that a crash of the
/// database loses would be waited for by nobody. Renewals may be lost.
pub(super) async fn begin(client: &Client, lease: &LeaseRow) -> Spoken<()> {
    client
        .batch_execute("SET synchronous_commit = on; SET statement_timeout = '10s'")
        .await?;
    let length = i64::try_from(lease.length.as_millis()).unwrap_or(i64::MAX);
    client
        .execute(
            "WITH before AS (DELETE FROM leases WHERE process = $2::text::uuid)
             INSERT INTO leases (id, process, renewals, length_ms, holder, began_at)
             VALUES ($1::text::uuid, $2::text::uuid, 0, $3, $4, clock_timestamp())",
            &[
                &lease.id.to_string(),
                &lease.process.to_string(),
                &length,
                &lease.holder,
            ],
        )
        .await?;
    client.batch_execute("SET synchronous_commit = off").await?;
    Ok(())
}

/// Renews the lease and sends it the beat of this renewal; `None` if it is not there any more.
pub(super) async fn renew(client: &Client, lease: Uuid) -> Spoken<Option<i64>> {
    let row = client
        .query_opt(
            "UPDATE leases SET renewals = renewals + 1 WHERE id = $1::text::uuid
             RETURNING renewals, pg_notify($2, 'beat ' || renewals)::text",
            &[&lease.to_string(), &channel(lease)],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// Sends words to the channels of leases, in one transaction.
pub(super) async fn speak(client: &Client, channels: &[String], words: &[String]) -> Spoken<()> {
    client
        .execute(
            "SELECT pg_notify(channel, word) FROM unnest($1::text[], $2::text[]) AS said (channel, word)",
            &[&channels, &words],
        )
        .await?;
    Ok(())
}

/// Deletes the lease.
pub(super) async fn end(client: &Client, lease: Uuid) -> Spoken<()> {
    client
        .execute(
            "DELETE FROM leases WHERE id = $1::text::uuid",
            &[&lease.to_string()],
        )
        .await?;
    Ok(())
}
