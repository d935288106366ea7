//! SQL of magic links.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::model::MagicLink;
use crate::db;
use crate::db::schema::magic_links;
use crate::db::statement::Statement;
use crate::secrets::Digest;

#[derive(QueryableByName)]
struct Wait {
    #[diesel(sql_type = BigInt)]
    seconds: i64,
}

/// Notes that a link to that address is asked for and answers 0, or how many seconds are left until one may be, and notes nothing. One
/// statement, whoever has the address.
pub(super) async fn note(
    conn: &mut AsyncPgConnection,
    address: &Digest,
    now: DateTime<Utc>,
    pause: TimeDelta,
) -> db::Result<i64> {
    let rows: Vec<Wait> = Statement::new(
        "WITH noted AS (INSERT INTO magic_link_requests AS r (address, at) VALUES (",
    )
    .bind(address.as_bytes().to_vec())
    .sql(", ")
    .bind(now)
    .sql(") ON CONFLICT (address) DO UPDATE SET at = EXCLUDED.at WHERE r.at <= ")
    .bind(now - pause)
    .sql(" RETURNING 0::bigint AS seconds) SELECT seconds FROM noted UNION ALL SELECT greatest(1, ceil(extract(epoch FROM r.at - ")
    .bind(now - pause)
    .sql(")))::bigint FROM magic_link_requests r WHERE NOT EXISTS (SELECT 1 FROM noted) AND r.address = ")
    .bind(address.as_bytes().to_vec())
    .load(conn)
    .await?;
    // Of two at once the second finds a row that its snapshot does not show.
    let wait = rows.into_iter().next();
    Ok(wait.map_or(pause.num_seconds(), |row| row.seconds))
}

/// Stores a link, unless the same parcel has made one already; false if it has.
pub(super) async fn insert(
    conn: &mut AsyncPgConnection,
    link: &MagicLink,
    digest: &Digest,
) -> db::Result<bool> {
    let stored = diesel::insert_into(magic_links::table)
        .values((link, magic_links::digest.eq(digest.as_bytes().as_slice())))
        .on_conflict(magic_links::id)
        .do_nothing()
        .execute(conn)
        .await?;
    Ok(stored > 0)
}

/// The link with that token.
pub(super) async fn by_digest(
    conn: &mut AsyncPgConnection,
    digest: &Digest,
) -> db::Result<Option<MagicLink>> {
    Ok(magic_links::table
        .filter(magic_links::digest.eq(digest.as_bytes().as_slice()))
        .select(MagicLink::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// All links to that address, locked until the transaction ends: of two who present tokens the second sees what the first has done. In the
/// order of their ids, so that holders of two links to one address never wait for each other.
pub(super) async fn lock_by_email(
    conn: &mut AsyncPgConnection,
    email: &str,
) -> db::Result<Vec<MagicLink>> {
    let statement = Statement::new(
        "SELECT id, user_id, email, created_at, expires_at, used_at FROM magic_links",
    );
    let statement = statement.and("lower(email) = lower(", email);
    let statement = statement.sql(") ORDER BY id FOR NO KEY UPDATE");
    Ok(statement.load(conn).await?)
}

/// Notes that the link was used: it, and every other one to the same address, is not good any more.
pub(super) async fn spend(
    conn: &mut AsyncPgConnection,
    link: &MagicLink,
    now: DateTime<Utc>,
) -> db::Result<()> {
    Statement::new("UPDATE magic_links SET used_at = ")
        .bind(now)
        .and("lower(email) = lower(", link.email.as_str())
        .sql(") AND used_at IS NULL")
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes a part of the links that ended, and of the notes that were made, before that moment; returns how many.
pub(super) async fn purge(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> db::Result<usize> {
    let over = Statement::new("expires_at < ").bind(before);
    let links = Statement::purge("magic_links", "id", over)
        .execute(conn)
        .await?;
    let over = Statement::new("at < ").bind(before);
    let notes = Statement::purge("magic_link_requests", "address", over);
    Ok(links + notes.execute(conn).await?)
}
