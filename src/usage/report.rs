//! What is asked of usage, and what is answered: sums, in all and in points.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::limits::window::Zone;
use crate::permissions::path::Path;

/// The length of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// An hour of the zone's clock.
    Hour,
    /// A day of the zone's calendar.
    Day,
    /// A month of the zone's calendar.
    Month,
}

/// By what points are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// By the API key.
    Key,
    /// By the user.
    User,
    /// By the team whose key it was.
    Team,
    /// By the resource.
    Resource,
    /// By the tag.
    Tag,
}

impl Dimension {
    /// Every one, in the order of a group.
    pub const ALL: [Dimension; 5] = [
        Dimension::Key,
        Dimension::User,
        Dimension::Team,
        Dimension::Resource,
        Dimension::Tag,
    ];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Dimension::Key => "KEY",
            Dimension::User => "USER",
            Dimension::Team => "TEAM",
            Dimension::Resource => "RESOURCE",
            Dimension::Tag => "TAG",
        }
    }
}

impl Granularity {
    /// Every one, the shortest first.
    pub const ALL: [Granularity; 3] = [Granularity::Hour, Granularity::Day, Granularity::Month];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Granularity::Hour => "HOUR",
            Granularity::Day => "DAY",
            Granularity::Month => "MONTH",
        }
    }
}

/// Which events count; conditions are joined by AND.
#[derive(Debug, Clone, Default)]
pub struct UsageFilter {
    /// From this moment on; `None`: some buckets before the end.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment; `None`: to the end of the present bucket.
    pub to: Option<DateTime<Utc>>,
    /// With this key.
    pub api_key: Option<Uuid>,
    /// By this user.
    pub user: Option<Uuid>,
    /// With the keys of this team, and of the teams below it.
    pub team: Option<Uuid>,
    /// Of this resource, and of those below it.
    pub resource: Option<Path>,
    /// With this tag.
    pub tag: Option<String>,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Which events.
    pub filter: UsageFilter,
    /// Told apart by what; each once.
    pub groups: Vec<Dimension>,
    /// In buckets of which length; `None`: one for the whole period.
    pub granularity: Option<Granularity>,
    /// By whose clock and calendar.
    pub zone: Zone,
    /// What stands before the names of the filter's fields where they are named in errors.
    pub at: &'static str,
}

/// Sums over events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// How many events.
    pub events: i128,
    /// Requests.
    pub requests: i128,
    /// Tokens.
    pub tokens: i128,
    /// Of these, those that went in.
    pub tokens_in: i128,
    /// Of these, those that came out.
    pub tokens_out: i128,
    /// Of those that went in, those that were cached.
    pub tokens_cached: i128,
    /// Millionths of a US dollar.
    pub micros: i128,
}

/// What tells points of one bucket apart. What is not asked for is `None`, and so is what the events have not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Group {
    /// The key.
    pub api_key: Option<Uuid>,
    /// The user.
    pub user: Option<Uuid>,
    /// The team.
    pub team: Option<Uuid>,
    /// The resource.
    pub resource: Option<String>,
    /// The tag.
    pub tag: Option<String>,
}

/// The sums of one group in one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The bucket's first moment; not before the period's.
    pub start: DateTime<Utc>,
    /// The first moment after it; not after the period's.
    pub end: DateTime<Utc>,
    /// Which events.
    pub group: Group,
    /// Their sums.
    pub sums: Sums,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Report {
    /// The period's first moment.
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub to: DateTime<Utc>,
    /// The sums of all events, each counted once.
    pub totals: Sums,
    /// How many points there are; `points` may be fewer.
    pub count: u64,
    /// Where there is something, by their beginning, then by what was spent, the most first.
    pub points: Vec<Point>,
}
