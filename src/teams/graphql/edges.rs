//! The edges that other domains' types have towards teams.

use std::sync::Arc;

use uuid::Uuid;

use super::members::TeamMembershipConnection;
use super::types::{Team, TeamConnection};
use crate::db::nested::Nested;
use crate::db::pages::{Cursor, PageRequest};
use crate::error::Result;
use crate::graphql::Request;
use crate::graphql::connection::Place;
use crate::graphql::lean::AtHand;
use crate::teams::ops;

/// The name of the list of a user's teams, for cursors.
pub const TEAMS: &str = "user.teams";
/// The name of the list of a user's memberships, for cursors.
pub const MEMBERSHIPS: &str = "user.memberships";

/// The teams to which the user belongs, as far as the actor may see them.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn teams_of(
    request: &Request,
    user: Uuid,
    page: PageRequest,
) -> Result<AtHand<TeamConnection>> {
    let key = Nested {
        parent: user,
        list: ops::sight(&request.ctx),
        page,
    };
    let page = request.loaders.teams_of.load(key).await?;
    Ok(TeamConnection::of(
        page.unwrap_or_default().as_ref().clone(),
        |joined| Place::new(TEAMS, Cursor::time(joined.since, joined.team.id)),
        |joined| Team(Arc::new(joined.team)),
    ))
}

/// The user's memberships of teams that the actor may see.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn memberships_of(
    request: &Request,
    user: Uuid,
    page: PageRequest,
) -> Result<AtHand<TeamMembershipConnection>> {
    let key = Nested {
        parent: user,
        list: ops::sight(&request.ctx),
        page,
    };
    let page = request.loaders.memberships_of.load(key).await?;
    Ok(TeamMembershipConnection::of(
        page.unwrap_or_default().as_ref().clone(),
        |member| Place::new(MEMBERSHIPS, Cursor::time(member.since, member.team_id)),
    ))
}
