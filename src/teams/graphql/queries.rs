//! Queries on teams.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::inputs::{TeamBy, TeamFilterInput, TeamOrder};
use super::types::{Team, TeamConnection};
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::connection::{Place, page_request};
use crate::graphql::input::OrderDirection;
use crate::graphql::lean::AtHand;
use crate::graphql::{Request, request};
use crate::teams::model::TeamSort;
use crate::teams::ops;

/// Queries on teams.
#[derive(Default)]
pub struct TeamQueries;

#[Object]
impl TeamQueries {
    /// One team, by id or slug; null if there is none or you may not see it.
    async fn team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which team: give exactly one of the fields.")] by: TeamBy,
    ) -> Option<Result<Team>> {
        find(request(context), by).await.transpose()
    }

    /// Teams: those you may see.
    #[expect(clippy::too_many_arguments, reason = "Relay's four and the list's two")]
    async fn teams(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which teams; conditions are joined by AND.")] filter: Option<
            TeamFilterInput,
        >,
        #[graphql(desc = "In which order; oldest first if not given.")] order_by: Option<TeamOrder>,
    ) -> Result<AtHand<TeamConnection>> {
        let (sort, descending) = match order_by {
            Some(order) => (order.field.into(), order.direction == OrderDirection::Desc),
            None => (TeamSort::CreatedAt, false),
        };
        let list = list_name(sort, descending);
        let page = page_request(context, list, first, after, last, before)?;
        let filter = filter.unwrap_or_default().read()?;
        let teams = ops::list(&request(context).ctx, &filter, sort, descending, &page).await?;
        Ok(TeamConnection::of(
            teams,
            |team| Place::new(list, ops::cursor(team, sort)),
            |team| Team(Arc::new(team)),
        ))
    }
}

async fn find(request: &Request, by: TeamBy) -> Result<Option<Team>> {
    match by {
        TeamBy::Id(id) => Team::load(request, Id::parse_as(Kind::Team, "by.id", &id)?).await,
        TeamBy::Slug(slug) => Ok(ops::by_slug(&request.ctx, &slug).await?.map(Team)),
    }
}

/// The name that cursors of this order carry.
fn list_name(sort: TeamSort, descending: bool) -> &'static str {
    match (sort, descending) {
        (TeamSort::CreatedAt, false) => "teams:createdAt",
        (TeamSort::CreatedAt, true) => "teams:createdAt:desc",
        (TeamSort::Slug, false) => "teams:slug:TEXT",
        (TeamSort::Slug, true) => "teams:slug:desc:TEXT",
    }
}
