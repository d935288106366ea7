//! The operations on teams and memberships.

mod create;
mod delete;
mod giving;
mod last_admin;
pub mod members;
mod place;
mod read;
mod update;

use uuid::Uuid;

pub use create::create;
pub use delete::delete;
pub(crate) use last_admin::keep as keep_an_admin;

pub use read::{
    by_id, by_ids, by_slug, children, cursor, list, may_read, member_list, members_of,
    memberships_among, memberships_of, sight, teams_of, upwards,
};
pub use update::update;

use super::model::Team;

use crate::db::Failure;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::Error;
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// Read a team with all that belongs to it.
pub const READ: &str = "team.read";
/// Make, change and delete teams, and say who belongs to them.
pub const WRITE: &str = "team.write";

/// What a slug may hold beside letters and digits.
const SLUG_ALSO: &str = "._-";

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

fn slug_taken(failure: Failure, team: &Team) -> Error {
    failure.unique("teams_slug_key", || {
        Error::already_exists(
            "input.slug",
            format!(
                "There is a team with the slug {} already. Choose another.",
                quoted(&team.slug)
            ),
        )
    })
}
