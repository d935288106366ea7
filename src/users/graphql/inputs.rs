//! Inputs of queries and mutations on users.

use async_graphql::{Enum, ID, InputObject, MaybeUndefined, OneofObject};
use chrono::{DateTime, Utc};

use super::types::{InstanceRole, UserKind};
use crate::api_keys::graphql::NewApiKeyInput;
use crate::api_keys::model::NewApiKey;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::graphql::input::{OrderDirection, change, change_required};
use crate::graphql::scalars::{Json, Timestamp};
use crate::limits::graphql::NewLimitsInput;
use crate::teams::graphql::TeamRole;
use crate::teams::model::NewMembership;
use crate::users::model::{NewUser, UserChanges, UserFilter, UserSort};

/// Names one user, in one way.
#[derive(OneofObject)]
pub enum UserBy {
    /// By id.
    Id(ID),
    /// By user name, without regard to case.
    Username(String),
    /// By e-mail address, without regard to case.
    Email(String),
}

/// Which users to list; conditions are joined by AND.
#[derive(InputObject, Default)]
#[graphql(name = "UserFilter")]
pub struct UserFilterInput {
    /// Words, each of which begins a word of a name or of the e-mail address.
    search: Option<String>,
    /// Only people, or only service accounts.
    kind: Option<UserKind>,
    /// Only those with this instance role.
    role: Option<InstanceRole>,
    /// Only enabled ones, or only disabled ones.
    enabled: Option<bool>,
    /// Only members of this team.
    team: Option<ID>,
    /// Only those made at or after this moment.
    created_from: Option<Timestamp>,
    /// Only those made before this moment.
    created_before: Option<Timestamp>,
}

impl UserFilterInput {
    /// The filter as operations take it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id that is not a team's, or a search that is too long.
    pub fn read(self) -> Result<UserFilter> {
        if let Some(length) = self
            .search
            .as_ref()
            .map(String::len)
            .filter(|length| *length > 200)
        {
            let message = format!("filter.search has {length} bytes. It may have at most 200.");
            return Err(Error::bad_input("filter.search", message));
        }
        Ok(UserFilter {
            search: self.search,
            kind: self.kind.map(Into::into),
            role: self.role.map(Into::into),
            enabled: self.enabled,
            team: self
                .team
                .map(|id| Id::parse_as(Kind::Team, "filter.team", &id))
                .transpose()?,
            created_from: self.created_from.map(|at| at.0),
            created_before: self.created_before.map(|at| at.0),
        })
    }
}

/// What a list of users is ordered by.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "UserSort")]
pub enum UserOrderField {
    /// The time they were made.
    CreatedAt,
    /// The user name, without regard to case.
    Username,
}

/// The order of a list of users.
#[derive(InputObject)]
pub struct UserOrder {
    /// What to order by.
    pub field: UserOrderField,
    /// In which direction.
    #[graphql(default)]
    pub direction: OrderDirection,
}

/// A user to be made.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// The name it signs in with: 1–64 of letters, digits and . _ - @ +; unique without regard to case.
    username: String,
    /// The e-mail address; unique without regard to case.
    email: Option<String>,
    /// The display name, 1–200 characters.
    name: Option<String>,
    /// The given name, 1–200 characters.
    given_name: Option<String>,
    /// The family name, 1–200 characters.
    family_name: Option<String>,
    /// A person, or an account for a program.
    #[graphql(default_with = "UserKind::Person")]
    kind: UserKind,
    /// What it is to the whole instance; left out: as the policy says. You cannot give more than you hold.
    role: Option<InstanceRole>,
    /// Whether it may do anything at all.
    #[graphql(default = true)]
    enabled: bool,
    /// From this moment on it counts as disabled.
    expires_at: Option<Timestamp>,
    /// A comment for administrators, 1–2,000 characters.
    comment: Option<String>,
    /// A JSON object of at most 16 kB.
    metadata: Option<Json>,
    /// The password: at least as long as the policy says, at most 72 bytes.
    #[graphql(secret)]
    password: Option<String>,
    /// The teams to which it belongs from the beginning, at most 100; left out: as the policy says. Needs `team.write` at each.
    memberships: Option<Vec<MembershipInput>>,
    /// Makes its first API key too: both or neither. The secret is in the payload. Needs `apiKey.write` at the user's path.
    api_key: Option<NewApiKeyInput>,
    /// How much all its keys together may use. What is left out is as the policy for limits says.
    limits: Option<NewLimitsInput>,
}

