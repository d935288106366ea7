//! SQL of second factors, recovery codes and what was begun.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::model::Factor;
use crate::db;
use crate::db::schema::{factor_challenges, recovery_codes, second_factors, used_challenges};
use crate::db::statement::Statement;
use crate::secrets::Digest;

pub(super) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> db::Result<Vec<Factor>> {
    Ok(second_factors::table
        .filter(second_factors::id.eq_any(ids))
        .select(Factor::as_select())
        .load(conn)
        .await?)
}

/// The factors of these users, in the order in which they were made.
pub(super) async fn of_users(
    conn: &mut AsyncPgConnection,
    users: &[Uuid],
) -> db::Result<Vec<Factor>> {
    Ok(second_factors::table
        .filter(second_factors::user_id.eq_any(users))
        .order((second_factors::created_at, second_factors::id))
        .select(Factor::as_select())
        .load(conn)
        .await?)
}

#[derive(QueryableByName)]
struct Stands {
    #[diesel(sql_type = Bool)]
    has: bool,
    #[diesel(sql_type = Nullable<Bool>)]
    required: Option<bool>,
}

/// Whether the user has a factor, and whether users of that role must have one; `None`: the policy was never changed.
pub(super) async fn standing(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    role: &str,
) -> db::Result<(bool, Option<bool>)> {
    let rows: Vec<Stands> =
        Statement::new("SELECT EXISTS (SELECT 1 FROM second_factors f WHERE f.user_id = ")
            .bind(user)
            .sql(") AS has, (SELECT ")
            .bind(role)
            .sql(" = ANY(p.second_factor_roles) FROM policies p WHERE p.id) AS required")
            .load(conn)
            .await?;
    let found = rows.into_iter().next();
    Ok(found.map_or((false, None), |row| (row.has, row.required)))
}

