//! SQL of lists of permissions.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{self, BigInt};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;
use uuid::Uuid;

use crate::db;
use crate::db::pages::{Page, PageRequest};
use crate::db::statement::Statement;
use crate::permissions::model::{Permission, PermissionFilter, PermissionSight, Principal};
use crate::permissions::visible::{Mark, Territory};

const COLUMNS: &str =
    "SELECT p.id, p.user_id, p.team_id, p.api_key_id, p.path, p.role_id, p.propagate, p.expires_at,
    p.created_by, p.created_at";

/// Permissions, without a condition.
pub(super) const SELECT: &str =
    "SELECT p.id, p.user_id, p.team_id, p.api_key_id, p.path, p.role_id, p.propagate,
    p.expires_at, p.created_by, p.created_at FROM permissions p";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A page of permissions, and their number if asked for: pipelined, one round trip.
pub(crate) async fn page(
    conn: &mut AsyncPgConnection,
    filter: &PermissionFilter,
    sight: &PermissionSight,
    request: &PageRequest,
) -> db::Result<Page<Permission>> {
    let conn = &*conn;
    let from = || matching(Statement::new(" FROM permissions p"), filter, sight);
    let list =
        Statement::new(COLUMNS)
            .append(from())
            .keyset("p.created_at", "p.id", false, request);
    let rows = async { Ok::<_, db::Failure>(list.load::<Permission>(&mut &*conn).await?) };
    let total = async {
        if !request.count {
            return Ok(None);
        }
        let counted = Statement::new("SELECT count(*) AS count")
            .append(from())
            .load::<Count>(&mut &*conn)
            .await?;
        Ok::<_, db::Failure>(counted.into_iter().next().map(|row| row.count))
    };
    let (rows, total) = try_join(rows, total).await?;
    Ok(Page::of(request, rows, total))
}

/// Of what kind the principals of one statement are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    User,
    Team,
    ApiKey,
}

impl Holder {
    pub(crate) fn of(principal: Principal) -> Self {
        match principal {
            Principal::User(_) => Self::User,
            Principal::Team(_) => Self::Team,
            Principal::ApiKey(_) => Self::ApiKey,
        }
    }

    fn equals(self) -> &'static str {
        match self {
            Self::User => "p.user_id = o.id",
            Self::Team => "p.team_id = o.id",
            Self::ApiKey => "p.api_key_id = o.id",
        }
    }
}

#[derive(QueryableByName)]
struct CountOf {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The same page for each of many principals of one kind, and their numbers if asked for: one round trip.
pub(crate) async fn pages(
    conn: &mut AsyncPgConnection,
    holder: Holder,
    ids: &[Uuid],
    sight: &PermissionSight,
    request: &PageRequest,
) -> db::Result<HashMap<Uuid, Page<Permission>>> {
    let conn = &*conn;
    let from = || {
        Statement::new(" FROM permissions p")
            .condition()
            .sql(holder.equals())
            .condition()
    };
    let inner = seen(from(), sight).keyset("p.created_at", "p.id", false, request);
    let list = Statement::new("SELECT p.* FROM unnest(")
        .bind(ids.to_vec())
        .sql("::uuid[]) AS o (id) CROSS JOIN LATERAL (")
        .sql(COLUMNS)
        .append(inner)
        .sql(") p");
    let rows = async { Ok::<_, db::Failure>(list.load::<Permission>(&mut &*conn).await?) };
    let totals = async {
        if !request.count {
            return Ok(HashMap::new());
        }
        let counted = Statement::new("SELECT o.id, p.count FROM unnest(")
            .bind(ids.to_vec())
            .sql("::uuid[]) AS o (id) CROSS JOIN LATERAL (SELECT count(*) AS count")
            .append(seen(from(), sight))
            .sql(") p")
            .load::<CountOf>(&mut &*conn)
            .await?;
        Ok::<_, db::Failure>(counted.into_iter().map(|row| (row.id, row.count)).collect())
    };
    let (rows, totals) = try_join(rows, totals).await?;
    let mut by_holder: HashMap<Uuid, Vec<Permission>> = HashMap::with_capacity(ids.len());
    for row in rows {
        let id = row
            .user_id
            .or(row.team_id)
            .or(row.api_key_id)
            .unwrap_or_default();
        by_holder.entry(id).or_default().push(row);
    }
    let page = |id: &Uuid| {
        let mut rows = by_holder.remove(id).unwrap_or_default();
        rows.sort_by_key(|row| (row.created_at, row.id));
        if request.backward {
            rows.reverse();
        }
        (*id, Page::of(request, rows, totals.get(id).copied()))
    };
    Ok(ids.iter().map(page).collect())
}

fn matching(mut from: Statement, filter: &PermissionFilter, sight: &PermissionSight) -> Statement {
    if *sight != PermissionSight::all() {
        from = seen(from.condition(), sight);
    }
    if let Some(principal) = filter.principal {
        let column = match principal {
            Principal::User(_) => "p.user_id = ",
            Principal::Team(_) => "p.team_id = ",
            Principal::ApiKey(_) => "p.api_key_id = ",
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
            .and("(p.path = ", prefix.as_str())
            .sql(" OR (p.path ~>=~ ")
            .bind(format!("{prefix}/"))
            .sql(" AND p.path ~<~ ")
            .bind(format!("{prefix}0"))
            .sql("))");
    }
    from.and_if("p.path = ", filter.path.as_ref().map(ToString::to_string))
        .and_if("p.role_id = ", filter.role)
        .and_if("p.expires_at < ", filter.expires_before)
}

/// Adds a truth value: whether the permission may be seen.
fn seen(statement: Statement, sight: &PermissionSight) -> Statement {
    if *sight == PermissionSight::all() {
        return statement.sql("true");
    }
    let statement = match &sight.paths {
        Territory::Everywhere => return statement.sql("true"),
        Territory::Nowhere => statement.sql("(false"),
        Territory::Marks(marks) => within(statement.sql("("), marks),
    };
    if sight.users.is_none() && sight.teams.is_none() {
        return statement.sql(")");
    }
    statement
        .sql(" OR (p.user_id IS NOT NULL AND ")
        .seen("p.user_id", &sight.users)
        .sql(") OR (p.team_id IS NOT NULL AND ")
        .seen("p.team_id", &sight.teams)
        .sql(") OR EXISTS (SELECT 1 FROM api_keys k WHERE k.id = p.api_key_id AND (")
        .seen("k.owner_id", &sight.users)
        .sql(" OR (k.team_id IS NOT NULL AND ")
        .seen("k.team_id", &sight.teams)
        .sql("))))")
}

/// Adds a truth value: what the nearest mark upwards says of the permission's path.
fn within(statement: Statement, marks: &[Mark]) -> Statement {
    let flags = |flag: fn(&Mark) -> bool| -> Vec<String> {
        marks.iter().map(|mark| flag(mark).to_string()).collect()
    };
    let paths: Vec<String> = marks.iter().map(|mark| mark.path.to_string()).collect();
    statement
        .sql("(SELECT CASE WHEN m.path = p.path THEN m.here ELSE m.below END FROM unnest(")
        .bind(paths)
        .sql("::text[], ")
        .bind(flags(|mark| mark.here))
        .sql("::text[]::boolean[], ")
        .bind(flags(|mark| mark.below))
        .sql(
            "::text[]::boolean[]) AS m (path, here, below)
            WHERE m.path = p.path OR m.path = '/' OR starts_with(p.path, m.path || '/')
            ORDER BY length(m.path) DESC LIMIT 1)",
        )
}
