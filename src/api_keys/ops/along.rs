//! The keys that go along with the deletion of their owner or their team.

use std::collections::HashMap;

use uuid::Uuid;

use super::{own, paths};
use crate::api_keys::model::{ApiKey, KeysOf};
use crate::api_keys::store;
use crate::audit::model::Change;
use crate::db::Tx;
use crate::error::Result;
use crate::permissions::model::Held;
use crate::permissions::ops::along as permissions;

/// The events of the keys that will go along, each with its permissions. Owner or team must be locked, so that no key comes to them
/// meanwhile. Two statements at most.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn along(tx: &mut Tx, of: KeysOf) -> Result<Vec<Change>> {
    let keys = store::lock_all_of(tx, of).await?;
    let restricted = keys.iter().filter(|key| key.restricted).map(|key| key.id);
    let mut held: HashMap<Uuid, Vec<Held>> = permissions::of_keys(tx, restricted.collect()).await?;
    let gone = |key: ApiKey| {
        let snapshot = own::told(&key, held.remove(&key.id).unwrap_or_default());
        Change::deleted("apiKey.delete", key.typed_id(), snapshot).at(paths(&key))
    };
    Ok(keys.into_iter().map(gone).collect())
}
