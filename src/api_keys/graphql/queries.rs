//! Queries on API keys.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::inputs::{ApiKeyBy, ApiKeyFilterInput, ApiKeyOrder};
use super::types::{ApiKey, ApiKeyConnection};
use crate::api_keys::model::ApiKeySort;
use crate::api_keys::ops;
use crate::authn::verify;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::connection::{Place, page_request};
use crate::graphql::input::OrderDirection;
use crate::graphql::lean::AtHand;
use crate::graphql::{Request, request};
use crate::secrets::Secret;

/// Queries on API keys.
#[derive(Default)]
pub struct ApiKeyQueries;

#[Object]
impl ApiKeyQueries {
    /// One API key, by id or by its secret; null if there is none or you may not see it. The key that you use you may always see.
    async fn api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which key: give exactly one of the fields.")] by: ApiKeyBy,
    ) -> Option<Result<ApiKey>> {
        find(request(context), by).await.transpose()
    }

    /// API keys: those you may see, by `apiKey.read` at their owner or their team, and the one you use.
    #[expect(clippy::too_many_arguments, reason = "Relay's four and the list's two")]
    async fn api_keys(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which keys; conditions are joined by AND.")] filter: Option<
            ApiKeyFilterInput,
        >,
        #[graphql(desc = "In which order; oldest first if not given.")] order_by: Option<
            ApiKeyOrder,
        >,
    ) -> Result<AtHand<ApiKeyConnection>> {
        let (sort, descending) = match order_by {
            Some(order) => (order.field.into(), order.direction == OrderDirection::Desc),
            None => (ApiKeySort::CreatedAt, false),
        };
        let list = list_name(sort, descending);
        let page = page_request(context, list, first, after, last, before)?;
        let filter = filter.unwrap_or_default().read()?;
        let keys = ops::list(&request(context).ctx, &filter, sort, descending, &page).await?;
        Ok(ApiKeyConnection::of(
            keys,
            |key| Place::new(list, ops::cursor(key, sort)),
            |key| ApiKey(Arc::new(key)),
        ))
    }
}

async fn find(request: &Request, by: ApiKeyBy) -> Result<Option<ApiKey>> {
    match by {
        ApiKeyBy::Id(id) => ApiKey::load(request, Id::parse_as(Kind::ApiKey, "by.id", &id)?).await,
        ApiKeyBy::Secret(text) => {
            let secret = Secret::new(text);
            let found =
                verify::key_of(&request.ctx, &request.authenticator, secret.expose()).await?;
            match found {
                Some(id) => ApiKey::load(request, id).await,
                None => Ok(None),
            }
        }
    }
}

/// The name that cursors of this order carry.
fn list_name(sort: ApiKeySort, descending: bool) -> &'static str {
    match (sort, descending) {
        (ApiKeySort::CreatedAt, false) => "apiKeys:createdAt",
        (ApiKeySort::CreatedAt, true) => "apiKeys:createdAt:desc",
        (ApiKeySort::Name, false) => "apiKeys:name:TEXT",
        (ApiKeySort::Name, true) => "apiKeys:name:desc:TEXT",
    }
}
