//! SQL of users.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::model::{User, UserFilter, UserSight, UserSort};
use crate::db;
use crate::db::pages::{Cursor, Page, PageRequest, SortKey};
use crate::db::schema::users;
use crate::db::statement::{Seen, Statement};

pub(super) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> db::Result<Vec<User>> {
    Ok(users::table
        .filter(users::id.eq_any(ids))
        .select(User::as_select())
        .load(conn)
        .await?)
}

/// The user with that name, without regard to case.
pub(super) async fn by_username(
    conn: &mut AsyncPgConnection,
    username: &str,
) -> db::Result<Option<User>> {
    one(
        conn,
        Statement::new(SELECT)
            .and("lower(u.username) = lower(", username)
            .sql(")"),
    )
    .await
}

/// The user with that e-mail address, without regard to case.
pub(super) async fn by_email(
    conn: &mut AsyncPgConnection,
    email: &str,
) -> db::Result<Option<User>> {
    one(
        conn,
        Statement::new(SELECT)
            .and("lower(u.email) = lower(", email)
            .sql(")"),
    )
    .await
}

/// The user who signs in so: by its name, or else by its e-mail address, without regard to case.
pub(super) async fn by_login(
    conn: &mut AsyncPgConnection,
    login: &str,
) -> db::Result<Option<User>> {
    let found = Statement::new(SELECT)
        .and("(lower(u.username) = lower(", login)
        .sql(") OR lower(u.email) = lower(")
        .bind(login)
        .sql(")) ORDER BY lower(u.username) = lower(")
        .bind(login)
        .sql(") DESC LIMIT 1");
    one(conn, found).await
}

