//! The memberships that go along with the deletion of the user or the team.

use super::paths;
use crate::audit::model::Change;
use crate::db::Tx;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::permissions::model::Principal;
use crate::teams::model::Membership;
use crate::teams::store::members;

/// The events of the memberships of a user or a team, which must be locked, so that nobody joins meanwhile. One statement.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn along(tx: &mut Tx, of: Principal) -> Result<Vec<Change>> {
    let gone = |row: Membership| {
        let team = Id::new(Kind::Team, row.team_id);
        Change::deleted("teamMember.remove", team, row.snapshot()).at(paths(&row))
    };
    Ok(members::all_of(tx, of)
        .await?
        .into_iter()
        .map(gone)
        .collect())
}
