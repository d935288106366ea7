//! SQL of lists of permissions.

use std::collections::HashMap;

use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::db;
use crate::db::ids::Kind;
use crate::db::nested;
use crate::db::pages::{Page, PageRequest};
use crate::db::statement::Statement;
use crate::permissions::model::{
    Permission, PermissionFilter, PermissionList, PermissionSight, Principal,
};
use crate::permissions::visible::{Territory, told};

const COLUMNS: &str =
    "SELECT g.id, g.user_id, g.team_id, g.api_key_id, g.path, g.role_id, g.propagate, g.expires_at,
    g.created_by, g.created_at";

const FROM: &str = " FROM permissions g";

/// Permissions, without a condition.
pub(super) const SELECT: &str =
    "SELECT g.id, g.user_id, g.team_id, g.api_key_id, g.path, g.role_id, g.propagate,
    g.expires_at, g.created_by, g.created_at FROM permissions g";

/// A page of permissions, and their number if asked for: pipelined, one round trip.
pub(crate) async fn page(
    conn: &mut AsyncPgConnection,
    filter: &PermissionFilter,
    sight: &PermissionSight,
    request: &PageRequest,
) -> db::Result<Page<Permission>> {
    let from = matching(Statement::new(FROM), filter, sight);
    db::list::page(
        conn,
        COLUMNS,
        from,
        ("g.created_at", "g.id"),
        false,
        request,
    )
    .await
}

/// The same page for each of many principals of one kind.
pub(crate) async fn pages(
    conn: &AsyncPgConnection,
    principals: Vec<Uuid>,
    list: &PermissionList,
    request: &PageRequest,
) -> db::Result<HashMap<Uuid, Page<Permission>>> {
    let holds = match list.holder {
        Kind::User => "g.user_id = p.parent",
        Kind::Team => "g.team_id = p.parent",
        _ => "g.api_key_id = p.parent",
    };
    let from = || {
        let from = Statement::new(FROM).condition().sql(holds);
        seen(from.condition(), &list.sight)
    };
    nested::pages(
        conn,
        principals,
        COLUMNS,
        from,
        ("g.created_at", "g.id"),
        request,
    )
    .await
}

fn matching(mut from: Statement, filter: &PermissionFilter, sight: &PermissionSight) -> Statement {
    if *sight != PermissionSight::all() {
        from = seen(from.condition(), sight);
    }
    if let Some(principal) = filter.principal {
        let column = match principal {
            Principal::User(_) => "g.user_id = ",
            Principal::Team(_) => "g.team_id = ",
            Principal::ApiKey(_) => "g.api_key_id = ",
        };
        from = from.and(column, principal.id());
    }
    if let Some(prefix) = filter
        .path_prefix
        .as_ref()
        .filter(|prefix| !prefix.is_root())
    {
        // What lies below begins with `<prefix>/`; `0` is the character after `/`. These operators use the index of patterns.
        from = from
            .and("(g.path = ", prefix.as_str())
            .sql(" OR (g.path ~>=~ ")
            .bind(format!("{prefix}/"))
            .sql(" AND g.path ~<~ ")
            .bind(format!("{prefix}0"))
            .sql("))");
    }
    from.and_if("g.path = ", filter.path.as_ref().map(ToString::to_string))
        .and_if("g.role_id = ", filter.role)
        .and_if("g.expires_at < ", filter.expires_before)
}

/// Adds a truth value: whether the permission may be seen.
fn seen(statement: Statement, sight: &PermissionSight) -> Statement {
    if *sight == PermissionSight::all() {
        return statement.sql("true");
    }
    let statement = match &sight.paths {
        Territory::Everywhere => return statement.sql("true"),
        Territory::Nowhere => statement.sql("(false"),
        Territory::Marks(marks) => statement.sql("(").marked_g(told(marks)),
    };
    if sight.users.is_none() && sight.teams.is_none() {
        return statement.sql(")");
    }
    statement
        .sql(" OR (g.user_id IS NOT NULL AND ")
        .seen("g.user_id", &sight.users)
        .sql(") OR (g.team_id IS NOT NULL AND ")
        .seen("g.team_id", &sight.teams)
        .sql(") OR EXISTS (SELECT 1 FROM api_keys k WHERE k.id = g.api_key_id AND (")
        .seen("k.owner_id", &sight.users)
        .sql(" OR (k.team_id IS NOT NULL AND ")
        .seen("k.team_id", &sight.teams)
        .sql("))))")
}
