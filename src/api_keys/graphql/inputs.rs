//! Inputs of queries on API keys.

use async_graphql::{Enum, ID, InputObject, OneofObject};

use super::types::ApiKeyStatus;
use crate::api_keys::model::{ApiKeyFilter, ApiKeySort};
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::graphql::input::OrderDirection;
use crate::graphql::scalars::Timestamp;

/// Names one API key, in one way.
#[derive(OneofObject)]
pub enum ApiKeyBy {
    /// By id.
    Id(ID),
    /// By its secret: the present one, or one that still works after a rotation.
    #[graphql(secret)]
    Secret(String),
}

/// Which API keys to list; conditions are joined by AND.
#[derive(InputObject, Default)]
#[graphql(name = "ApiKeyFilter")]
pub struct ApiKeyFilterInput {
    /// Only this user's.
    owner: Option<ID>,
    /// Only those made for this team.
    team: Option<ID>,
    /// Only those that stand so now.
    status: Option<ApiKeyStatus>,
    /// Only those with permissions of their own, or only those without.
    restricted: Option<bool>,
    /// Words, each of which begins a word of the name, the description or the prefix.
    search: Option<String>,
    /// Only those that this user made.
    created_by: Option<ID>,
    /// Only those that expire before this moment, or have done so.
    expires_before: Option<Timestamp>,
    /// Only those that were not used since this moment, or never.
    unused_since: Option<Timestamp>,
}

impl ApiKeyFilterInput {
    /// The filter as operations take it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id of another kind, or a search that is too long.
    pub fn read(self) -> Result<ApiKeyFilter> {
        if let Some(length) = self
            .search
            .as_ref()
            .map(String::len)
            .filter(|length| *length > 200)
        {
            let message = format!("filter.search has {length} bytes. It may have at most 200.");
            return Err(Error::bad_input("filter.search", message));
        }
        let id = |kind, field: &str, id: Option<ID>| {
            id.map(|id| Id::parse_as(kind, field, &id)).transpose()
        };
        Ok(ApiKeyFilter {
            owner: id(Kind::User, "filter.owner", self.owner)?,
            team: id(Kind::Team, "filter.team", self.team)?,
            status: self.status.map(Into::into),
            restricted: self.restricted,
            search: self.search,
            created_by: id(Kind::User, "filter.createdBy", self.created_by)?,
            expires_before: self.expires_before.map(|at| at.0),
            unused_since: self.unused_since.map(|at| at.0),
        })
    }
}

/// What a list of API keys is ordered by.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "ApiKeySort")]
pub enum ApiKeyOrderField {
    /// The time they were made.
    CreatedAt,
    /// The name.
    Name,
}

/// The order of a list of API keys.
#[derive(InputObject)]
pub struct ApiKeyOrder {
    /// What to order by.
    pub field: ApiKeyOrderField,
    /// In which direction.
    #[graphql(default)]
    pub direction: OrderDirection,
}
