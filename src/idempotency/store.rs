//! SQL of stored answers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::schema::idempotency_keys;
use crate::db::statement::Statement;
use crate::secrets::Digest;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Takes the key for this transaction: true if it was free, or held by an answer no younger than `expired`. Waits for another
/// transaction that is about to take it.
pub(super) async fn claim(
    conn: &mut AsyncPgConnection,
    actor: Uuid,
    key: &str,
    fingerprint: Digest,
    now: DateTime<Utc>,
    expired: DateTime<Utc>,
) -> db::Result<bool> {
    let claim = Statement::new("WITH claimed AS (
        INSERT INTO idempotency_keys AS k (actor_id, key, fingerprint, created_at) VALUES (")
        .bind(actor)
        .sql(", ")
        .bind(key)
        .sql(", ")
        .bind(fingerprint.as_bytes().to_vec())
        .sql(", ")
        .bind(now)
        .sql(
            ") ON CONFLICT (actor_id, key) DO UPDATE
            SET fingerprint = excluded.fingerprint, answer = NULL, created_at = excluded.created_at WHERE k.created_at <= ",
        )
        .bind(expired)
        .sql(" RETURNING 1) SELECT count(*) AS count FROM claimed");
    let claimed: Vec<Count> = claim.load(conn).await?;
    Ok(claimed.iter().any(|row| row.count > 0))
}

/// The fingerprint and the sealed answer that are stored under the key.
pub(super) async fn find(
    conn: &mut AsyncPgConnection,
    actor: Uuid,
    key: &str,
) -> db::Result<Option<(Vec<u8>, Option<Vec<u8>>)>> {
    Ok(idempotency_keys::table
        .find((actor, key))
        .select((idempotency_keys::fingerprint, idempotency_keys::answer))
        .first(conn)
        .await
        .optional()?)
}

/// Stores the answer under a key that this transaction has claimed.
pub(super) async fn answer(
    conn: &mut AsyncPgConnection,
    actor: Uuid,
    key: &str,
    sealed: &[u8],
) -> db::Result<()> {
    diesel::update(idempotency_keys::table.find((actor, key)))
        .set(idempotency_keys::answer.eq(sealed))
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes up to `limit` keys that have expired, oldest first; those that are being taken again are left alone.
pub(super) async fn purge(
    conn: &mut AsyncPgConnection,
    expired: DateTime<Utc>,
    limit: i64,
) -> db::Result<i64> {
    let purge = Statement::new(
        "WITH gone AS (DELETE FROM idempotency_keys WHERE (actor_id, key) IN (
            SELECT actor_id, key FROM idempotency_keys WHERE created_at <= ",
    )
    .bind(expired)
    .sql(" ORDER BY created_at LIMIT ")
    .bind(limit)
    .sql(" FOR UPDATE SKIP LOCKED) RETURNING 1) SELECT count(*) AS count FROM gone");
    let gone: Vec<Count> = purge.load(conn).await?;
    Ok(gone.iter().map(|row| row.count).sum())
}
