//! The permissions that go along with the deletion of who holds them.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use super::read::own_home;
use crate::audit::model::Change;
use crate::db::Tx;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::permissions::model::{Held, Principal};
use crate::permissions::path::Path;
use crate::permissions::store::held;

/// The events of what a user or a team holds itself and will lose by being deleted. It must be locked, so that nothing is given to it
/// meanwhile. One statement.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn along(tx: &mut Tx, principal: Principal) -> Result<Vec<Change>> {
    let rows = held::by(tx, principal).await?;
    let gone = |(id, row): (Uuid, Held)| {
        let path = Path::parse(&row.path).map_err(|error| Error::internal(error.to_string()))?;
        let mut paths = own_home(principal);
        paths.push(path);
        let mut before = json!(row);
        before["principal"] = json!(principal.typed_id().to_string());
        let id = Id::new(Kind::Permission, id);
        Ok(Change::deleted("permission.delete", id, before).at(paths))
    };
    rows.into_iter().map(gone).collect()
}

/// What these keys hold themselves. No statement for no keys.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn of_keys(tx: &mut Tx, keys: Vec<Uuid>) -> Result<HashMap<Uuid, Vec<Held>>> {
    let mut by_key: HashMap<Uuid, Vec<Held>> = HashMap::with_capacity(keys.len());
    if keys.is_empty() {
        return Ok(by_key);
    }
    for (key, row) in held::by_keys(tx, keys).await? {
        by_key.entry(key).or_default().push(row);
    }
    Ok(by_key)
}
