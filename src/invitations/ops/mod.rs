//! The operations on invitations.

mod accept;
mod create;
mod mail;
mod read;
mod resend;
mod revoke;
mod rights;
mod token;

use std::sync::Arc;

use uuid::Uuid;

pub use accept::accept;
pub use create::{Made, create};
pub use read::{Shown, by_ids, by_token, cursor, list, may_read};
pub use resend::resend;
pub use revoke::revoke;

use super::model::Invitation;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// Read invitations, without their tokens.
pub const READ: &str = "invitation.read";
/// Send invitations of others again, and revoke them.
pub const WRITE: &str = "invitation.write";

/// The paths of an invitation: its own, and those of its teams.
pub fn paths(invitation: &Invitation) -> Vec<Path> {
    let own = access::object(Kind::Invitation, invitation.id);
    let teams = invitation.team_ids.iter();
    let teams = teams.map(|team| access::object(Kind::Team, *team));
    std::iter::once(own).chain(teams).collect()
}

/// The error of an invitation that is not there or may not be seen.
pub fn absent(field: &str, id: Uuid) -> Error {
    let id = Id::new(Kind::Invitation, id).to_string();
    Error::not_found(
        field,
        format!(
            "There is no invitation {}, or you may not see it.",
            quoted(&id)
        ),
    )
}

/// Whether the actor answers for it.
fn is_own(ctx: &Ctx, invitation: &Invitation) -> bool {
    ctx.actor.user_itself() == Some(invitation.invited_by)
}

/// Demands that the actor answers for the invitation, or holds `invitation.write` at one of its paths. Its absence is told from refusal
/// only to those who may see it.
async fn authorise(ctx: &Ctx, id: Uuid) -> Result<Arc<Invitation>> {
    access::authenticated(ctx)?;
    let found = by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let invitation = found
        .filter(|invitation| may_read(ctx, invitation))
        .ok_or_else(|| absent("input.id", id))?;
    let paths = paths(&invitation);
    if is_own(ctx, &invitation) || access::can_any(ctx, WRITE, &paths) {
        return Ok(invitation);
    }
    access::require(ctx, WRITE, &paths[0])?;
    Ok(invitation)
}
