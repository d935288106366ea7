//! SQL of the outbox.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::model::Parcel;
use crate::db;
use crate::db::schema::outbox;
use crate::db::statement::Statement;

/// Parcels among which those to be claimed are chosen.
const LOOKED_AT: i64 = 500;

pub(super) async fn insert(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    lane: &str,
    payload: Vec<u8>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(id),
            outbox::lane.eq(lane),
            outbox::payload.eq(payload),
            outbox::attempts.eq(0),
            outbox::created_at.eq(now),
            outbox::due_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes events away. A row that another transaction is taking is passed over.
pub(super) async fn take_events(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> db::Result<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        id: Uuid,
    }
    let mut taken: Vec<Taken> = Statement::new("WITH due AS (SELECT id FROM outbox")
        .and("lane = ", "EVENT")
        .and("due_at <= ", now)
        .sql(" ORDER BY due_at, id LIMIT ")
        .bind(limit)
        .sql(" FOR UPDATE SKIP LOCKED) DELETE FROM outbox o USING due WHERE o.id = due.id RETURNING o.id")
        .load(conn)
        .await?;
    taken.sort_unstable_by_key(|row| row.id);
    Ok(taken.into_iter().map(|row| row.id).collect())
}

pub(super) async fn insert_deliveries(
    conn: &mut AsyncPgConnection,
    deliveries: &[(Uuid, Uuid)],
    now: DateTime<Utc>,
) -> db::Result<()> {
    let (ids, webhooks): (Vec<Uuid>, Vec<Uuid>) = deliveries.iter().copied().unzip();
    Statement::new("INSERT INTO outbox (id, lane, subject, attempts, created_at, due_at) SELECT d.id, 'WEBHOOK', d.webhook, 0, ")
        .bind(now)
        .sql("::timestamptz, ")
        .bind(now)
        .sql("::timestamptz FROM unnest(")
        .bind(ids)
        .sql("::uuid[], ")
        .bind(webhooks)
        .sql("::uuid[]) AS d (id, webhook)")
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes a delivery that is not there, or begins one anew that was given up; returns how many.
pub(super) async fn restart_delivery(
    conn: &mut AsyncPgConnection,
    (id, webhook): (Uuid, Uuid),
    now: DateTime<Utc>,
) -> db::Result<usize> {
    Ok(Statement::new("INSERT INTO outbox (id, lane, subject, attempts, created_at, due_at) SELECT ")
        .bind(id)
        .sql("::uuid, 'WEBHOOK', ")
        .bind(webhook)
        .sql("::uuid, 0, ")
        .bind(now)
        .sql("::timestamptz, ")
        .bind(now)
        .sql(
            "::timestamptz ON CONFLICT (id) DO UPDATE SET attempts = 0, due_at = EXCLUDED.due_at, dead_at = NULL, error = NULL
            WHERE outbox.dead_at IS NOT NULL",
        )
        .execute(conn)
        .await?)
}

/// Claims up to `limit` parcels that are due, until `until`, and none for those that are busy. What another transaction is claiming is
/// passed over. Of the parcels for one receiver at most `share` are claimed.
pub(super) async fn claim(
    conn: &mut AsyncPgConnection,
    lane: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    (limit, share): (i64, i64),
    busy: Vec<Uuid>,
) -> db::Result<Vec<Parcel>> {
    Ok(Statement::new(
        "WITH first AS MATERIALIZED (SELECT id, due_at, subject FROM outbox",
    )
    .and("lane = ", lane)
    .and("due_at <= ", now)
    .condition()
    .sql("(subject IS NULL OR subject <> ALL(")
    .bind(busy)
    .sql(")) ORDER BY due_at, id LIMIT ")
    .bind(LOOKED_AT)
    .sql(
        "), shared AS (SELECT id, row_number() OVER (PARTITION BY subject ORDER BY due_at, id) AS place FROM first),
        due AS (SELECT id FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM shared WHERE place <= ",
    )
    .bind(share)
    .sql(")) AND due_at <= ")
    .bind(now)
    .sql(" ORDER BY due_at, id LIMIT ")
    .bind(limit)
    .sql(" FOR UPDATE SKIP LOCKED) UPDATE outbox o SET attempts = attempts + 1, due_at = ")
    .bind(until)
    .sql(" FROM due WHERE o.id = due.id RETURNING o.id, o.payload, o.subject, o.attempts")
    .load(conn)
    .await?)
}

/// Deletes a parcel that was delivered, unless it has been claimed again since.
pub(super) async fn delivered(conn: &mut AsyncPgConnection, parcel: &Parcel) -> db::Result<usize> {
    Ok(diesel::delete(outbox::table.find(parcel.id))
        .filter(outbox::attempts.eq(parcel.attempts))
        .execute(conn)
        .await?)
}

/// Says when a parcel is tried again, unless it has been claimed again since.
pub(super) async fn again(
    conn: &mut AsyncPgConnection,
    parcel: &Parcel,
    due_at: DateTime<Utc>,
    error: &str,
) -> db::Result<usize> {
    Ok(diesel::update(outbox::table.find(parcel.id))
        .filter(outbox::attempts.eq(parcel.attempts))
        .set((outbox::due_at.eq(due_at), outbox::error.eq(error)))
        .execute(conn)
        .await?)
}

/// Gives a parcel up, unless it has been claimed again since.
pub(super) async fn dead(
    conn: &mut AsyncPgConnection,
    parcel: &Parcel,
    now: DateTime<Utc>,
    error: &str,
) -> db::Result<usize> {
    Ok(diesel::update(outbox::table.find(parcel.id))
        .filter(outbox::attempts.eq(parcel.attempts))
        .set((
            outbox::due_at.eq(None::<DateTime<Utc>>),
            outbox::dead_at.eq(now),
            outbox::error.eq(error),
        ))
        .execute(conn)
        .await?)
}

/// Takes a claim back whose attempt was not made.
pub(super) async fn release(
    conn: &mut AsyncPgConnection,
    parcel: &Parcel,
    now: DateTime<Utc>,
) -> db::Result<usize> {
    Ok(diesel::update(outbox::table.find(parcel.id))
        .filter(outbox::attempts.eq(parcel.attempts))
        .set((
            outbox::due_at.eq(now),
            outbox::attempts.eq(parcel.attempts - 1),
        ))
        .execute(conn)
        .await?)
}

pub(super) async fn delete_dead(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> db::Result<usize> {
    Ok(
        diesel::delete(outbox::table.filter(outbox::dead_at.lt(before)))
            .execute(conn)
            .await?,
    )
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    dead: i64,
}

pub(super) async fn counts(conn: &mut AsyncPgConnection) -> db::Result<(i64, i64)> {
    let counted: Vec<Counts> = Statement::new(
        "SELECT count(*) FILTER (WHERE due_at IS NOT NULL) AS waiting, count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead FROM outbox",
    )
    .load(conn)
    .await?;
    Ok(counted
        .iter()
        .map(|row| (row.waiting, row.dead))
        .next()
        .unwrap_or_default())
}
