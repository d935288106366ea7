//! SQL of roles.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::schema::{permissions, roles};
use crate::db::statement::Statement;
use crate::permissions::model::{Permission, Role};

/// Every role: those built in first, then by name.
pub(crate) async fn all(conn: &mut AsyncPgConnection) -> db::Result<Vec<Role>> {
    Ok(roles::table
        .order((roles::built_in.desc(), roles::name, roles::id))
        .select(Role::as_select())
        .load(conn)
        .await?)
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> db::Result<Vec<Role>> {
    Ok(roles::table
        .filter(roles::id.eq_any(ids))
        .select(Role::as_select())
        .load(conn)
        .await?)
}

/// The roles with these names, without regard to case.
pub(crate) async fn by_names(
    conn: &mut AsyncPgConnection,
    names: &[String],
) -> db::Result<Vec<Role>> {
    let statement = Statement::new(
        "SELECT id, name, description, privileges, built_in, created_at, updated_at FROM roles WHERE lower(name) = ANY(",
    );
    let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    Ok(statement.bind(lower).sql(")").load(conn).await?)
}

/// The role, locked until the transaction ends: nobody grants it meanwhile.
pub(crate) async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<Option<Role>> {
    Ok(roles::table
        .find(id)
        .select(Role::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()?)
}

pub(crate) async fn insert(conn: &mut AsyncPgConnection, role: &Role) -> db::Result<()> {
    diesel::insert_into(roles::table)
        .values(role)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn update(conn: &mut AsyncPgConnection, role: &Role) -> db::Result<()> {
    diesel::update(roles::table.find(role.id))
        .set((
            roles::name.eq(&role.name),
            roles::description.eq(&role.description),
            roles::privileges.eq(&role.privileges),
            roles::updated_at.eq(role.updated_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<()> {
    diesel::delete(roles::table.find(id)).execute(conn).await?;
    Ok(())
}

/// Whether anybody holds the role anywhere.
pub(crate) async fn is_granted(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<bool> {
    let granted = permissions::table
        .filter(permissions::role_id.eq(id))
        .select(permissions::id);
    Ok(diesel::select(exists(granted)).get_result(conn).await?)
}

/// Every permission that gives the role.
pub(crate) async fn grants(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<Vec<Permission>> {
    let of_role = permissions::table.filter(permissions::role_id.eq(id));
    Ok(of_role.select(Permission::as_select()).load(conn).await?)
}
