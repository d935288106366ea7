//! Inputs of queries and mutations on teams.

use async_graphql::{Enum, ID, InputObject, MaybeUndefined, OneofObject};

use super::members::TeamRole;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::graphql::input::{OrderDirection, change, change_required};
use crate::graphql::scalars::{Json, Timestamp};
use crate::teams::model::{MemberFilter, NewMember, NewTeam, TeamChanges, TeamFilter, TeamSort};

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

/// A user that is to belong to a new team.
#[derive(InputObject)]
pub struct TeamMemberInput {
    /// The user's id.
    user: ID,
    /// What the user is to the team.
    #[graphql(default_with = "TeamRole::Member")]
    role: TeamRole,
}

/// A team to be made.
#[derive(InputObject)]
pub struct CreateTeamInput {
    /// The name in addresses: 1–64 of letters, digits and - _ . ; unique without regard to case.
    slug: String,
    /// The display name, 1–200 characters; the slug if not given.
    name: Option<String>,
    /// What it is for, 1–2,000 characters.
    description: Option<String>,
    /// The team above it. Needs `team.write` there too, since its permissions reach the new team's members.
    parent: Option<ID>,
    /// A JSON object of at most 16 kB.
    metadata: Option<Json>,
    /// Its first members, at most 100. Left out or null: you, as its admin.
    members: Option<Vec<TeamMemberInput>>,
}

impl CreateTeamInput {
    /// The team as the operation takes it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id of another kind.
    pub fn read(self) -> Result<NewTeam> {
        let member = |(n, member): (usize, TeamMemberInput)| {
            let field = format!("input.members.{n}.user");
            Ok(NewMember {
                user: Id::parse_as(Kind::User, &field, &member.user)?,
                role: member.role.into(),
                expires_at: None,
            })
        };
        let members = self.members.map(|members| {
            members
                .into_iter()
                .enumerate()
                .map(member)
                .collect::<Result<_>>()
        });
        Ok(NewTeam {
            name: self.name.unwrap_or_else(|| self.slug.clone()),
            slug: self.slug,
            description: self.description,
            parent: self
                .parent
                .map(|id| Id::parse_as(Kind::Team, "input.parent", &id))
                .transpose()?,
            metadata: self.metadata.map(|json| json.0),
            members: members.transpose()?,
        })
    }
}

/// Changes to a team: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateTeamInput {
    /// The team's id.
    pub id: ID,
    /// The name in addresses: 1–64 of letters, digits and - _ .
    slug: MaybeUndefined<String>,
    /// The display name, 1–200 characters.
    name: MaybeUndefined<String>,
    /// What it is for, 1–2,000 characters.
    description: MaybeUndefined<String>,
    /// The team above it; null: none. Needs `team.write` at the new parent too.
    parent: MaybeUndefined<ID>,
    /// Whether it gives its members anything. You cannot give more than you hold.
    enabled: MaybeUndefined<bool>,
    /// A JSON object of at most 16 kB; null leaves an empty one.
    metadata: MaybeUndefined<Json>,
}

impl UpdateTeamInput {
    /// The changes as the operation takes them.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for null where something must be, or an id of another kind.
    pub fn read(self) -> Result<TeamChanges> {
        let parent = |id: Option<ID>| {
            id.map(|id| Id::parse_as(Kind::Team, "input.parent", &id))
                .transpose()
        };
        Ok(TeamChanges {
            slug: change_required("input.slug", self.slug)?,
            name: change_required("input.name", self.name)?,
            description: change(self.description),
            parent: change(self.parent).map(parent).transpose()?,
            enabled: change_required("input.enabled", self.enabled)?,
            metadata: change(self.metadata).map(|json| json.map(|json| json.0)),
        })
    }
}

/// Names the team to be deleted.
#[derive(InputObject)]
pub struct DeleteTeamInput {
    /// The team's id.
    pub id: ID,
}

/// A user to be added to a team.
#[derive(InputObject)]
pub struct AddTeamMemberInput {
    /// The team's id.
    pub team: ID,
    /// The user's id.
    pub user: ID,
    /// What the user is to the team.
    #[graphql(default_with = "TeamRole::Member")]
    pub role: TeamRole,
    /// From this moment on the user does not belong to it; left out: until it is removed.
    pub expires_at: Option<Timestamp>,
}

/// A member and its new role.
#[derive(InputObject)]
pub struct UpdateTeamMemberInput {
    /// The team's id.
    pub team: ID,
    /// The user's id.
    pub user: ID,
    /// What the user is to the team from now on.
    pub role: TeamRole,
    /// From this moment on the user does not belong to it; absent: as it is; null: until it is removed.
    pub expires_at: MaybeUndefined<Timestamp>,
    /// Go on where this leaves the team without an admin who can act.
    #[graphql(default)]
    pub allow_teams_without_admin: bool,
}

/// A member to be removed from its team.
#[derive(InputObject)]
pub struct RemoveTeamMemberInput {
    /// The team's id.
    pub team: ID,
    /// The user's id.
    pub user: ID,
    /// Go on where this leaves the team without an admin who can act.
    #[graphql(default)]
    pub allow_teams_without_admin: bool,
}
