//! SQL of what principals hold themselves, with the names of the roles.

use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::statement::Statement;
use crate::permissions::model::{Held, Principal};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
    #[diesel(embed)]
    held: Held,
}

/// What the principal holds, with the ids of the permissions, in the order in which it was granted.
pub(crate) async fn by(
    conn: &mut AsyncPgConnection,
    principal: Principal,
) -> db::Result<Vec<(Uuid, Held)>> {
    let column = match principal {
        Principal::User(_) => "g.user_id = ",
        Principal::Team(_) => "g.team_id = ",
        Principal::ApiKey(_) => "g.api_key_id = ",
    };
    let statement = Statement::new(
        "SELECT g.id, g.path, r.name AS role, g.propagate, g.expires_at FROM permissions g JOIN roles r ON r.id = g.role_id",
    )
    .and(column, principal.id())
    .sql(" ORDER BY g.created_at, g.id");
    let rows: Vec<Row> = statement.load(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.held)).collect())
}

/// What each of these keys holds, with the key's id.
pub(crate) async fn by_keys(
    conn: &mut AsyncPgConnection,
    keys: Vec<Uuid>,
) -> db::Result<Vec<(Uuid, Held)>> {
    let statement = Statement::new(
        "SELECT g.api_key_id AS id, g.path, r.name AS role, g.propagate, g.expires_at FROM permissions g
            JOIN roles r ON r.id = g.role_id",
    )
    .and("g.api_key_id = ANY(", keys)
    .sql(")");
    let rows: Vec<Row> = statement.load(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.held)).collect())
}
