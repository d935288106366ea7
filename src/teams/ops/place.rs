//! Where a team may lie in the tree.

use crate::db::Tx;
use crate::db::ids::quoted;
use crate::error::{Error, Result};
use crate::teams::model::{MAX_DEPTH, Team};
use crate::teams::store::tree;

use super::absent;
use uuid::Uuid;

/// Refuses a parent that is not there, that lies below the team, or under which the tree would become too deep. The caller holds the
/// lock on the tree.
///
/// # Errors
/// `NOT_FOUND`; `CONFLICT` at `input.parent`; `SERVICE_UNAVAILABLE`.
pub(super) async fn fits(tx: &mut Tx, team: &Team, parent: Uuid) -> Result<()> {
    const FIELD: &str = "input.parent";
    let above = tree::upwards(tx, parent).await?;
    if above.is_empty() {
        return Err(absent(FIELD, parent));
    }
    if above.contains(&team.id) {
        let message = format!(
            "The team {} cannot lie below itself. Choose a parent that is not one of the teams below it.",
            quoted(&team.slug)
        );
        return Err(Error::conflict(message).at(FIELD));
    }
    // A new team is not there yet, and is one level.
    let height = tree::height(tx, team.id).await?.max(1);
    let depth = above.len() + usize::try_from(height).unwrap_or(usize::MAX);
    if depth > MAX_DEPTH {
        let message = format!(
            "Teams nest at most {MAX_DEPTH} deep. Here it would be {depth}. Choose a parent that lies higher."
        );
        return Err(Error::conflict(message).at(FIELD));
    }
    Ok(())
}
