//! The type `TeamMembership` and its connection, whose edges carry the role too.

use async_graphql::{ComplexObject, Context, Enum, Object, SimpleObject};

use super::types::Team;
use crate::db::pages::Page;
use crate::error::{Code, Error, Result};
use crate::graphql::connection::{PageInfo, Place};
use crate::graphql::lean::{AtHand, Plain};
use crate::graphql::request;
use crate::graphql::scalars::Timestamp;
use crate::limits::graphql::{Limits, limits_of};
use crate::limits::model::Subject;
use crate::permissions::model as permissions;
use crate::teams::model;
use crate::users::graphql::User;

/// What a user is to a team.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "permissions::TeamRole")]
pub enum TeamRole {
    /// Changes the team, its members and its keys.
    Admin,
    /// Belongs to the team: sees it and its members, and holds what it holds.
    Member,
}

fn role(membership: &model::Membership) -> Result<TeamRole> {
    let role: permissions::TeamRole = membership
        .role
        .parse()
        .map_err(|_| Error::internal("a stored membership has an unknown role"))?;
    Ok(role.into())
}

/// That a user belongs to a team. Whoever sees it may see both.
#[derive(Clone)]
pub struct TeamMembership(pub model::Membership);

/// A user's place in a team.
#[Object]
impl TeamMembership {
    /// The team.
    async fn team(&self, context: &Context<'_>) -> Result<Team> {
        let found = request(context).loaders.teams.load(self.0.team_id).await?;
        found.map(Team).ok_or_else(|| gone("team"))
    }

    /// The user.
    async fn user(&self, context: &Context<'_>) -> Result<User> {
        let found = request(context).loaders.users.load(self.0.user_id).await?;
        found.map(User).ok_or_else(|| gone("user"))
    }

    /// What the user is to the team.
    async fn role(&self) -> Result<TeamRole> {
        role(&self.0)
    }

    /// When the user joined.
    async fn since(&self) -> Timestamp {
        Timestamp(self.0.since)
    }

    /// From this moment on the user does not belong to the team; null: until it is removed.
    async fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at.map(Timestamp)
    }

    /// How much the member may use with the team's keys: what is said of it, and else what holds for each.
    async fn limits(&self, context: &Context<'_>) -> Result<Limits> {
        let subject = Subject::Member {
            team: self.0.team_id,
            user: self.0.user_id,
        };
        limits_of(request(context), subject).await
    }
}

pub(super) fn gone(what: &str) -> Error {
    let message =
        format!("The {what} was deleted while this request was under way. Send it again.");
    Error::new(Code::Conflict, message)
}

/// A membership in its list.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct TeamMembershipEdge {
    /// The membership's place in the list, for `after` and `before`.
    pub cursor: Place,
    /// The membership.
    pub node: TeamMembership,
}

#[ComplexObject]
impl TeamMembershipEdge {
    /// What the user is to the team.
    async fn role(&self) -> Result<TeamRole> {
        role(&self.node.0)
    }

    /// When the user joined.
    async fn since(&self) -> Timestamp {
        Timestamp(self.node.0.since)
    }
}

/// A page of memberships.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct TeamMembershipConnection {
    /// The memberships with their cursors and roles.
    pub edges: Vec<TeamMembershipEdge>,
    /// Where this page lies in the list.
    pub page_info: PageInfo,
    #[graphql(skip)]
    total: Option<i64>,
}

#[ComplexObject]
impl TeamMembershipConnection {
    /// The memberships without their cursors.
    async fn nodes(&self) -> Vec<TeamMembership> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }

    /// How many objects the filter and your rights leave, on all pages together.
    async fn total_count(&self) -> Result<i64> {
        self.total
            .ok_or_else(|| Error::internal("the list was not counted"))
    }
}

impl Plain for TeamMembershipConnection {}

impl TeamMembershipConnection {
    /// The connection over a page, with `place` for each row.
    pub fn of(
        page: Page<model::Membership>,
        place: impl Fn(&model::Membership) -> Place,
    ) -> AtHand<Self> {
        let edges: Vec<TeamMembershipEdge> = page
            .items
            .into_iter()
            .map(|row| TeamMembershipEdge {
                cursor: place(&row),
                node: TeamMembership(row),
            })
            .collect();
        AtHand(TeamMembershipConnection {
            page_info: PageInfo {
                has_next_page: page.has_next,
                has_previous_page: page.has_previous,
                start_cursor: edges.first().map(|edge| edge.cursor.clone()),
                end_cursor: edges.last().map(|edge| edge.cursor.clone()),
            },
            edges,
            total: page.total,
        })
    }
}
