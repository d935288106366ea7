//! Inputs of queries and mutations on access requests.

use async_graphql::{Enum, ID, InputObject};

use super::types::AccessRequestStatus;
use crate::access_requests::model::{AccessRequestFilter, NamedRoleAt, NewAccessRequest, Review};
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::graphql::scalars::Timestamp;
use crate::permissions::path::Path;
use crate::teams::graphql::TeamRole;
use crate::users::graphql::{MembershipInput, memberships};

/// Which access requests to list; conditions are joined by AND.
#[derive(InputObject, Default)]
#[graphql(name = "AccessRequestFilter")]
pub struct AccessRequestFilterInput {
    /// Only those that stand so now.
    status: Option<AccessRequestStatus>,
    /// Only those of this user.
    user: Option<ID>,
    /// Only those for a place in this team.
    team: Option<ID>,
    /// Only those for roles at exactly this path.
    path: Option<String>,
}

impl AccessRequestFilterInput {
    /// The filter as operations take it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id of another kind, or what is no path.
    pub fn read(self) -> Result<AccessRequestFilter> {
        let id = |kind, field: &str, id: Option<ID>| {
            id.map(|id| Id::parse_as(kind, field, &id)).transpose()
        };
        let path = |text: String| {
            Path::parse(&text).map_err(|error| Error::bad_input("filter.path", format!("{error}.")))
        };
        Ok(AccessRequestFilter {
            status: self.status.map(Into::into),
            user: id(Kind::User, "filter.user", self.user)?,
            team: id(Kind::Team, "filter.team", self.team)?,
            path: self.path.map(path).transpose()?,
        })
    }
}

/// A role at a path, as it is asked for or given.
#[derive(InputObject)]
pub struct RoleAtInput {
    /// Where: `/`, `/models/gpt-4o` …, percent-encoded, at most 16 segments and 512 bytes.
    path: String,
    /// The role's name, without regard to case.
    role: String,
    /// Whether it also applies to everything below the path.
    #[graphql(default = true)]
    propagate: bool,
}

impl From<RoleAtInput> for NamedRoleAt {
    fn from(input: RoleAtInput) -> Self {
        NamedRoleAt {
            path: input.path,
            role: input.role,
            propagate: input.propagate,
        }
    }
}

fn named(list: Option<Vec<RoleAtInput>>) -> Option<Vec<NamedRoleAt>> {
    list.map(|list| list.into_iter().map(Into::into).collect())
}

/// What you ask for: either roles at paths, or a place in a team.
#[derive(InputObject)]
pub struct RequestAccessInput {
    /// Roles at paths, 1–32. Nothing needs to exist there.
    permissions: Option<Vec<RoleAtInput>>,
    /// A place in a team.
    membership: Option<MembershipInput>,
    /// Why, 1–2,000 characters: whoever decides reads it.
    justification: String,
    /// Until when it is wanted; left out: for good.
    until: Option<Timestamp>,
}

impl RequestAccessInput {
    /// The request as the operation takes it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id that is not a team's.
    pub fn read(self) -> Result<NewAccessRequest> {
        let place = self.membership.map(|place| vec![place]);
        let place = place.map(|place| memberships("input.membership", place));
        let place = place
            .transpose()
            .map_err(|error| error.at("input.membership.team"))?
            .and_then(|mut place| place.pop());
        Ok(NewAccessRequest {
            permissions: named(self.permissions),
            membership: place.map(|place| (place.team, place.role)),
            justification: self.justification,
            until: self.until.map(|until| until.0),
        })
    }
}

/// What a reviewer decides.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
pub enum AccessDecision {
    /// It is given: all of it, or what the input says.
    Approve,
    /// It is not given.
    Deny,
}

/// What becomes of a request.
#[derive(InputObject)]
pub struct ReviewAccessRequestInput {
    /// The request.
    pub id: ID,
    /// Whether it is given.
    decision: AccessDecision,
    /// Of roles at paths: only these. Each is one that was asked for, or less at the same path; left out: all.
    permissions: Option<Vec<RoleAtInput>>,
    /// Of a place in a team: as what; left out: as was asked for.
    team_role: Option<TeamRole>,
    /// Only until then; left out: as long as was asked for.
    until: Option<Timestamp>,
    /// What whoever asked is told, 1–2,000 characters. Needed for `DENY`.
    reason: Option<String>,
}

impl From<ReviewAccessRequestInput> for Review {
    fn from(input: ReviewAccessRequestInput) -> Self {
        Review {
            approve: input.decision == AccessDecision::Approve,
            permissions: named(input.permissions),
            team_role: input.team_role.map(Into::into),
            until: input.until.map(|until| until.0),
            reason: input.reason,
        }
    }
}

/// Which request to take back.
#[derive(InputObject)]
pub struct WithdrawAccessRequestInput {
    /// The request.
    pub id: ID,
}
