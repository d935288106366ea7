//! The query on usage.

use async_graphql::{Context, Object};

use super::inputs::{AT, UsageFilterInput, UsageGranularity, UsageGroupBy};
use super::types::{MAX_POINTS, Usage};
use crate::error::Result;
use crate::graphql::request;
use crate::limits::window::Zone;
use crate::usage::ops;
use crate::usage::report::Question;

/// Queries on usage.
#[derive(Default)]
pub struct UsageQueries;

#[Object]
impl UsageQueries {
    /// What was used and what it cost: in all, and as a series of buckets, told apart by groups. Whoever holds `usage.read` at `/` may ask
    /// for everything; others name a user or a team at whose path they hold it, or a key of one: their own, or a team's that they
    /// administer.
    async fn usage(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which usage; conditions are joined by AND.")] filter: Option<
            UsageFilterInput,
        >,
        #[graphql(
            desc = "What tells points of one bucket apart, each once; nothing: one point a bucket.",
            default
        )]
        group_by: Vec<UsageGroupBy>,
        #[graphql(desc = "The length of the buckets; left out: one bucket for the whole period.")]
        granularity: Option<UsageGranularity>,
        #[graphql(
            desc = "By whose clock and calendar the buckets are: a name of the IANA database.",
            default = "UTC"
        )]
        time_zone: String,
    ) -> Result<Usage> {
        let question = Question {
            filter: filter.unwrap_or_default().read()?,
            groups: group_by.into_iter().map(Into::into).collect(),
            granularity: granularity.map(Into::into),
            zone: Zone::parse("timeZone", &time_zone)?,
            at: AT,
        };
        let report = ops::report(&request(context).ctx, &question, MAX_POINTS).await?;
        Ok(Usage { question, report })
    }
}
