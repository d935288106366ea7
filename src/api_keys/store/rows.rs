//! Single keys.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::api_keys::model::{ApiKey, KeyUse, KeysOf};
use crate::db;
use crate::db::schema::{api_keys, users};
use crate::db::statement::Statement;
use crate::secrets::Digest;

pub(in crate::api_keys) async fn by_ids(
    conn: &mut AsyncPgConnection,
    ids: &[Uuid],
) -> db::Result<Vec<ApiKey>> {
    Ok(api_keys::table
        .filter(api_keys::id.eq_any(ids))
        .select(ApiKey::as_select())
        .load(conn)
        .await?)
}

/// The key, locked until the transaction ends, so that what is read stays true until it is changed.
pub(in crate::api_keys) async fn lock(
    conn: &mut AsyncPgConnection,
    id: Uuid,
) -> db::Result<Option<ApiKey>> {
    Ok(api_keys::table
        .find(id)
        .select(ApiKey::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?)
}

/// The keys of an owner or a team, locked until the transaction ends, in the order in which they were made.
pub(in crate::api_keys) async fn lock_all_of(
    conn: &mut AsyncPgConnection,
    of: KeysOf,
) -> db::Result<Vec<ApiKey>> {
    let keys = api_keys::table.into_boxed();
    let keys = match of {
        KeysOf::Owner(id) => keys.filter(api_keys::owner_id.eq(id)),
        KeysOf::Team(id) => keys.filter(api_keys::team_id.eq(id)),
    };
    Ok(keys
        .order((api_keys::created_at, api_keys::id))
        .select(ApiKey::as_select())
        .load(conn)
        .await?)
}

/// Stores a new key; false if its owner has one of that name.
pub(in crate::api_keys) async fn insert(
    conn: &AsyncPgConnection,
    key: &ApiKey,
    digest: &Digest,
) -> db::Result<bool> {
    let rows = diesel::insert_into(api_keys::table)
        .values((key, api_keys::digest.eq(digest.as_bytes().as_slice())))
        .on_conflict((api_keys::owner_id, api_keys::name))
        .do_nothing()
        .execute(&mut &*conn)
        .await?;
    Ok(rows == 1)
}

/// How many keys the owner has, this transaction's among them. Until it ends nobody else counts them, and whoever waits for that counts
/// what it has made.
pub(in crate::api_keys) async fn count_alone(
    conn: &mut AsyncPgConnection,
    owner: Uuid,
) -> db::Result<i64> {
    users::table
        .find(owner)
        .select(users::id)
        .for_no_key_update()
        .load::<Uuid>(conn)
        .await?;
    Ok(api_keys::table
        .filter(api_keys::owner_id.eq(owner))
        .count()
        .get_result(conn)
        .await?)
}

pub(in crate::api_keys) async fn update(
    conn: &mut AsyncPgConnection,
    key: &ApiKey,
) -> db::Result<()> {
    diesel::update(api_keys::table.find(key.id))
        .set((
            api_keys::name.eq(&key.name),
            api_keys::description.eq(&key.description),
            api_keys::enabled.eq(key.enabled),
            api_keys::disabled_reason.eq(&key.disabled_reason),
            api_keys::restricted.eq(key.restricted),
            api_keys::allowed_cidrs.eq(&key.allowed_cidrs),
            api_keys::expires_at.eq(key.expires_at),
            api_keys::metadata.eq(&key.metadata),
            api_keys::updated_at.eq(key.updated_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Puts a new secret in force. The present one takes the place of the previous one if `key` says until when that works;
/// else only the new one works.
pub(in crate::api_keys) async fn rotate(
    conn: &mut AsyncPgConnection,
    key: &ApiKey,
    digest: &Digest,
) -> db::Result<()> {
    let change = (
        api_keys::digest.eq(digest.as_bytes().as_slice()),
        api_keys::prefix.eq(&key.prefix),
        api_keys::previous_secret_expires_at.eq(key.previous_secret_expires_at),
        api_keys::expires_at.eq(key.expires_at),
        api_keys::rotated_at.eq(key.rotated_at),
        api_keys::updated_at.eq(key.updated_at),
    );
    let row = api_keys::table.find(key.id);
    if key.previous_secret_expires_at.is_some() {
        // On the right stands the row as it was.
        let previous = api_keys::previous_digest.eq(api_keys::digest.nullable());
        diesel::update(row)
            .set((change, previous))
            .execute(conn)
            .await?;
    } else {
        let previous = api_keys::previous_digest.eq(None::<&[u8]>);
        diesel::update(row)
            .set((change, previous))
            .execute(conn)
            .await?;
    }
    Ok(())
}

pub(in crate::api_keys) async fn delete(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<()> {
    diesel::delete(api_keys::table.find(id))
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores many uses at once: of each key one a minute, and every one from another address than the last, since each costs an entry in every
/// index of the table where there is no room beside the row. A later use that is stored already stays; rows are locked in the order of
/// their ids, so that two processes never wait for each other in a circle.
pub(in crate::api_keys) async fn note_used(
    conn: &mut AsyncPgConnection,
    uses: &[KeyUse],
) -> db::Result<()> {
    let ids: Vec<Uuid> = uses.iter().map(|each| each.key).collect();
    let moments: Vec<Option<DateTime<Utc>>> = uses.iter().map(|each| Some(each.at)).collect();
    let places: Vec<String> = uses
        .iter()
        .map(|each| each.from.clone().unwrap_or_default())
        .collect();
    Statement::new(
        "WITH later AS (
            SELECT k.id, used.at, used.place
            FROM unnest(",
    )
    .bind(ids)
    .sql("::uuid[], ")
    .bind(moments)
    .sql("::timestamptz[], ")
    .bind(places)
    .sql(
        "::text[]) AS used (id, at, place) JOIN api_keys k ON k.id = used.id
            WHERE k.last_used_at IS NULL OR k.last_used_at <= used.at - interval '1 minute'
                OR k.last_used_at < used.at AND k.last_used_from IS DISTINCT FROM nullif(used.place, '')
            ORDER BY k.id FOR NO KEY UPDATE OF k
        )
        UPDATE api_keys k SET last_used_at = later.at, last_used_from = nullif(later.place, '')
        FROM later WHERE k.id = later.id",
    )
    .execute(conn)
    .await?;
    Ok(())
}
