//! SQL of webhooks and deliveries.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::model::{Delivery, DeliveryFilter, Status, Webhook};
use crate::db;
use crate::db::pages::{Page, PageRequest};
use crate::db::schema::{webhook_deliveries, webhooks};
use crate::db::statement::{Seen, Statement};

const COLUMNS: &str = "SELECT w.id, w.owner_id, w.url, w.events, w.description, w.enabled, w.disabled_reason, w.secret,
    w.previous_secret, w.previous_until, w.created_at, w.updated_at";
const DELIVERY: &str = "SELECT d.id, d.webhook_id, d.event_id, d.action, d.status, d.attempts, d.response_status, d.error,
    d.created_at, d.attempted_at, d.next_attempt_at";

pub(super) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> db::Result<Vec<Webhook>> {
    Ok(webhooks::table
        .filter(webhooks::id.eq_any(ids))
        .select(Webhook::as_select())
        .load(conn)
        .await?)
}

/// A page of the webhooks whose makers are among those that may be seen, newest first.
pub(super) async fn page(
    conn: &mut AsyncPgConnection,
    seen: &Seen,
    request: &PageRequest,
) -> db::Result<Page<Webhook>> {
    let from = Statement::new(" FROM webhooks w")
        .condition()
        .seen("w.owner_id", seen);
    db::list::page(conn, COLUMNS, from, ("w.created_at", "w.id"), true, request).await
}

pub(super) async fn enabled(conn: &mut AsyncPgConnection) -> db::Result<Vec<Webhook>> {
    Ok(webhooks::table
        .filter(webhooks::enabled)
        .select(Webhook::as_select())
        .load(conn)
        .await?)
}

pub(super) async fn count(conn: &mut AsyncPgConnection) -> db::Result<i64> {
    Ok(webhooks::table.count().get_result(conn).await?)
}

/// The webhook, locked until the transaction ends.
pub(super) async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<Option<Webhook>> {
    Ok(webhooks::table
        .find(id)
        .select(Webhook::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()?)
}

/// Those of that maker, locked until the transaction ends.
pub(super) async fn lock_of(conn: &mut AsyncPgConnection, owner: Uuid) -> db::Result<Vec<Webhook>> {
    Ok(webhooks::table
        .filter(webhooks::owner_id.eq(owner))
        .order((webhooks::created_at, webhooks::id))
        .select(Webhook::as_select())
        .for_update()
        .load(conn)
        .await?)
}

pub(super) async fn insert(conn: &mut AsyncPgConnection, webhook: &Webhook) -> db::Result<()> {
    diesel::insert_into(webhooks::table)
        .values(webhook)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn update(conn: &mut AsyncPgConnection, webhook: &Webhook) -> db::Result<()> {
    diesel::update(webhooks::table.find(webhook.id))
        .set((
            webhooks::url.eq(&webhook.url),
            webhooks::events.eq(&webhook.events),
            webhooks::description.eq(&webhook.description),
            webhooks::enabled.eq(webhook.enabled),
            webhooks::disabled_reason.eq(&webhook.disabled_reason),
            webhooks::secret.eq(&webhook.secret),
            webhooks::previous_secret.eq(&webhook.previous_secret),
            webhooks::previous_until.eq(webhook.previous_until),
            webhooks::updated_at.eq(webhook.updated_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<()> {
    diesel::delete(webhooks::table.find(id))
        .execute(conn)
        .await?;
    Ok(())
}

/// Deliveries to be made of events: `(id, webhook, event, action)`.
pub(super) async fn insert_deliveries(
    conn: &mut AsyncPgConnection,
    new: &[(Uuid, Uuid, Uuid, String)],
    now: DateTime<Utc>,
) -> db::Result<()> {
    let rows: Vec<_> = new
        .iter()
        .map(|(id, webhook, event, action)| {
            (
                webhook_deliveries::id.eq(*id),
                webhook_deliveries::webhook_id.eq(*webhook),
                webhook_deliveries::event_id.eq(*event),
                webhook_deliveries::action.eq(action),
                webhook_deliveries::status.eq(Status::Pending.as_str()),
                webhook_deliveries::attempts.eq(0),
                webhook_deliveries::created_at.eq(now),
                webhook_deliveries::next_attempt_at.eq(now),
            )
        })
        .collect();
    diesel::insert_into(webhook_deliveries::table)
        .values(rows)
        .execute(conn)
        .await?;
    Ok(())
}

/// A delivery with its webhook.
pub(super) async fn delivery(
    conn: &mut AsyncPgConnection,
    id: Uuid,
) -> db::Result<Option<(Delivery, Webhook)>> {
    Ok(webhook_deliveries::table
        .inner_join(webhooks::table.on(webhooks::id.eq(webhook_deliveries::webhook_id)))
        .filter(webhook_deliveries::id.eq(id))
        .select((Delivery::as_select(), Webhook::as_select()))
        .first(conn)
        .await
        .optional()?)
}

/// What an attempt came to.
pub(super) struct Attempted<'a> {
    pub status: Status,
    pub attempts: i32,
    pub response_status: Option<i32>,
    pub error: Option<&'a str>,
    pub at: DateTime<Utc>,
    pub next: Option<DateTime<Utc>>,
}

pub(super) async fn attempted(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    attempted: Attempted<'_>,
) -> db::Result<()> {
    diesel::update(webhook_deliveries::table.find(id))
        .set((
            webhook_deliveries::status.eq(attempted.status.as_str()),
            webhook_deliveries::attempts.eq(attempted.attempts),
            webhook_deliveries::response_status.eq(attempted.response_status),
            webhook_deliveries::error.eq(attempted.error),
            webhook_deliveries::attempted_at.eq(attempted.at),
            webhook_deliveries::next_attempt_at.eq(attempted.next),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Has a delivery made once more, from its first attempt on.
pub(super) async fn restart(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    now: DateTime<Utc>,
) -> db::Result<()> {
    diesel::update(webhook_deliveries::table.find(id))
        .set((
            webhook_deliveries::status.eq(Status::Pending.as_str()),
            webhook_deliveries::attempts.eq(0),
            webhook_deliveries::next_attempt_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// A page of the deliveries to webhooks whose makers are among those that may be seen, newest first.
pub(super) async fn deliveries(
    conn: &mut AsyncPgConnection,
    filter: DeliveryFilter,
    seen: &Seen,
    request: &PageRequest,
) -> db::Result<Page<Delivery>> {
    let from = Statement::new(" FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id")
        .condition()
        .seen("w.owner_id", seen)
        .and_if("d.webhook_id = ", filter.webhook)
        .and_if("d.event_id = ", filter.event)
        .and_if("d.status = ", filter.status.map(Status::as_str));
    db::list::page(
        conn,
        DELIVERY,
        from,
        ("d.created_at", "d.id"),
        true,
        request,
    )
    .await
}

pub(super) async fn delete_old(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> db::Result<usize> {
    let old = webhook_deliveries::table.filter(webhook_deliveries::created_at.lt(before));
    Ok(
        diesel::delete(old.filter(webhook_deliveries::status.ne(Status::Pending.as_str())))
            .execute(conn)
            .await?,
    )
}
