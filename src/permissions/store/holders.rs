//! SQL of who may come into question for a privilege.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::statement::Statement;

#[derive(QueryableByName)]
struct Candidate {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
}

/// Users who can act and to whom a permission at one of the paths, or being an admin of one of the teams or of the instance, may give the
/// privilege: the latter last.
pub(crate) async fn candidates(
    conn: &mut AsyncPgConnection,
    privilege: &str,
    paths: Vec<String>,
    teams: Vec<Uuid>,
    now: DateTime<Utc>,
    limit: i64,
) -> db::Result<Vec<Uuid>> {
    let suffix = privilege.rsplit('.').next().unwrap_or(privilege);
    let patterns = vec!["*".to_owned(), format!("*.{suffix}"), privilege.to_owned()];
    let statement = Statement::new(
        "WITH RECURSIVE named AS (SELECT p.user_id, p.team_id FROM permissions p JOIN roles r ON r.id = p.role_id
            WHERE p.api_key_id IS NULL AND p.path = ANY(",
    )
    .bind(paths)
    .sql(") AND r.privileges && ")
    .bind(patterns)
    .sql(" AND (p.expires_at IS NULL OR p.expires_at > ")
    .bind(now)
    .sql(
        ")), below (id) AS (SELECT team_id FROM named WHERE team_id IS NOT NULL
            UNION SELECT t.id FROM below JOIN teams t ON t.parent_id = below.id),
        people (id) AS (SELECT user_id FROM named WHERE user_id IS NOT NULL
            UNION SELECT m.user_id FROM below JOIN team_memberships m ON m.team_id = below.id
            UNION SELECT m.user_id FROM team_memberships m WHERE m.role = 'ADMIN' AND m.team_id = ANY(",
    )
    .bind(teams)
    .sql(
        ") UNION SELECT u.id FROM users u WHERE u.role = 'ADMIN')
        SELECT u.id FROM people JOIN users u ON u.id = people.id",
    )
    .condition()
    .sql("u.enabled")
    .and("(u.expires_at IS NULL OR u.expires_at > ", now)
    .sql(") ORDER BY u.role = 'ADMIN', u.created_at, u.id LIMIT ")
    .bind(limit);
    let rows: Vec<Candidate> = statement.load(conn).await?;
    Ok(rows.iter().map(|row| row.id).collect())
}
