//! SQL of single teams.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::schema::teams;
use crate::db::statement::Statement;
use crate::teams::model::Team;

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> db::Result<Vec<Team>> {
    Ok(teams::table
        .filter(teams::id.eq_any(ids))
        .select(Team::as_select())
        .load(conn)
        .await?)
}

/// The team with that slug, without regard to case.
pub(crate) async fn by_slug(conn: &mut AsyncPgConnection, slug: &str) -> db::Result<Option<Team>> {
    let statement = Statement::new(super::lists::SELECT)
        .and("lower(t.slug) = lower(", slug)
        .sql(")");
    Ok(statement.load::<Team>(conn).await?.pop())
}

/// The team, locked until the transaction ends, so that what is read stays true until it is changed.
pub(crate) async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<Option<Team>> {
    Ok(teams::table
        .find(id)
        .select(Team::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?)
}

/// The team, locked so that nothing new can name it either: what goes along with it is then all there will be.
pub(crate) async fn lock_to_delete(
    conn: &mut AsyncPgConnection,
    id: Uuid,
) -> db::Result<Option<Team>> {
    Ok(teams::table
        .find(id)
        .select(Team::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()?)
}

pub(crate) async fn insert(conn: &mut AsyncPgConnection, team: &Team) -> db::Result<()> {
    diesel::insert_into(teams::table)
        .values(team)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn update(conn: &mut AsyncPgConnection, team: &Team) -> db::Result<()> {
    diesel::update(teams::table.find(team.id))
        .set((
            teams::slug.eq(&team.slug),
            teams::name.eq(&team.name),
            teams::description.eq(&team.description),
            teams::parent_id.eq(team.parent_id),
            teams::enabled.eq(team.enabled),
            teams::metadata.eq(&team.metadata),
            teams::updated_at.eq(team.updated_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<()> {
    diesel::delete(teams::table.find(id)).execute(conn).await?;
    Ok(())
}