/// A team to which a new user belongs.
#[derive(InputObject)]
pub struct MembershipInput {
    /// The team's id.
    team: ID,
    /// What the user is to the team.
    #[graphql(default_with = "TeamRole::Member")]
    role: TeamRole,
}

/// The memberships as operations take them. `at` is the path of the input.
///
/// # Errors
/// `BAD_USER_INPUT` for an id that is not a team's.
pub fn memberships(at: &str, list: Vec<MembershipInput>) -> Result<Vec<NewMembership>> {
    let read = |(n, each): (usize, MembershipInput)| {
        Ok(NewMembership {
            team: Id::parse_as(Kind::Team, &format!("{at}.{n}.team"), &each.team)?,
            role: each.role.into(),
        })
    };
    list.into_iter().enumerate().map(read).collect()
}

impl CreateUserInput {
    /// The user as the operation takes it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id that is not a team's, or as [`NewApiKeyInput::read`].
    pub fn read(self, now: DateTime<Utc>) -> Result<(NewUser, Option<NewApiKey>)> {
        let input = self;
        let key = input
            .api_key
            .map(|key| key.read("input.apiKey", now))
            .transpose()?;
        let limits = input.limits.map(|limits| limits.read("input.limits"));
        let teams = input.memberships;
        let teams = teams.map(|list| memberships("input.memberships", list));
        let user = NewUser {
            username: input.username,
            email: input.email,
            name: input.name,
            given_name: input.given_name,
            family_name: input.family_name,
            kind: input.kind.into(),
            role: input.role.map(Into::into),
            enabled: input.enabled,
            expires_at: input.expires_at.map(|at| at.0),
            comment: input.comment,
            metadata: input.metadata.map(|json| json.0),
            password: input.password,
            memberships: teams.transpose()?,
            limits: limits.transpose()?.unwrap_or_default(),
        };
        Ok((user, key))
    }
}

/// Changes to a user: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateUserInput {
    /// The user's id.
    pub id: ID,
    /// The name it signs in with: 1–64 of letters, digits and . _ - @ +.
    username: MaybeUndefined<String>,
    /// The e-mail address.
    email: MaybeUndefined<String>,
    /// The display name, 1–200 characters.
    name: MaybeUndefined<String>,
    /// The given name, 1–200 characters.
    given_name: MaybeUndefined<String>,
    /// The family name, 1–200 characters.
    family_name: MaybeUndefined<String>,
    /// What it is to the whole instance. You cannot give more than you hold.
    role: MaybeUndefined<InstanceRole>,
    /// Whether it may do anything at all.
    enabled: MaybeUndefined<bool>,
    /// From this moment on it counts as disabled.
    expires_at: MaybeUndefined<Timestamp>,
    /// A comment for administrators, 1–2,000 characters.
    comment: MaybeUndefined<String>,
    /// A JSON object of at most 16 kB; null leaves an empty one.
    metadata: MaybeUndefined<Json>,
    /// Go on where disabling or expiring the user leaves a team without an admin who can act.
    #[graphql(default)]
    allow_teams_without_admin: bool,
}

impl UpdateUserInput {
    /// The changes as the operation takes them.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for null where something must be.
    pub fn read(self) -> Result<UserChanges> {
        Ok(UserChanges {
            username: change_required("input.username", self.username)?,
            email: change(self.email),
            name: change(self.name),
            given_name: change(self.given_name),
            family_name: change(self.family_name),
            role: change_required("input.role", self.role)?.map(Into::into),
            enabled: change_required("input.enabled", self.enabled)?,
            expires_at: change(self.expires_at).map(|at| at.map(|at| at.0)),
            comment: change(self.comment),
            metadata: change(self.metadata).map(|json| json.map(|json| json.0)),
            allow_teams_without_admin: self.allow_teams_without_admin,
        })
    }
}

/// Names the user to be deleted.
#[derive(InputObject)]
pub struct DeleteUserInput {
    /// The user's id.
    pub id: ID,
    /// Go on where this leaves a team without an admin who can act.
    #[graphql(default)]
    pub allow_teams_without_admin: bool,
}
