//! Who belongs to a team.

mod add;
mod along;
mod end;
mod give;
mod join;
mod remove;
mod update;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use add::{add, enrol, may_enrol};
pub use along::along;
pub use end::end;
pub use give::{give, may_add};
pub use join::join;
pub use remove::remove;
pub use update::update;

use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::teams::model::{Membership, NewMembership};
use crate::{teams, users};

/// The error of a user who does not belong to the team.
pub fn no_member(field: &str, user: Uuid) -> Error {
    let id = Id::new(Kind::User, user).to_string();
    Error::not_found(
        field,
        format!(
            "The user {} does not belong to this team, or you may not see it.",
            quoted(&id)
        ),
    )
}

/// The event of a user who joins: it is told of the team, and may be read by whoever reads the team's events or the user's.
pub(super) fn joined(membership: &Membership) -> Change {
    let team = Id::new(Kind::Team, membership.team_id);
    Change::created("teamMember.add", team, membership.snapshot()).at(paths(membership))
}

/// The event of a member whose place is another.
fn changed(before: &Membership, after: &Membership) -> Change {
    Change {
        action: "teamMember.update",
        target: Id::new(Kind::Team, after.team_id),
        paths: paths(after).to_vec(),
        before: Some(before.snapshot()),
        after: Some(after.snapshot()),
    }
}

/// Refuses an end that has passed.
fn not_past(ctx: &Ctx, field: &str, end: DateTime<Utc>) -> Result<()> {
    if end > ctx.now() {
        return Ok(());
    }
    Err(Error::bad_input(
        field,
        format!(
            "{field} lies in the past. To take the membership away, remove the member from the team."
        ),
    ))
}

/// The memberships of that user that begin now.
fn rows(ctx: &Ctx, user: Uuid, memberships: &[NewMembership]) -> Vec<Membership> {
    let begun = |membership: &NewMembership| Membership {
        team_id: membership.team,
        user_id: user,
        role: membership.role.as_str().into(),
        since: ctx.now(),
        expires_at: None,
    };
    memberships.iter().map(begun).collect()
}

fn paths(membership: &Membership) -> [crate::permissions::path::Path; 2] {
    [
        teams::ops::path(membership.team_id),
        users::ops::path(membership.user_id),
    ]
}
