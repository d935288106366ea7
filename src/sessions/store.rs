//! SQL of sessions.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::model::{Session, SessionUse};
use crate::db;
use crate::db::pages::{Page, PageRequest};
use crate::db::schema::sessions;
use crate::db::statement::Statement;
use crate::secrets::Digest;

const COLUMNS: &str = "SELECT s.id, s.user_id, s.method, s.device, s.created_from, s.created_at, s.expires_at, s.last_used_at,
    s.last_used_from";

pub(super) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> db::Result<Vec<Session>> {
    Ok(sessions::table
        .filter(sessions::id.eq_any(ids))
        .select(Session::as_select())
        .load(conn)
        .await?)
}

/// A page of a user's sessions that have not ended, and their number if asked for: those that end later than `now`, and were used after
/// `idle_since`.
pub(super) async fn page(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    now: DateTime<Utc>,
    idle_since: DateTime<Utc>,
    request: &PageRequest,
) -> db::Result<Page<Session>> {
    let from = Statement::new(" FROM sessions s")
        .and("s.user_id = ", user)
        .and("s.expires_at > ", now)
        .and("s.last_used_at > ", idle_since);
    let order = ("s.created_at", "s.id");
    db::list::page(conn, COLUMNS, from, order, false, request).await
}

pub(super) async fn insert(
    conn: &mut AsyncPgConnection,
    session: &Session,
    digest: &Digest,
) -> db::Result<()> {
    diesel::insert_into(sessions::table)
        .values((session, sessions::digest.eq(digest.as_bytes().as_slice())))
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes those of these sessions that are there, and returns them.
pub(super) async fn delete(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> db::Result<Vec<Session>> {
    Ok(
        diesel::delete(sessions::table.filter(sessions::id.eq_any(ids)))
            .returning(Session::as_returning())
            .load(conn)
            .await?,
    )
}

/// The ids of a user's sessions but for so many that were used last.
pub(super) async fn beyond(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    kept: i64,
) -> db::Result<Vec<Uuid>> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user))
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .offset(kept)
        .select(sessions::id)
        .load(conn)
        .await?)
}

/// The ids of a user's sessions; the rows are locked, in the order of their ids as where many uses are stored.
pub(super) async fn lock_all_of(conn: &mut AsyncPgConnection, user: Uuid) -> db::Result<Vec<Uuid>> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user))
        .order(sessions::id)
        .select(sessions::id)
        .for_update()
        .load(conn)
        .await?)
}

/// Deletes a part of the sessions that ended by themselves: those whose time was over, or that were used last, before these moments.
pub(super) async fn purge(
    conn: &mut AsyncPgConnection,
    expired: DateTime<Utc>,
    idle: DateTime<Utc>,
) -> db::Result<usize> {
    let over = Statement::new("expires_at <= ")
        .bind(expired)
        .sql(" OR last_used_at <= ")
        .bind(idle);
    Ok(Statement::purge("sessions", "id", over)
        .execute(conn)
        .await?)
}

/// Stores many uses at once. A later use that is stored already stays; rows are locked in the order of their ids, so that two
/// processes never wait for each other in a circle.
pub(super) async fn note_used(conn: &mut AsyncPgConnection, uses: &[SessionUse]) -> db::Result<()> {
    let ids: Vec<Uuid> = uses.iter().map(|each| each.session).collect();
    let moments: Vec<DateTime<Utc>> = uses.iter().map(|each| each.at).collect();
    let places: Vec<String> = uses
        .iter()
        .map(|each| each.from.clone().unwrap_or_default())
        .collect();
    Statement::new("WITH later AS (SELECT s.id, used.at, used.place FROM unnest(")
        .bind(ids)
        .sql("::uuid[], ")
        .bind(moments)
        .sql("::timestamptz[], ")
        .bind(places)
        .sql(
            "::text[]) AS used (id, at, place) JOIN sessions s ON s.id = used.id
            WHERE s.last_used_at < used.at ORDER BY s.id FOR NO KEY UPDATE OF s)
        UPDATE sessions s SET last_used_at = later.at, last_used_from = nullif(later.place, '')
        FROM later WHERE s.id = later.id",
        )
        .execute(conn)
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Wait {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    seconds: i64,
}

/// Counts an attempt to sign in, and answers 0, or how many seconds to wait; the function in the database says how.
pub(super) async fn attempt(
    conn: &mut AsyncPgConnection,
    keys: &[Digest; 3],
    at: DateTime<Utc>,
) -> db::Result<i64> {
    let [both, login, address] = keys.map(|key| key.as_bytes().to_vec());
    let rows: Vec<Wait> = Statement::new("SELECT sign_in_attempt(")
        .bind(both)
        .sql(", ")
        .bind(login)
        .sql(", ")
        .bind(address)
        .sql(", ")
        .bind(at)
        .sql(") AS seconds")
        .load(conn)
        .await?;
    Ok(rows.iter().map(|row| row.seconds).sum())
}

/// Takes back what was counted of an attempt that succeeded.
pub(super) async fn succeeded(conn: &mut AsyncPgConnection, keys: &[Digest; 3]) -> db::Result<()> {
    let [both, login, address] = keys.map(|key| key.as_bytes().to_vec());
    Statement::new("SELECT sign_in_succeeded(")
        .bind(both)
        .sql(", ")
        .bind(login)
        .sql(", ")
        .bind(address)
        .sql(")")
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes a part of the counts of attempts the last of which was before that moment.
pub(super) async fn forget(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> db::Result<usize> {
    let over = Statement::new("last_at < ").bind(before);
    let purge = Statement::purge("sign_in_attempts", "key", over);
    Ok(purge.execute(conn).await?)
}
