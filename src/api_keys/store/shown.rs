//! Secrets that are shown once more.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Bytea;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::schema::shown_secrets;
use crate::db::statement::Statement;

/// A secret that waits to be seen, as it is stored.
#[derive(Debug, QueryableByName)]
pub(in crate::api_keys) struct Sealed {
    /// Whose key it is of.
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub owner_id: Uuid,
    /// The secret, sealed.
    #[diesel(sql_type = Bytea)]
    pub sealed: Vec<u8>,
}

pub(in crate::api_keys) async fn insert(
    conn: &mut AsyncPgConnection,
    (key, maker): (Uuid, Uuid),
    sealed: Vec<u8>,
    until: DateTime<Utc>,
) -> db::Result<()> {
    diesel::insert_into(shown_secrets::table)
        .values((
            shown_secrets::api_key_id.eq(key),
            shown_secrets::maker_id.eq(maker),
            shown_secrets::sealed.eq(sealed),
            shown_secrets::expires_at.eq(until),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Those of a team's keys that wait for that maker.
pub(in crate::api_keys) async fn of_team(
    conn: &mut AsyncPgConnection,
    (team, maker): (Uuid, Uuid),
    now: DateTime<Utc>,
) -> db::Result<Vec<Sealed>> {
    Ok(Statement::new(
        "SELECT k.owner_id, s.sealed FROM shown_secrets s JOIN api_keys k ON k.id = s.api_key_id",
    )
    .and("s.maker_id = ", maker)
    .and("s.expires_at > ", now)
    .and("k.team_id = ", team)
    .load(conn)
    .await?)
}

/// Deletes a part of those that ended before that moment; returns how many.
pub(in crate::api_keys) async fn purge(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> db::Result<usize> {
    let over = Statement::new("expires_at <= ").bind(before);
    Ok(Statement::purge("shown_secrets", "api_key_id", over)
        .execute(conn)
        .await?)
}
