//! SQL of permissions, row by row.

use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::lock::{self, Lock};
use crate::db::schema::{api_keys, permissions, teams, users};
use crate::db::statement::Statement;
use crate::permissions::model::{Permission, Principal};
use crate::permissions::path::Path;

pub(crate) async fn by_ids(
    conn: &mut AsyncPgConnection,
    ids: &[Uuid],
) -> db::Result<Vec<Permission>> {
    let of_ids = permissions::table.filter(permissions::id.eq_any(ids));
    Ok(of_ids.select(Permission::as_select()).load(conn).await?)
}

/// Where a team's permissions change, memberships stand still until the transaction ends: what its members gain is measured.
pub(crate) async fn hold_teams_still(
    conn: &mut AsyncPgConnection,
    principal: Principal,
) -> db::Result<()> {
    match principal {
        Principal::Team(_) => lock::alone(conn, Lock::TeamTree).await,
        Principal::User(_) | Principal::ApiKey(_) => Ok(()),
    }
}

/// Locks the principal until the transaction ends, so that two changes of its permissions follow one another. False if there is none.
pub(crate) async fn lock_principal(
    conn: &mut AsyncPgConnection,
    principal: Principal,
) -> db::Result<bool> {
    let found: Option<Uuid> = match principal {
        Principal::User(id) => users::table
            .find(id)
            .select(users::id)
            .for_no_key_update()
            .first(conn)
            .await
            .optional()?,
        Principal::Team(id) => teams::table
            .find(id)
            .select(teams::id)
            .for_no_key_update()
            .first(conn)
            .await
            .optional()?,
        Principal::ApiKey(id) => api_keys::table
            .find(id)
            .select(api_keys::id)
            .for_no_key_update()
            .first(conn)
            .await
            .optional()?,
    };
    Ok(found.is_some())
}

/// What the principal itself holds at exactly that path.
pub(crate) async fn at_path(
    conn: &mut AsyncPgConnection,
    principal: Principal,
    path: &Path,
) -> db::Result<Vec<Permission>> {
    let column = match principal {
        Principal::User(_) => "g.user_id = ",
        Principal::Team(_) => "g.team_id = ",
        Principal::ApiKey(_) => "g.api_key_id = ",
    };
    let statement = Statement::new(super::lists::SELECT)
        .and(column, principal.id())
        .and("g.path = ", path.as_str());
    Ok(statement.load(conn).await?)
}

pub(crate) async fn insert(conn: &AsyncPgConnection, rows: &[Permission]) -> db::Result<()> {
    diesel::insert_into(permissions::table)
        .values(rows)
        .execute(&mut &*conn)
        .await?;
    Ok(())
}

/// Stores how far a permission reaches and how long it lasts.
pub(crate) async fn update(conn: &mut AsyncPgConnection, row: &Permission) -> db::Result<()> {
    diesel::update(permissions::table.find(row.id))
        .set((
            permissions::propagate.eq(row.propagate),
            permissions::expires_at.eq(row.expires_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &AsyncPgConnection, ids: &[Uuid]) -> db::Result<()> {
    diesel::delete(permissions::table.filter(permissions::id.eq_any(ids)))
        .execute(&mut &*conn)
        .await?;
    Ok(())
}

/// A key's owner, and the team it was made for.
pub(crate) async fn key_home(
    conn: &mut AsyncPgConnection,
    key: Uuid,
) -> db::Result<Option<KeyHome>> {
    Ok(api_keys::table
        .find(key)
        .select(KeyHome::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// Where a key belongs.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(crate) struct KeyHome {
    /// Its owner.
    pub owner_id: Uuid,
    /// The team it was made for.
    pub team_id: Option<Uuid>,
    /// Whether it has permissions of its own.
    pub restricted: bool,
}

#[derive(QueryableByName)]
struct Member {
    #[diesel(sql_type = sql_types::Uuid)]
    user_id: Uuid,
}

/// Everybody who belongs to the team or to one below it.
pub(crate) async fn members_below(
    conn: &mut AsyncPgConnection,
    team: Uuid,
) -> db::Result<Vec<Uuid>> {
    let statement =
        Statement::new("WITH RECURSIVE tree (id) AS (SELECT t.id FROM teams t WHERE t.id = ")
            .bind(team)
            .sql(
                " UNION SELECT t.id FROM tree JOIN teams t ON t.parent_id = tree.id)
        SELECT DISTINCT m.user_id FROM tree JOIN team_memberships m ON m.team_id = tree.id",
            );
    let members: Vec<Member> = statement.load(conn).await?;
    Ok(members.into_iter().map(|member| member.user_id).collect())
}