pub(super) async fn insert(conn: &mut AsyncPgConnection, factor: &Factor) -> db::Result<()> {
    diesel::insert_into(second_factors::table)
        .values(factor)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn rename(conn: &mut AsyncPgConnection, id: Uuid, name: &str) -> db::Result<()> {
    diesel::update(second_factors::table.find(id))
        .set(second_factors::name.eq(name))
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes the factor, and returns it if it was there.
pub(super) async fn delete(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<Option<Factor>> {
    Ok(diesel::delete(second_factors::table.find(id))
        .returning(Factor::as_returning())
        .get_result(conn)
        .await
        .optional()?)
}

/// Takes the code of that step, unless one of it or of a later one was taken before: of two who send it at once one has it.
pub(super) async fn take_step(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    step: i64,
    at: DateTime<Utc>,
) -> db::Result<bool> {
    let fresh = second_factors::table
        .find(id)
        .filter(second_factors::counter.lt(step));
    let rows = diesel::update(fresh)
        .set((
            second_factors::counter.eq(step),
            second_factors::last_used_at.eq(at),
        ))
        .execute(conn)
        .await?;
    Ok(rows == 1)
}

/// The passkey with that credential id, whoever has it.
pub(super) async fn by_credential(
    conn: &mut AsyncPgConnection,
    credential_id: &[u8],
) -> db::Result<Option<Factor>> {
    Ok(second_factors::table
        .filter(second_factors::credential_id.eq(credential_id))
        .select(Factor::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// Takes a signature of that passkey, unless one with its counter or a later one was taken before: of two who send such at once one has it.
/// `secret` is the passkey as it is from then on.
pub(super) async fn take_signature(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    counter: i64,
    secret: &[u8],
    at: DateTime<Utc>,
) -> db::Result<bool> {
    // Those that do not count say 0 each time.
    let fresh = second_factors::table
        .find(id)
        .filter(second_factors::counter.lt(counter.max(1)));
    let rows = diesel::update(fresh)
        .set((
            second_factors::counter.eq(counter),
            second_factors::secret.eq(secret),
            second_factors::last_used_at.eq(at),
        ))
        .execute(conn)
        .await?;
    Ok(rows == 1)
}

/// Notes that this challenge was answered, unless it was before: of two who answer it at once one has it.
pub(super) async fn use_challenge(
    conn: &mut AsyncPgConnection,
    digest: &Digest,
    expires_at: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = diesel::insert_into(used_challenges::table)
        .values((
            used_challenges::digest.eq(digest.as_bytes().as_slice()),
            used_challenges::expires_at.eq(expires_at),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(rows == 1)
}

pub(super) async fn has_recovery_code(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    digest: &Digest,
) -> db::Result<bool> {
    let found: i64 = recovery_codes::table
        .find((user, digest.as_bytes().as_slice()))
        .count()
        .get_result(conn)
        .await?;
    Ok(found > 0)
}

/// Takes that recovery code away: of two who send it at once one has it.
pub(super) async fn take_recovery_code(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    digest: &Digest,
) -> db::Result<bool> {
    let rows = diesel::delete(recovery_codes::table.find((user, digest.as_bytes().as_slice())))
        .execute(conn)
        .await?;
    Ok(rows == 1)
}

/// Puts these recovery codes in place of all that the user has.
pub(super) async fn put_recovery_codes(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    digests: &[Digest],
) -> db::Result<()> {
    let old = recovery_codes::table.filter(recovery_codes::user_id.eq(user));
    diesel::delete(old).execute(conn).await?;
    let rows: Vec<_> = digests
        .iter()
        .map(|digest| {
            (
                recovery_codes::user_id.eq(user),
                recovery_codes::digest.eq(digest.as_bytes().to_vec()),
            )
        })
        .collect();
    if !rows.is_empty() {
        diesel::insert_into(recovery_codes::table)
            .values(rows)
            .execute(conn)
            .await?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Left {
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = BigInt)]
    codes: i64,
}

/// How many recovery codes these users have, of those who have any.
pub(super) async fn recovery_codes_of(
    conn: &mut AsyncPgConnection,
    users: Vec<Uuid>,
) -> db::Result<Vec<(Uuid, i64)>> {
    let rows: Vec<Left> = Statement::new(
        "SELECT r.user_id, count(*) AS codes FROM recovery_codes r WHERE r.user_id = ANY(",
    )
    .bind(users)
    .sql(") GROUP BY r.user_id")
    .load(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.user_id, row.codes))
        .collect())
}

/// Keeps what was begun until then, in place of what its end would name by the same.
pub(super) async fn put_challenge(
    conn: &mut AsyncPgConnection,
    digest: &Digest,
    user: Option<Uuid>,
    state: &[u8],
    expires_at: DateTime<Utc>,
) -> db::Result<()> {
    let values = (
        factor_challenges::user_id.eq(user),
        factor_challenges::state.eq(state),
        factor_challenges::expires_at.eq(expires_at),
    );
    diesel::insert_into(factor_challenges::table)
        .values((
            factor_challenges::digest.eq(digest.as_bytes().as_slice()),
            values,
        ))
        .on_conflict(factor_challenges::digest)
        .do_update()
        .set(values)
        .execute(conn)
        .await?;
    Ok(())
}

/// What was begun so and has not ended.
pub(super) async fn challenge(
    conn: &mut AsyncPgConnection,
    digest: &Digest,
    now: DateTime<Utc>,
) -> db::Result<Option<Vec<u8>>> {
    Ok(factor_challenges::table
        .find(digest.as_bytes().as_slice())
        .filter(factor_challenges::expires_at.gt(now))
        .select(factor_challenges::state)
        .first(conn)
        .await
        .optional()?)
}

/// Ends what was begun so, and returns it unless its time was over: of two who end it at once one has it.
pub(super) async fn take_challenge(
    conn: &mut AsyncPgConnection,
    digest: &Digest,
    now: DateTime<Utc>,
) -> db::Result<Option<Vec<u8>>> {
    let open = factor_challenges::table
        .find(digest.as_bytes().as_slice())
        .filter(factor_challenges::expires_at.gt(now));
    Ok(diesel::delete(open)
        .returning(factor_challenges::state)
        .get_result(conn)
        .await
        .optional()?)
}

/// Deletes a part of what was begun and whose time is over.
pub(super) async fn purge_challenges(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> db::Result<usize> {
    let over = Statement::new("expires_at <= ").bind(now);
    let purge = Statement::purge("factor_challenges", "digest", over);
    Ok(purge.execute(conn).await?)
}

/// Deletes a part of the challenges that were answered, and would be refused for their age since that moment.
pub(super) async fn purge_used(
    conn: &mut AsyncPgConnection,
    since: DateTime<Utc>,
) -> db::Result<usize> {
    let over = Statement::new("expires_at <= ").bind(since);
    let purge = Statement::purge("used_challenges", "digest", over);
    Ok(purge.execute(conn).await?)
}
