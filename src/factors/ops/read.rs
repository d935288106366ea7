//! Reading factors. Nobody reads their secrets.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::ctx::Ctx;
use crate::db::Db;
use crate::error::Result;
use crate::factors::model::Factor;
use crate::factors::store;
use crate::permissions::ops::access;
use crate::users;

/// Factors by id, for loaders: rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<Factor>>> {
    let found = store::by_ids(&mut *db.read("second_factors_by_ids").await?, &ids).await?;
    let found = found.into_iter();
    Ok(found.map(|factor| (factor.id, Arc::new(factor))).collect())
}

/// The factors of users, for loaders, in the order in which they were made; rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn of_users(db: &Db, users: Vec<Uuid>) -> Result<HashMap<Uuid, Vec<Arc<Factor>>>> {
    let found = store::of_users(&mut *db.read("second_factors_of").await?, &users).await?;
    let mut all: HashMap<Uuid, Vec<Arc<Factor>>> = HashMap::new();
    for factor in found {
        let of_user = all.entry(factor.user_id).or_default();
        of_user.push(Arc::new(factor));
    }
    Ok(all)
}

/// How many recovery codes users have, of those who have any, for loaders; rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn recovery_codes_of(db: &Db, users: Vec<Uuid>) -> Result<HashMap<Uuid, i64>> {
    let mut conn = db.read("recovery_codes_of").await?;
    let found = store::recovery_codes_of(&mut conn, users).await?;
    Ok(found.into_iter().collect())
}

/// Whether the actor may read which factors that user has: whoever may read the user.
pub fn may_read(ctx: &Ctx, user: Uuid) -> bool {
    access::can(ctx, users::ops::READ, &users::ops::path(user))
}
