//! Inputs of the query on usage.

use async_graphql::{Enum, ID, InputObject};

use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::graphql::scalars::Timestamp;
use crate::permissions::path::Path;
use crate::usage::report::{Dimension, Granularity, UsageFilter};

/// What stands before the names of the filter's fields.
pub(super) const AT: &str = "filter.";

/// Which usage counts; conditions are joined by AND.
#[derive(InputObject, Default)]
#[graphql(name = "UsageFilter")]
pub struct UsageFilterInput {
    /// From this moment on, at which a quarter of an hour begins. Left out: as far back from the end as 24 hours, 30 days or 12 months
    /// go, whichever the granularity is.
    from: Option<Timestamp>,
    /// Before this moment, at which a quarter of an hour begins. Left out: to the end of the present hour, day or month.
    to: Option<Timestamp>,
    /// What this API key used, deleted or not.
    api_key: Option<ID>,
    /// What all keys of this user used.
    user: Option<ID>,
    /// What all keys of this team, and of the teams that are below it now, used.
    team: Option<ID>,
    /// Of this resource and of what lies below it: `/models` has `/models/gpt-4o` too.
    resource: Option<String>,
    /// Of what carries this tag.
    tag: Option<String>,
}

impl UsageFilterInput {
    /// The filter as operations take it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id of another kind, or a resource that is no path.
    pub fn read(self) -> Result<UsageFilter> {
        let id = |kind, name: &str, id: Option<ID>| {
            id.map(|id| Id::parse_as(kind, &format!("{AT}{name}"), &id))
                .transpose()
        };
        let path = |text: String| {
            Path::parse(&text)
                .map_err(|error| Error::bad_input(format!("{AT}resource"), format!("{error}.")))
        };
        Ok(UsageFilter {
            from: self.from.map(|at| at.0),
            to: self.to.map(|at| at.0),
            api_key: id(Kind::ApiKey, "apiKey", self.api_key)?,
            user: id(Kind::User, "user", self.user)?,
            team: id(Kind::Team, "team", self.team)?,
            resource: self.resource.map(path).transpose()?,
            tag: self.tag,
        })
    }
}

/// By what the points of a series are told apart.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "Dimension")]
pub enum UsageGroupBy {
    /// By the API key.
    Key,
    /// By the user.
    User,
    /// By the team whose key it was.
    Team,
    /// By the resource.
    Resource,
    /// By the tag. What has several tags counts at each of them, what has none at none; totals count everything once.
    Tag,
}

/// The length of a series' buckets.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "Granularity")]
pub enum UsageGranularity {
    /// From one full hour of the zone's clock to the next.
    Hour,
    /// A day of the zone's calendar: 23 or 25 hours when clocks change.
    Day,
    /// A month of the zone's calendar.
    Month,
}
