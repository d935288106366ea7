//! The operations on API keys.

mod along;
mod delete;
mod draft;
mod expiring;
mod generate;
mod own;
mod read;
mod rotate;
mod rules;
mod shown;
mod update;
mod used;

use uuid::Uuid;

pub use along::along;
pub use delete::delete;
pub use draft::{Draft, Policies};
pub use expiring::announce_expiring;
pub use generate::generate;
pub use read::{PageOf, by_ids, cursor, list, may_read, pages_of, sight};
pub use rotate::rotate;
pub use rules::{MAX_CIDRS, MAX_PERMISSIONS};
pub use shown::{SHOWN_AGAIN, forget_shown, show_again, shown_again};
pub use update::update;
pub use used::note_used;

use super::model::ApiKey;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
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

/// Demands `apiKey.write` over an existing key. Its absence is told from refusal only to those who may see it.
async fn authorise(ctx: &Ctx, id: Uuid) -> Result<()> {
    access::authenticated(ctx)?;
    let found = by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let key = found
        .filter(|key| may_read(ctx, key))
        .ok_or_else(|| absent("input.id", id))?;
    let paths = paths(&key);
    if access::can_any(ctx, WRITE, &paths) {
        return Ok(());
    }
    access::require(ctx, WRITE, &paths[0])
}
