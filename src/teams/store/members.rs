//! SQL of memberships.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{self, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::schema::team_memberships;
use crate::db::statement::Statement;
use crate::permissions::model::Principal;
use crate::teams::model::Membership;

/// One membership, locked until the transaction ends.
pub(crate) async fn lock(
    conn: &mut AsyncPgConnection,
    team: Uuid,
    user: Uuid,
) -> db::Result<Option<Membership>> {
    Ok(team_memberships::table
        .find((team, user))
        .select(Membership::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?)
}

/// Those of these pairs of a team and a user that are memberships.
pub(crate) async fn among(
    conn: &mut AsyncPgConnection,
    pairs: &[(Uuid, Uuid)],
) -> db::Result<Vec<(Uuid, Uuid)>> {
    let (teams, users): (Vec<Uuid>, Vec<Uuid>) = pairs.iter().copied().unzip();
    let statement = Statement::new(
        "SELECT m.team_id, m.user_id FROM team_memberships m WHERE (m.team_id, m.user_id) IN (SELECT * FROM unnest(",
    )
    .bind(teams)
    .sql(", ")
    .bind(users)
    .sql("))");
    let rows: Vec<Pair> = statement.load(conn).await?;
    Ok(rows.iter().map(|row| (row.team_id, row.user_id)).collect())
}

#[derive(QueryableByName)]
struct Pair {
    #[diesel(sql_type = sql_types::Uuid)]
    team_id: Uuid,
    #[diesel(sql_type = sql_types::Uuid)]
    user_id: Uuid,
}

/// Stores those of these memberships that are not there yet, and answers with their teams.
pub(crate) async fn insert_missing(
    conn: &mut AsyncPgConnection,
    memberships: &[Membership],
) -> db::Result<Vec<Uuid>> {
    Ok(diesel::insert_into(team_memberships::table)
        .values(memberships)
        .on_conflict_do_nothing()
        .returning(team_memberships::team_id)
        .get_results(conn)
        .await?)
}

/// The memberships of a user or a team, in the order in which they began; a key has none.
pub(crate) async fn all_of(
    conn: &mut AsyncPgConnection,
    of: Principal,
) -> db::Result<Vec<Membership>> {
    let all = team_memberships::table.into_boxed();
    let all = match of {
        Principal::User(id) => all.filter(team_memberships::user_id.eq(id)),
        Principal::Team(id) => all.filter(team_memberships::team_id.eq(id)),
        Principal::ApiKey(_) => return Ok(Vec::new()),
    };
    Ok(all
        .order((
            team_memberships::since,
            team_memberships::team_id,
            team_memberships::user_id,
        ))
        .select(Membership::as_select())
        .load(conn)
        .await?)
}

pub(crate) async fn insert(
    conn: &mut AsyncPgConnection,
    memberships: &[Membership],
) -> db::Result<()> {
    diesel::insert_into(team_memberships::table)
        .values(memberships)
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores a membership, also in the place of one that has ended; false if there is one.
pub(crate) async fn insert_or_begin_anew(
    conn: &mut AsyncPgConnection,
    membership: &Membership,
) -> db::Result<bool> {
    let stored = Statement::new(
        "INSERT INTO team_memberships AS m (team_id, user_id, role, since, expires_at) VALUES (",
    )
    .bind(membership.team_id)
    .sql(", ")
    .bind(membership.user_id)
    .sql(", ")
    .bind(membership.role.as_str())
    .sql(", ")
    .bind(membership.since)
    .sql(", ")
    .bind(membership.expires_at)
    .sql(
        ") ON CONFLICT (team_id, user_id) DO UPDATE SET role = EXCLUDED.role, since = EXCLUDED.since, expires_at = EXCLUDED.expires_at
            WHERE m.expires_at <= EXCLUDED.since",
    )
    .execute(conn)
    .await?;
    Ok(stored > 0)
}

/// Memberships that have ended by then, locked; those that another transaction has locked are passed over.
pub(crate) async fn lock_ended(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> db::Result<Vec<Membership>> {
    Ok(team_memberships::table
        .filter(team_memberships::expires_at.le(now))
        .order((team_memberships::team_id, team_memberships::user_id))
        .limit(limit)
        .select(Membership::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await?)
}

/// Stores a member's role and end.
pub(crate) async fn update(
    conn: &mut AsyncPgConnection,
    membership: &Membership,
) -> db::Result<()> {
    diesel::update(team_memberships::table.find((membership.team_id, membership.user_id)))
        .set((
            team_memberships::role.eq(&membership.role),
            team_memberships::expires_at.eq(membership.expires_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut AsyncPgConnection, team: Uuid, user: Uuid) -> db::Result<()> {
    diesel::delete(team_memberships::table.find((team, user)))
        .execute(conn)
        .await?;
    Ok(())
}

/// A team that is named in an error.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct NamedTeam {
    #[diesel(sql_type = sql_types::Uuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub slug: String,
}

/// Locks the teams which the user administers, so that no other of their admins vanishes meanwhile.
pub(crate) async fn lock_administered(conn: &mut AsyncPgConnection, user: Uuid) -> db::Result<()> {
    let statement = Statement::new(
        "SELECT t.id, t.slug FROM teams t WHERE t.id IN (
            SELECT m.team_id FROM team_memberships m WHERE m.role = 'ADMIN' AND m.user_id = ",
    )
    .bind(user)
    .sql(") ORDER BY t.id FOR NO KEY UPDATE");
    statement.load::<NamedTeam>(conn).await?;
    Ok(())
}

/// Those of the teams (or that one team) which the user, if it can act now, administers and no other admin does who can act at `end`.
pub(crate) async fn left_without_admin(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    team: Option<Uuid>,
    now: DateTime<Utc>,
    end: DateTime<Utc>,
) -> db::Result<Vec<NamedTeam>> {
    let statement = Statement::new(
        "SELECT t.id, t.slug FROM teams t JOIN team_memberships m ON m.team_id = t.id JOIN users s ON s.id = m.user_id",
    )
        .and("m.user_id = ", user)
        .condition()
        .sql("m.role = 'ADMIN' AND s.enabled")
        .and("(s.expires_at IS NULL OR s.expires_at > ", now)
        .sql(")")
    .and_if("m.team_id = ", team)
        .and(
            "NOT EXISTS (SELECT 1 FROM team_memberships o JOIN users u ON u.id = o.user_id
                WHERE o.team_id = m.team_id AND o.user_id <> m.user_id AND o.role = 'ADMIN' AND o.expires_at IS NULL AND u.enabled
                    AND (u.expires_at IS NULL OR u.expires_at > ",
            end,
        )
        .sql(")) ORDER BY lower(t.slug)");
    Ok(statement.load(conn).await?)
}
