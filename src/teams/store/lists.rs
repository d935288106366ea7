//! SQL of lists of teams and of members.

use std::collections::HashMap;

use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::db;
use crate::db::nested;
use crate::db::pages::{Cursor, Page, PageRequest, SortKey};
use crate::db::statement::{Seen, Statement};
use crate::teams::model::{JoinedTeam, MemberList, Membership, Team, TeamFilter, TeamSort};

const COLUMNS: &str =
    "SELECT t.id, t.slug, t.name, t.description, t.parent_id, t.enabled, t.metadata, t.created_at,
    t.updated_at";
/// Teams, without a condition.
pub(super) const SELECT: &str =
    "SELECT t.id, t.slug, t.name, t.description, t.parent_id, t.enabled, t.metadata,
    t.created_at, t.updated_at FROM teams t";
const JOINED_COLUMNS: &str =
    "SELECT t.id, t.slug, t.name, t.description, t.parent_id, t.enabled, t.metadata, t.created_at,
    t.updated_at, m.since";
const MEMBER_COLUMNS: &str = "SELECT m.team_id, m.user_id, m.role, m.since, m.expires_at";

/// A page of teams, and their number if asked for: pipelined, one round trip.
pub(crate) async fn page(
    conn: &AsyncPgConnection,
    filter: &TeamFilter,
    sight: &Seen,
    sort: TeamSort,
    descending: bool,
    request: &PageRequest,
) -> db::Result<Page<Team>> {
    let column = match sort {
        TeamSort::CreatedAt => "t.created_at",
        TeamSort::Slug => "lower(t.slug)",
    };
    let from = matching(filter, sight);
    db::list::page(conn, COLUMNS, from, (column, "t.id"), descending, request).await
}

fn matching(filter: &TeamFilter, sight: &Seen) -> Statement {
    let mut from = Statement::new(" FROM teams t");
    if *sight != Seen::All {
        from = from.condition().seen("t.id", sight);
    }
    if let Some(words) = filter.search.as_deref().map(db::search::prefixes) {
        from = from
            .and("t.search @@ to_tsquery('simple', ", words)
            .sql(")");
    }
    if let Some(member) = filter.member {
        from = from
            .and(
                "EXISTS (SELECT 1 FROM team_memberships m WHERE m.team_id = t.id AND m.user_id = ",
                member,
            )
            .sql(")");
    }
    from = match filter.root {
        Some(true) => from.condition().sql("t.parent_id IS NULL"),
        Some(false) => from.condition().sql("t.parent_id IS NOT NULL"),
        None => from,
    };
    from.and_if("t.enabled = ", filter.enabled)
        .and_if("t.parent_id = ", filter.parent)
        .and_if("t.created_at >= ", filter.created_from)
        .and_if("t.created_at < ", filter.created_before)
}

/// The place of a team in a list of that order.
pub(crate) fn cursor(team: &Team, sort: TeamSort) -> Cursor {
    let key = match sort {
        TeamSort::CreatedAt => SortKey::Time(team.created_at),
        TeamSort::Slug => SortKey::Text(team.slug.to_ascii_lowercase()),
    };
    Cursor { key, id: team.id }
}

/// The children of each of these teams, oldest first.
pub(crate) async fn children(
    conn: &AsyncPgConnection,
    parents: Vec<Uuid>,
    sight: &Seen,
    request: &PageRequest,
) -> db::Result<HashMap<Uuid, Page<Team>>> {
    let from = || {
        let from = Statement::new(" FROM teams t")
            .condition()
            .sql("t.parent_id = p.parent");
        with_sight(from, "t.id", sight)
    };
    nested::pages(
        conn,
        parents,
        COLUMNS,
        from,
        ("t.created_at", "t.id"),
        request,
    )
    .await
}

/// The teams of each of these users, in the order in which it joined them.
pub(crate) async fn teams_of(
    conn: &AsyncPgConnection,
    users: Vec<Uuid>,
    sight: &Seen,
    request: &PageRequest,
) -> db::Result<HashMap<Uuid, Page<JoinedTeam>>> {
    let from = || {
        let from = Statement::new(" FROM team_memberships m JOIN teams t ON t.id = m.team_id")
            .condition()
            .sql("m.user_id = p.parent");
        with_sight(from, "m.team_id", sight)
    };
    nested::pages(
        conn,
        users,
        JOINED_COLUMNS,
        from,
        ("m.since", "m.team_id"),
        request,
    )
    .await
}

/// The memberships of each of these users, in the order in which it joined.
pub(crate) async fn memberships_of(
    conn: &AsyncPgConnection,
    users: Vec<Uuid>,
    sight: &Seen,
    request: &PageRequest,
) -> db::Result<HashMap<Uuid, Page<Membership>>> {
    let from = || {
        let from = Statement::new(" FROM team_memberships m")
            .condition()
            .sql("m.user_id = p.parent");
        with_sight(from, "m.team_id", sight)
    };
    nested::pages(
        conn,
        users,
        MEMBER_COLUMNS,
        from,
        ("m.since", "m.team_id"),
        request,
    )
    .await
}

/// The members of each of these teams, in the order in which they joined.
pub(crate) async fn members(
    conn: &AsyncPgConnection,
    teams: Vec<Uuid>,
    list: &MemberList,
    request: &PageRequest,
) -> db::Result<HashMap<Uuid, Page<Membership>>> {
    let from = || {
        let mut from = Statement::new(if list.filter.search.is_some() {
            " FROM team_memberships m JOIN users u ON u.id = m.user_id"
        } else {
            " FROM team_memberships m"
        })
        .condition()
        .sql("m.team_id = p.parent");
        if let Some(sight) = &list.sight {
            from = from
                .condition()
                .sql("(")
                .seen("m.user_id", &sight.users)
                .sql(
                    " OR EXISTS (SELECT 1 FROM team_memberships o WHERE o.user_id = m.user_id AND ",
                )
                .seen("o.team_id", &sight.teams)
                .sql("))");
        }
        if let Some(words) = list.filter.search.as_deref().map(db::search::prefixes) {
            from = from
                .and("u.search @@ to_tsquery('simple', ", words)
                .sql(")");
        }
        from.and_if("m.role = ", list.filter.role.map(|role| role.as_str()))
    };
    nested::pages(
        conn,
        teams,
        MEMBER_COLUMNS,
        from,
        ("m.since", "m.user_id"),
        request,
    )
    .await
}

fn with_sight(from: Statement, column: &'static str, sight: &Seen) -> Statement {
    match sight {
        Seen::All => from,
        some => from.condition().seen(column, some),
    }
}
