//! Queries on access requests.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::inputs::AccessRequestFilterInput;
use super::types::{AccessRequest, AccessRequestConnection};
use crate::access_requests::ops;
use crate::error::Result;
use crate::graphql::connection::{Place, page_request};
use crate::graphql::lean::AtHand;
use crate::graphql::request;

/// The name that cursors of the list carry.
const ACCESS_REQUESTS: &str = "accessRequests";

/// Queries on access requests.
#[derive(Default)]
pub struct AccessRequestQueries;

#[Object]
impl AccessRequestQueries {
    /// Access requests, newest first: your own, and those for what you may write: by `permission.write` at one of their paths, or by
    /// `team.write` at their team. All of them with `accessRequest.read` at `/accessRequests`.
    async fn access_requests(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which requests; conditions are joined by AND.")] filter: Option<
            AccessRequestFilterInput,
        >,
    ) -> Result<AtHand<AccessRequestConnection>> {
        let page = page_request(context, ACCESS_REQUESTS, first, after, last, before)?;
        let filter = filter.unwrap_or_default().read()?;
        let found = ops::list(&request(context).ctx, &filter, &page).await?;
        Ok(AccessRequestConnection::of(
            found,
            |row| Place::new(ACCESS_REQUESTS, ops::cursor(row)),
            |row| AccessRequest(Arc::new(row)),
        ))
    }
}
