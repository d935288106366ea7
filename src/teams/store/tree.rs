//! SQL that walks the tree of teams.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{self, BigInt};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::statement::Statement;

#[derive(QueryableByName)]
struct One {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct Levels {
    #[diesel(sql_type = BigInt)]
    levels: i64,
}

/// The team and all above it, from the team upwards. Also ends if there were a cycle.
pub(crate) async fn upwards(conn: &mut AsyncPgConnection, team: Uuid) -> db::Result<Vec<Uuid>> {
    let statement = Statement::new(
        "WITH RECURSIVE up (id, parent_id, level) AS (SELECT t.id, t.parent_id, 1 FROM teams t WHERE t.id = ",
    )
    .bind(team)
    .sql(
        " UNION ALL SELECT t.id, t.parent_id, up.level + 1 FROM up JOIN teams t ON t.id = up.parent_id WHERE up.level < 64)
        SELECT id FROM up ORDER BY level",
    );
    let rows: Vec<One> = statement.load(conn).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// The same of each of these teams.
pub(crate) async fn all_upwards(
    conn: &mut AsyncPgConnection,
    teams: Vec<Uuid>,
) -> db::Result<HashMap<Uuid, Vec<Uuid>>> {
    let statement = Statement::new(
        "WITH RECURSIVE up (team, id, parent_id, level) AS (SELECT t.id, t.id, t.parent_id, 1 FROM teams t WHERE t.id = ANY(",
    )
    .bind(teams)
    .sql(
        ") UNION ALL SELECT up.team, t.id, t.parent_id, up.level + 1 FROM up JOIN teams t ON t.id = up.parent_id WHERE up.level < 64)
        SELECT team, id FROM up ORDER BY team, level",
    );
    let rows: Vec<Above> = statement.load(conn).await?;
    let mut found: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for row in rows {
        found.entry(row.team).or_default().push(row.id);
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct Above {
    #[diesel(sql_type = sql_types::Uuid)]
    team: Uuid,
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
}

/// How many levels the team and all below it make: 1 for a team without children.
pub(crate) async fn height(conn: &mut AsyncPgConnection, team: Uuid) -> db::Result<i64> {
    let statement = Statement::new(
        "WITH RECURSIVE down (id, level) AS (SELECT t.id, 1::bigint FROM teams t WHERE t.id = ",
    )
    .bind(team)
    .sql(
        " UNION ALL SELECT t.id, down.level + 1 FROM down JOIN teams t ON t.parent_id = down.id WHERE down.level < 64)
        SELECT coalesce(max(level), 0) AS levels FROM down",
    );
    let rows: Vec<Levels> = statement.load(conn).await?;
    Ok(rows.iter().map(|row| row.levels).next().unwrap_or(0))
}

/// Whether there are teams below that one.
pub(crate) async fn has_children(conn: &mut AsyncPgConnection, team: Uuid) -> db::Result<bool> {
    let statement = Statement::new("SELECT t.id FROM teams t")
        .and("t.parent_id = ", team)
        .sql(" LIMIT 1");
    Ok(!statement.load::<One>(conn).await?.is_empty())
}

/// The users who belong to the team or to one below it, at most `limit`, each once.
pub(crate) async fn users_below(
    conn: &mut AsyncPgConnection,
    team: Uuid,
    limit: i64,
) -> db::Result<Vec<Uuid>> {
    let statement = Statement::new(
        "WITH RECURSIVE down (id, level) AS (SELECT t.id, 1 FROM teams t WHERE t.id = ",
    )
    .bind(team)
    .sql(
        " UNION ALL SELECT t.id, down.level + 1 FROM down JOIN teams t ON t.parent_id = down.id WHERE down.level < 64)
        SELECT DISTINCT m.user_id AS id FROM down JOIN team_memberships m ON m.team_id = down.id ORDER BY 1 LIMIT ",
    )
    .bind(limit);
    let rows: Vec<One> = statement.load(conn).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
