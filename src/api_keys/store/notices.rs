//! Which notices were given of keys that are going to expire.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Integer;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::lists::COLUMNS;
use crate::api_keys::model::ApiKey;
use crate::db;
use crate::db::statement::Statement;

#[derive(QueryableByName)]
struct Noticed {
    #[diesel(embed)]
    key: ApiKey,
    #[diesel(sql_type = Integer)]
    days: i32,
}

/// Marks up to `limit` notices as given, and returns the keys with the days ahead. The mark is unique: of two transactions that do this
/// together the second waits for the first, and finds nothing left.
pub(in crate::api_keys) async fn notice_expiring(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> db::Result<Vec<(ApiKey, i32)>> {
    let rows: Vec<Noticed> = Statement::new(
        "WITH moment AS (SELECT ",
    )
    .bind(now)
    .sql(
        "::timestamptz AS now), due AS (
            SELECT k.id, k.expires_at, n.days FROM api_keys k, moment, LATERAL (
                SELECT min(days) AS days FROM unnest(ARRAY[14, 7, 1]) AS days
                WHERE k.expires_at <= moment.now + make_interval(days => days)
                    AND k.created_at < k.expires_at - make_interval(days => days)
            ) n
            WHERE k.enabled AND k.expires_at > moment.now AND k.expires_at <= moment.now + interval '14 days' AND n.days IS NOT NULL
                AND NOT EXISTS (SELECT FROM api_key_notices m
                    WHERE m.api_key_id = k.id AND m.expires_at = k.expires_at AND m.days <= n.days)
            ORDER BY k.expires_at, k.id LIMIT ",
    )
    .bind(limit)
    .sql(
        "), marked AS (
            INSERT INTO api_key_notices (api_key_id, expires_at, days) SELECT id, expires_at, days FROM due
            ON CONFLICT DO NOTHING RETURNING api_key_id, days
        ) ",
    )
    .sql(COLUMNS)
    .sql(", marked.days FROM marked JOIN api_keys k ON k.id = marked.api_key_id ORDER BY k.expires_at, k.id")
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.key, row.days)).collect())
}
