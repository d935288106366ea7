//! The operations on teams and memberships.

mod read;

use uuid::Uuid;

pub use read::{
    by_id, by_ids, by_slug, children, cursor, list, may_read, member_list, members, memberships_of,
    sight, teams_of,
};

use crate::db::ids::{Id, Kind, quoted};
use crate::error::Error;
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// Read a team with all that belongs to it.
pub const READ: &str = "team.read";
/// Make, change and delete teams, and say who belongs to them.
pub const WRITE: &str = "team.write";

/// The path of a team, `/teams/team_01…`.
pub fn path(id: Uuid) -> Path {
    access::object(Kind::Team, id)
}

/// The error of a team that is not there or may not be seen.
pub fn absent(field: &str, id: Uuid) -> Error {
    let id = Id::new(Kind::Team, id).to_string();
    Error::not_found(
        field,
        format!("There is no team {}, or you may not see it.", quoted(&id)),
    )
}
