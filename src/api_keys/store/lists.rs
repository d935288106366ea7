//! Pages of keys: of all that may be seen, and of many owners or teams at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::api_keys::model::{ApiKey, ApiKeyFilter, ApiKeySort, ApiKeyStatus, KeySight};
use crate::db;
use crate::db::nested;
use crate::db::pages::{Page, PageRequest};
use crate::db::statement::{Seen, Statement};

/// All that is read of a key.
pub(super) const COLUMNS: &str = "SELECT k.id, k.owner_id, k.team_id, k.name, k.description, k.prefix,
    k.previous_secret_expires_at, k.enabled, k.disabled_reason, k.restricted, k.allowed_cidrs, k.expires_at, k.last_used_at,
    k.last_used_from, k.rotated_at, k.metadata, k.created_by, k.created_at, k.updated_at";

/// A page of keys, and their number if asked for: pipelined, one round trip.
pub(in crate::api_keys) async fn page(
    conn: &mut AsyncPgConnection,
    filter: &ApiKeyFilter,
    sight: &KeySight,
    now: DateTime<Utc>,
    (sort, descending): (ApiKeySort, bool),
    request: &PageRequest,
) -> db::Result<Page<ApiKey>> {
    let from = matching(Statement::new(" FROM api_keys k"), filter, sight, now);
    let column = match sort {
        ApiKeySort::CreatedAt => "k.created_at",
        ApiKeySort::Name => "k.name",
    };
    db::list::page(conn, COLUMNS, from, (column, "k.id"), descending, request).await
}

/// The same page of each parent's keys, in the order in which they were made; owners, or else teams.
pub(in crate::api_keys) async fn pages_of(
    conn: &AsyncPgConnection,
    (parents, are_teams): (Vec<Uuid>, bool),
    filter: &ApiKeyFilter,
    sight: &KeySight,
    now: DateTime<Utc>,
    request: &PageRequest,
) -> db::Result<HashMap<Uuid, Page<ApiKey>>> {
    let hangs = if are_teams {
        "k.team_id = p.parent"
    } else {
        "k.owner_id = p.parent"
    };
    let from = || {
        let each = Statement::new(" FROM api_keys k").condition().sql(hangs);
        matching(each, filter, sight, now)
    };
    let order = ("k.created_at", "k.id");
    nested::pages(conn, parents, COLUMNS, from, order, request).await
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
