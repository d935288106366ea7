//! Inputs of queries and mutations on teams.

use async_graphql::{Enum, ID, InputObject, OneofObject};

use super::members::TeamRole;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::graphql::input::OrderDirection;
use crate::graphql::scalars::Timestamp;
use crate::teams::model::{MemberFilter, TeamFilter, TeamSort};

/// Names one team, in one way.
#[derive(OneofObject)]
pub enum TeamBy {
    /// By id.
    Id(ID),
    /// By slug, without regard to case.
    Slug(String),
}

/// Which teams to list; conditions are joined by AND.
#[derive(InputObject, Default)]
#[graphql(name = "TeamFilter")]
pub struct TeamFilterInput {
    /// Words, each of which begins a word of the slug or of the name.
    search: Option<String>,
    /// Only enabled ones, or only disabled ones.
    enabled: Option<bool>,
    /// Only direct children of this team.
    parent: Option<ID>,
    /// true: only those without a parent; false: only those with one.
    root: Option<bool>,
    /// Only those to which this user belongs directly.
    member: Option<ID>,
    /// Only those made at or after this moment.
    created_from: Option<Timestamp>,
    /// Only those made before this moment.
    created_before: Option<Timestamp>,
}

impl TeamFilterInput {
    /// The filter as operations take it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id of another kind, or a search that is too long.
    pub fn read(self) -> Result<TeamFilter> {
        Ok(TeamFilter {
            search: search(self.search)?,
            enabled: self.enabled,
            parent: self
                .parent
                .map(|id| Id::parse_as(Kind::Team, "filter.parent", &id))
                .transpose()?,
            root: self.root,
            member: self
                .member
                .map(|id| Id::parse_as(Kind::User, "filter.member", &id))
                .transpose()?,
            created_from: self.created_from.map(|at| at.0),
            created_before: self.created_before.map(|at| at.0),
        })
    }
}

fn search(text: Option<String>) -> Result<Option<String>> {
    match text.as_ref().map(String::len).filter(|bytes| *bytes > 200) {
        Some(bytes) => Err(Error::bad_input(
            "filter.search",
            format!("filter.search has {bytes} bytes. It may have at most 200."),
        )),
        None => Ok(text),
    }
}

/// What a list of teams is ordered by.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "TeamSort")]
pub enum TeamOrderField {
    /// The time they were made.
    CreatedAt,
    /// The slug, without regard to case.
    Slug,
}

/// The order of a list of teams.
#[derive(InputObject)]
pub struct TeamOrder {
    /// What to order by.
    pub field: TeamOrderField,
    /// In which direction.
    #[graphql(default)]
    pub direction: OrderDirection,
}

/// Which members of a team to list; conditions are joined by AND.
#[derive(InputObject, Default)]
#[graphql(name = "TeamMemberFilter")]
pub struct TeamMemberFilterInput {
    /// Words, each of which begins a word of a name or of the e-mail address.
    search: Option<String>,
    /// Only those with this role in the team.
    role: Option<TeamRole>,
}

impl TeamMemberFilterInput {
    /// The filter as operations take it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a search that is too long.
    pub fn read(self) -> Result<MemberFilter> {
        Ok(MemberFilter {
            search: search(self.search)?,
            role: self.role.map(Into::into),
        })
    }
}
