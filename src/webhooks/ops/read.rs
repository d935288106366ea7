//! Reading webhooks and deliveries.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{READ, path};
use crate::ctx::Ctx;
use crate::db::Db;
use crate::db::ids::Kind;
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::error::Result;
use crate::permissions::ops::access;
use crate::webhooks::model::{Delivery, DeliveryFilter, Webhook};
use crate::webhooks::store;

/// How long is kept what came of deliveries.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Webhooks by id, for loaders.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<Webhook>>> {
    let mut conn = db.read("webhooks_by_ids").await?;
    let found = store::by_ids(&mut conn, &ids).await?;
    Ok(found
        .into_iter()
        .map(|webhook| (webhook.id, Arc::new(webhook)))
        .collect())
}

/// Whether the actor may read that webhook.
pub fn may_read(ctx: &Ctx, webhook: &Webhook) -> bool {
    access::can(ctx, READ, &path(webhook.owner_id))
}

/// A page of the webhooks that the actor may read, newest first.
///
/// # Errors
/// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
pub async fn list(ctx: &Ctx, request: &PageRequest) -> Result<Page<Webhook>> {
    access::authenticated(ctx)?;
    let seen = access::seen(ctx, READ, Kind::User);
    if seen.is_none() {
        return Ok(Page::empty(request));
    }
    let mut conn = ctx.db.read("webhooks_page").await?;
    Ok(store::page(&mut conn, &seen, request).await?)
}

/// A page of the deliveries to webhooks that the actor may read, newest first.
///
/// # Errors
/// As [`list`].
pub async fn deliveries(
    ctx: &Ctx,
    filter: DeliveryFilter,
    request: &PageRequest,
) -> Result<Page<Delivery>> {
    access::authenticated(ctx)?;
    let seen = access::seen(ctx, READ, Kind::User);
    if seen.is_none() {
        return Ok(Page::empty(request));
    }
    let mut conn = ctx.db.read("webhook_deliveries_page").await?;
    Ok(store::deliveries(&mut conn, filter, &seen, request).await?)
}

/// The place of a webhook in its list.
pub fn cursor(webhook: &Webhook) -> Cursor {
    Cursor::time(webhook.created_at, webhook.id)
}

/// The place of a delivery in its list.
pub fn delivery_cursor(delivery: &Delivery) -> Cursor {
    Cursor::time(delivery.created_at, delivery.id)
}

/// Deletes what came of deliveries that are older than 30 days; returns how many.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn tidy(db: &Db, now: DateTime<Utc>) -> Result<usize> {
    let mut conn = db.read("delete_webhook_deliveries").await?;
    Ok(store::delete_old(&mut conn, now - KEPT).await?)
}
