//! Queries on webhooks.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::inputs::WebhookDeliveryFilter;
use super::types::{Webhook, WebhookConnection, WebhookDelivery, WebhookDeliveryConnection};
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::connection::{Place, page_request};
use crate::graphql::lean::AtHand;
use crate::graphql::request;
use crate::webhooks::ops;

const WEBHOOKS: &str = "webhooks:createdAt:desc";
const DELIVERIES: &str = "webhookDeliveries:createdAt:desc";

/// Queries on webhooks.
#[derive(Default)]
pub struct WebhookQueries;

#[Object]
impl WebhookQueries {
    /// The webhook with that id; null if there is none or you may not see it.
    async fn webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook's id.")] id: ID,
    ) -> Option<Result<Webhook>> {
        let load = async {
            let id = Id::parse_as(Kind::Webhook, "id", &id)?;
            Webhook::load(request(context), id).await
        };
        load.await.transpose()
    }

    /// The webhooks, newest first, of users at whose path you hold `webhook.read`.
    async fn webhooks(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AtHand<WebhookConnection>> {
        let page = page_request(context, WEBHOOKS, first, after, last, before)?;
        let webhooks = ops::list(&request(context).ctx, &page).await?;
        Ok(WebhookConnection::of(
            webhooks,
            |webhook| Place::new(WEBHOOKS, ops::cursor(webhook)),
            |webhook| Webhook(Arc::new(webhook)),
        ))
    }

    /// What was to be delivered in the last 30 days to webhooks that you may read, newest first, and what came of it. Dead letters are those
    /// of status `DEAD`.
    async fn webhook_deliveries(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which deliveries; conditions are joined by AND.")] filter: Option<
            WebhookDeliveryFilter,
        >,
    ) -> Result<AtHand<WebhookDeliveryConnection>> {
        let page = page_request(context, DELIVERIES, first, after, last, before)?;
        let filter = filter.unwrap_or_default().read()?;
        let deliveries = ops::deliveries(&request(context).ctx, filter, &page).await?;
        Ok(WebhookDeliveryConnection::of(
            deliveries,
            |delivery| Place::new(DELIVERIES, ops::delivery_cursor(delivery)),
            |delivery| WebhookDelivery(Arc::new(delivery)),
        ))
    }
}
