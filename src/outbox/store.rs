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

/// Claims up to `limit` parcels that are due, until `until`. What another transaction is claiming is passed over.
pub(super) async fn claim(
    conn: &mut AsyncPgConnection,
    lane: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> db::Result<Vec<Parcel>> {
    Ok(Statement::new("WITH due AS (SELECT id FROM outbox")
        .and("lane = ", lane)
        .and("due_at <= ", now)
        .sql(" ORDER BY due_at, id LIMIT ")
        .bind(limit)
        .sql(" FOR UPDATE SKIP LOCKED) UPDATE outbox o SET attempts = attempts + 1, due_at = ")
        .bind(until)
        .sql(" FROM due WHERE o.id = due.id RETURNING o.id, o.payload, o.attempts")
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
