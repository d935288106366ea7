//! The type `Usage`, and what it holds.

use async_graphql::{Context, ID, Object, SimpleObject};

use crate::api_keys::graphql::ApiKey;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::graphql::lean::{Lean, Plain};
use crate::graphql::request;
use crate::graphql::scalars::{Long, Timestamp};
use crate::limits::graphql::Usd;
use crate::teams::graphql::Team;
use crate::usage::ops;
use crate::usage::report::{Group, Point, Question, Report, Sums};
use crate::users::graphql::User;

/// Points of one series at most.
pub(super) const MAX_POINTS: usize = 10_000;

/// What was used in a period.
pub struct Usage {
    pub(super) question: Question,
    pub(super) report: Report,
}

/// What was used in a period, in all and in points. It is the sum of the usage that was recorded, exactly.
#[Object]
impl Usage {
    /// The period's first moment.
    async fn from(&self) -> Timestamp {
        self.report.from.into()
    }

    /// The first moment after it.
    async fn to(&self) -> Timestamp {
        self.report.to.into()
    }

    /// By whose clock and calendar the buckets are, by its name in the IANA database.
    async fn time_zone(&self) -> &str {
        self.question.zone.name()
    }

    /// The sums of everything that the filter lets through, each event counted once.
    async fn totals(&self) -> UsageSums {
        UsageSums::of(&self.report.totals)
    }

    /// The sums of each group in each bucket, in the order of the buckets' beginnings; within a bucket by what was spent, the most first.
    /// Where nothing was used there is no point. Costs as many times what is selected of a point as there may be points.
    async fn series(
        &self,
        #[graphql(
            desc = "Points at most, 1 to 10000. More are an error that says how many there are, never a part of them.",
            default = 1000
        )]
        at_most: i32,
    ) -> Result<Vec<Lean<UsagePoint>>> {
        let most = usize::try_from(at_most).unwrap_or(0);
        if !(1..=MAX_POINTS).contains(&most) {
            let message = format!("atMost is {at_most}. It is between 1 and {MAX_POINTS}.");
            return Err(Error::bad_input("atMost", message));
        }
        if self.report.count > most as u64 {
            let mut error = ops::too_many(&self.question, self.report.count, most);
            if self.report.count <= MAX_POINTS as u64 {
                let more = format!(" Or say atMost: {}.", self.report.count);
                error.message.push_str(&more);
            }
            return Err(error.at("atMost"));
        }
        let points = self.report.points.iter();
        Ok(points.map(|point| Lean(UsagePoint::of(point))).collect())
    }
}

/// Sums over events of usage.
#[derive(SimpleObject, Clone)]
pub struct UsageSums {
    /// How many events.
    events: Long,
    /// Requests.
    requests: Long,
    /// Tokens.
    tokens: Long,
    /// Tokens that went in, where that was told.
    tokens_in: Long,
    /// Tokens that came out, where that was told.
    tokens_out: Long,
    /// Of the tokens that went in, those that were cached.
    tokens_cached: Long,
    /// What it cost.
    usd: Usd,
}

/// The sums of one group in one bucket.
#[derive(SimpleObject, Clone)]
pub struct UsagePoint {
    /// The bucket's first moment, or the period's if that is later.
    start: Timestamp,
    /// The first moment after the bucket, or after the period if that is earlier.
    end: Timestamp,
    /// Which usage; all of it where nothing is grouped by.
    group: Lean<UsageGroup>,
    #[graphql(flatten)]
    sums: UsageSums,
}

impl Plain for UsagePoint {}
impl Plain for UsageGroup {}

/// What tells the points of one bucket apart. What is not grouped by is null.
#[derive(Clone)]
pub struct UsageGroup(Group);

/// What tells the points of one bucket apart. What is not grouped by is null.
#[Object]
impl UsageGroup {
    /// The API key; null also if it has been deleted since, is none that you may see, or was not told. `apiKeyId` tells these apart.
    async fn api_key(&self, context: &Context<'_>) -> Option<Result<ApiKey>> {
        ApiKey::load(request(context), self.0.api_key?)
            .await
            .transpose()
    }

    /// The id of the API key, which may have been deleted since; null also where none was told.
    async fn api_key_id(&self) -> Option<ID> {
        let id = self.0.api_key?;
        Some(Id::new(Kind::ApiKey, id).to_string().into())
    }

    /// The user; null also if it has been deleted since, or is none that you may see. `userId` tells these apart.
    async fn user(&self, context: &Context<'_>) -> Option<Result<User>> {
        User::load(request(context), self.0.user?).await.transpose()
    }

    /// The id of the user, which may have been deleted since.
    async fn user_id(&self) -> Option<ID> {
        let id = self.0.user?;
        Some(Id::new(Kind::User, id).to_string().into())
    }

    /// The team whose key it was; null also if it has been deleted since, is none that you may see, or if the key was no team's. `teamId`
    /// tells these apart.
    async fn team(&self, context: &Context<'_>) -> Option<Result<Team>> {
        Team::load(request(context), self.0.team?).await.transpose()
    }

    /// The id of the team, which may have been deleted since; null also where the key was no team's.
    async fn team_id(&self) -> Option<ID> {
        let id = self.0.team?;
        Some(Id::new(Kind::Team, id).to_string().into())
    }

    /// The path of the resource.
    async fn resource(&self) -> Option<&str> {
        self.0.resource.as_deref()
    }

    /// The tag.
    async fn tag(&self) -> Option<&str> {
        self.0.tag.as_deref()
    }
}

impl UsageSums {
    fn of(sums: &Sums) -> Self {
        UsageSums {
            events: Long(sums.events),
            requests: Long(sums.requests),
            tokens: Long(sums.tokens),
            tokens_in: Long(sums.tokens_in),
            tokens_out: Long(sums.tokens_out),
            tokens_cached: Long(sums.tokens_cached),
            usd: Usd::sum(sums.micros),
        }
    }
}

impl UsagePoint {
    fn of(point: &Point) -> Self {
        UsagePoint {
            start: point.start.into(),
            end: point.end.into(),
            group: Lean(UsageGroup(point.group.clone())),
            sums: UsageSums::of(&point.sums),
        }
    }
}