/// The user, locked until the transaction ends, so that what is read stays true until it is changed.
pub(super) async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<Option<User>> {
    Ok(users::table
        .find(id)
        .select(User::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?)
}

/// Whether any other administrator can act at that moment.
pub(super) async fn is_there_another_admin(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    at: DateTime<Utc>,
) -> db::Result<bool> {
    let others = users::table
        .filter(users::role.eq("ADMIN"))
        .filter(users::enabled)
        .filter(users::expires_at.is_null().or(users::expires_at.gt(at)))
        .filter(users::id.ne(id))
        .select(users::id);
    Ok(diesel::select(diesel::dsl::exists(others))
        .get_result(conn)
        .await?)
}

/// Whether there is any user at all.
pub(super) async fn any(conn: &mut AsyncPgConnection) -> db::Result<bool> {
    Ok(
        diesel::select(diesel::dsl::exists(users::table.select(users::id)))
            .get_result(conn)
            .await?,
    )
}

/// The user, locked so that nothing new can name it either: what goes along with it is then all there will be.
pub(super) async fn lock_to_delete(
    conn: &mut AsyncPgConnection,
    id: Uuid,
) -> db::Result<Option<User>> {
    Ok(users::table
        .find(id)
        .select(User::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()?)
}

pub(super) async fn insert(conn: &mut AsyncPgConnection, user: &User) -> db::Result<()> {
    diesel::insert_into(users::table)
        .values(user)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn update(conn: &mut AsyncPgConnection, user: &User) -> db::Result<()> {
    diesel::update(users::table.find(user.id))
        .set((
            users::username.eq(&user.username),
            users::email.eq(&user.email),
            users::name.eq(&user.name),
            users::given_name.eq(&user.given_name),
            users::family_name.eq(&user.family_name),
            users::role.eq(&user.role),
            users::enabled.eq(user.enabled),
            users::expires_at.eq(user.expires_at),
            users::comment.eq(&user.comment),
            users::metadata.eq(&user.metadata),
            users::updated_at.eq(user.updated_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn set_password(conn: &mut AsyncPgConnection, user: &User) -> db::Result<()> {
    diesel::update(users::table.find(user.id))
        .set((
            users::password_hash.eq(&user.password_hash),
            users::must_change_password.eq(user.must_change_password),
            users::password_changed_at.eq(user.password_changed_at),
            users::updated_at.eq(user.updated_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<()> {
    diesel::delete(users::table.find(id)).execute(conn).await?;
    Ok(())
}

const COLUMNS: &str = "SELECT u.id, u.username, u.email, u.name, u.given_name, u.family_name, u.kind, u.role, u.enabled,
    u.expires_at, u.comment, u.metadata, u.password_hash, u.must_change_password, u.password_changed_at, u.created_at, u.updated_at, u.last_used_at";
const SELECT: &str = "SELECT u.id, u.username, u.email, u.name, u.given_name, u.family_name, u.kind, u.role, u.enabled,
    u.expires_at, u.comment, u.metadata, u.password_hash, u.must_change_password, u.password_changed_at, u.created_at, u.updated_at, u.last_used_at FROM users u";

async fn one(conn: &mut AsyncPgConnection, statement: Statement) -> db::Result<Option<User>> {
    Ok(statement.load::<User>(conn).await?.pop())
}

/// A page of users, and their number if asked for: pipelined, one round trip.
pub(super) async fn page(
    conn: &mut AsyncPgConnection,
    filter: &UserFilter,
    sight: &UserSight,
    sort: UserSort,
    descending: bool,
    request: &PageRequest,
) -> db::Result<Page<User>> {
    let column = match sort {
        UserSort::CreatedAt => "u.created_at",
        UserSort::Username => "lower(u.username)",
    };
    let from = matching(filter, sight);
    db::list::page(conn, COLUMNS, from, (column, "u.id"), descending, request).await
}

fn matching(filter: &UserFilter, sight: &UserSight) -> Statement {
    let mut from = seen(Statement::new(" FROM users u"), sight);
    if let Some(words) = filter.search.as_deref().map(db::search::prefixes) {
        from = from
            .and("u.search @@ to_tsquery('simple', ", words)
            .sql(")");
    }
    if let Some(team) = filter.team {
        from = from
            .and(
                "EXISTS (SELECT 1 FROM team_memberships m WHERE m.user_id = u.id AND m.team_id = ",
                team,
            )
            .sql(")");
    }
    from.and_if("u.kind = ", filter.kind.map(|kind| kind.as_str()))
        .and_if("u.role = ", filter.role.map(|role| role.as_str()))
        .and_if("u.enabled = ", filter.enabled)
        .and_if("u.created_at >= ", filter.created_from)
        .and_if("u.created_at < ", filter.created_before)
}

/// Only users that the actor may see.
fn seen(from: Statement, sight: &UserSight) -> Statement {
    if sight.users == Seen::All {
        return from;
    }
    let from = from.condition().sql("(").seen("u.id", &sight.users);
    if sight.teams.is_none() {
        return from.sql(")");
    }
    from.sql(" OR EXISTS (SELECT 1 FROM team_memberships m WHERE m.user_id = u.id AND ")
        .seen("m.team_id", &sight.teams)
        .sql("))")
}

#[derive(QueryableByName)]
struct One {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: Uuid,
}

/// Those of these users who are there and whom the actor may see.
pub(super) async fn readable(
    conn: &mut AsyncPgConnection,
    ids: &[Uuid],
    sight: &UserSight,
) -> db::Result<HashSet<Uuid>> {
    let among = Statement::new("SELECT u.id FROM users u")
        .and("u.id = ANY(", ids.to_vec())
        .sql(")");
    let found: Vec<One> = seen(among, sight).load(conn).await?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

/// The place of a user in a list of that order.
pub(super) fn cursor(user: &User, sort: UserSort) -> Cursor {
    let key = match sort {
        UserSort::CreatedAt => SortKey::Time(user.created_at),
        UserSort::Username => SortKey::Text(user.username.to_lowercase()),
    };
    Cursor { key, id: user.id }
}

/// Stores many uses at once: of each user one a minute. A later one that is stored already stays; rows are locked in the order of their ids, so that two
/// processes never wait for each other in a circle.
pub(super) async fn note_used(
    conn: &mut AsyncPgConnection,
    uses: Vec<(Uuid, DateTime<Utc>)>,
) -> db::Result<()> {
    let (ids, moments): (Vec<Uuid>, Vec<Option<DateTime<Utc>>>) =
        uses.into_iter().map(|(id, at)| (id, Some(at))).unzip();
    Statement::new("WITH later AS (SELECT u.id, used.at FROM unnest(")
        .bind(ids)
        .sql("::uuid[], ")
        .bind(moments)
        .sql(
            "::timestamptz[]) AS used (id, at) JOIN users u ON u.id = used.id
            WHERE u.last_used_at IS NULL OR u.last_used_at <= used.at - interval '1 minute'
            ORDER BY u.id FOR NO KEY UPDATE OF u)
        UPDATE users u SET last_used_at = later.at FROM later WHERE u.id = later.id",
        )
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores what a user says of itself when it comes in.
pub(super) async fn introduce(conn: &mut AsyncPgConnection, user: &User) -> db::Result<()> {
    diesel::update(users::table.find(user.id))
        .set((
            users::name.eq(&user.name),
            users::given_name.eq(&user.given_name),
            users::family_name.eq(&user.family_name),
            users::password_hash.eq(&user.password_hash),
            users::must_change_password.eq(user.must_change_password),
            users::password_changed_at.eq(user.password_changed_at),
            users::updated_at.eq(user.updated_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
