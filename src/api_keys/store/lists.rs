//! Pages of keys: of all that may be seen, and of many owners or teams at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;
use uuid::Uuid;

use crate::api_keys::model::{ApiKey, ApiKeyFilter, ApiKeySort, ApiKeyStatus, KeySight};
use crate::db;
use crate::db::pages::{Page, PageRequest};
use crate::db::statement::{Seen, Statement};

const COLUMNS: &str = "SELECT k.id, k.owner_id, k.team_id, k.name, k.description, k.prefix,
    k.previous_secret_expires_at, k.enabled, k.restricted, k.allowed_cidrs, k.expires_at, k.last_used_at,
    k.last_used_from, k.rotated_at, k.metadata, k.created_by, k.created_at, k.updated_at";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct CountOf {
    #[diesel(sql_type = SqlUuid)]
    parent: Uuid,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A page of keys, and their number if asked for: pipelined, one round trip.
pub(in crate::api_keys) async fn page(
    conn: &mut AsyncPgConnection,
    filter: &ApiKeyFilter,
    sight: &KeySight,
    now: DateTime<Utc>,
    (sort, descending): (ApiKeySort, bool),
    request: &PageRequest,
) -> db::Result<Page<ApiKey>> {
    let conn = &*conn;
    let from = || matching(Statement::new(" FROM api_keys k"), filter, sight, now);
    let column = match sort {
        ApiKeySort::CreatedAt => "k.created_at",
        ApiKeySort::Name => "k.name",
    };
    let list = Statement::new(COLUMNS)
        .append(from())
        .keyset(column, "k.id", descending, request);
    let rows = async { Ok::<_, db::Failure>(list.load::<ApiKey>(&mut &*conn).await?) };
    let total = async {
        if !request.count {
            return Ok(None);
        }
        let counted: Vec<Count> = Statement::new("SELECT count(*) AS count")
            .append(from())
            .load(&mut &*conn)
            .await?;
        Ok::<_, db::Failure>(counted.iter().map(|row| row.count).next())
    };
    let (rows, total) = try_join(rows, total).await?;
    Ok(Page::of(request, rows, total))
}

/// What a nested list hangs on.
#[derive(Clone, Copy)]
struct Parent {
    /// The column that names it.
    column: &'static str,
    is: &'static str,
    is_any: &'static str,
    of: fn(&ApiKey) -> Option<Uuid>,
}

const OWNER: Parent = Parent {
    column: "k.owner_id",
    is: "k.owner_id = parent.id",
    is_any: "k.owner_id = ANY(",
    of: |key| Some(key.owner_id),
};
const TEAM: Parent = Parent {
    column: "k.team_id",
    is: "k.team_id = parent.id",
    is_any: "k.team_id = ANY(",
    of: |key| key.team_id,
};

/// The same page of each parent's keys, in the order in which they were made; owners, or else teams.
pub(in crate::api_keys) async fn pages_of(
    conn: &mut AsyncPgConnection,
    (ids, are_teams): (&[Uuid], bool),
    filter: &ApiKeyFilter,
    sight: &KeySight,
    now: DateTime<Utc>,
    request: &PageRequest,
) -> db::Result<HashMap<Uuid, Page<ApiKey>>> {
    let parent = if are_teams { TEAM } else { OWNER };
    let conn = &*conn;
    let each = Statement::new(" FROM api_keys k")
        .condition()
        .sql(parent.is);
    let list = Statement::new(COLUMNS)
        .sql(" FROM unnest(")
        .bind(ids.to_vec())
        .sql("::uuid[]) AS parent (id) CROSS JOIN LATERAL (SELECT k.*")
        .append(matching(each, filter, sight, now))
        .keyset("k.created_at", "k.id", false, request)
        .sql(") k");
    let rows = async { Ok::<_, db::Failure>(list.load::<ApiKey>(&mut &*conn).await?) };
    let counts = async {
        if !request.count {
            return Ok(Vec::new());
        }
        let all = Statement::new(" FROM api_keys k")
            .and(parent.is_any, ids.to_vec())
            .sql(")");
        let counted: Vec<CountOf> = Statement::new("SELECT ")
            .sql(parent.column)
            .sql(" AS parent, count(*) AS count")
            .append(matching(all, filter, sight, now))
            .sql(" GROUP BY ")
            .sql(parent.column)
            .load(&mut &*conn)
            .await?;
        Ok::<_, db::Failure>(counted)
    };
    let (mut rows, counts) = try_join(rows, counts).await?;
    rows.sort_by_key(|key| (key.created_at, key.id));
    if request.backward {
        rows.reverse();
    }
    let mut by_parent: HashMap<Uuid, Vec<ApiKey>> = HashMap::new();
    for key in rows {
        if let Some(id) = (parent.of)(&key) {
            by_parent.entry(id).or_default().push(key);
        }
    }
    let counts: HashMap<Uuid, i64> = counts
        .into_iter()
        .map(|row| (row.parent, row.count))
        .collect();
    let page = |id: &Uuid| {
        let total = request.count.then(|| counts.get(id).copied().unwrap_or(0));
        let rows = by_parent.remove(id).unwrap_or_default();
        (*id, Page::of(request, rows, total))
    };
    Ok(ids.iter().map(page).collect())
}

fn matching(
    from: Statement,
    filter: &ApiKeyFilter,
    sight: &KeySight,
    now: DateTime<Utc>,
) -> Statement {
    let mut from = visible(from, sight)
        .and_if("k.owner_id = ", filter.owner)
        .and_if("k.team_id = ", filter.team)
        .and_if("k.restricted = ", filter.restricted)
        .and_if("k.created_by = ", filter.created_by)
        .and_if("k.expires_at < ", filter.expires_before);
    if let Some(words) = filter.search.as_deref().map(db::search::prefixes) {
        from = from
            .and("k.search @@ to_tsquery('simple', ", words)
            .sql(")");
    }
    if let Some(since) = filter.unused_since {
        from = from
            .and("(k.last_used_at IS NULL OR k.last_used_at < ", since)
            .sql(")");
    }
    match filter.status {
        Some(ApiKeyStatus::Active) => from
            .and(
                "k.enabled AND (k.expires_at IS NULL OR k.expires_at > ",
                now,
            )
            .sql(")"),
        Some(ApiKeyStatus::Disabled) => from.condition().sql("NOT k.enabled"),
        Some(ApiKeyStatus::Expired) => from.and("k.enabled AND k.expires_at <= ", now),
        None => from,
    }
}

/// Only keys that the actor may see: by the owner, by the team, or the one it uses.
fn visible(from: Statement, sight: &KeySight) -> Statement {
    if sight.users == Seen::All {
        return from;
    }
    let mut from = from.condition().sql("(").seen("k.owner_id", &sight.users);
    if !sight.teams.is_none() {
        // A key without team is no team's, whichever may be seen.
        from = from
            .sql(" OR (k.team_id IS NOT NULL AND ")
            .seen("k.team_id", &sight.teams)
            .sql(")");
    }
    if let Some(own) = sight.own {
        from = from.sql(" OR k.id = ").bind(own);
    }
    from.sql(")")
}
