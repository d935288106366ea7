//! The operations on API keys.

mod read;

use uuid::Uuid;

pub use read::{PageOf, by_ids, by_secret, cursor, list, may_read, pages_of, sight};

use super::model::ApiKey;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::Error;
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// Read keys, without their secrets.
pub const READ: &str = "apiKey.read";
/// Make, change, rotate and delete keys.
pub const WRITE: &str = "apiKey.write";

/// The paths of a key: its owner's, and its team's.
pub fn paths(key: &ApiKey) -> Vec<Path> {
    let owner = access::object(Kind::User, key.owner_id);
    let team = key.team_id.map(|id| access::object(Kind::Team, id));
    std::iter::once(owner).chain(team).collect()
}

/// The error of a key that is not there or may not be seen.
pub fn absent(field: &str, id: Uuid) -> Error {
    let id = Id::new(Kind::ApiKey, id).to_string();
    Error::not_found(
        field,
        format!(
            "There is no API key {}, or you may not see it.",
            quoted(&id)
        ),
    )
}
