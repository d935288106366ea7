//! Queries on the audit trail.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::inputs::{AuditFilterInput, AuditOrder};
use super::types::{AuditEvent, AuditEventConnection};
use crate::audit::model::AuditFilter;
use crate::audit::ops;
use crate::db::ids::Id;
use crate::db::pages::{Page, PageRequest};
use crate::error::Result;
use crate::graphql::connection::{Place, page_request};
use crate::graphql::input::OrderDirection;
use crate::graphql::lean::AtHand;
use crate::graphql::{Request, request};

/// Queries on the audit trail.
#[derive(Default)]
pub struct AuditQueries;

#[Object]
impl AuditQueries {
    /// The audit trail, newest first: every change with its actor, its request, and what was before and after. With
    /// `audit.read` at `/` all of it, else the events whose target lies at a path where you hold `audit.read`.
    #[expect(clippy::too_many_arguments, reason = "Relay's four and the list's two")]
    async fn audit_events(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which events; conditions are joined by AND.")] filter: Option<
            AuditFilterInput,
        >,
        #[graphql(desc = "In which order; newest first if not given.")] order_by: Option<
            AuditOrder,
        >,
    ) -> Result<AtHand<AuditEventConnection>> {
        let descending = order_by.is_none_or(|order| order.direction == OrderDirection::Desc);
        let list = match descending {
            true => "auditEvents:at:desc",
            false => "auditEvents:at",
        };
        let page = page_request(context, list, first, after, last, before)?;
        let filter = filter.unwrap_or_default().read()?;
        let events = ops::list(&request(context).ctx, &filter, descending, &page).await?;
        Ok(AuditEventConnection::of(
            events,
            |event| Place::new(list, ops::cursor(event)),
            |event| AuditEvent(Arc::new(event)),
        ))
    }
}

/// The name that cursors of one object's events carry.
pub const EVENTS_OF_TARGET: &str = "auditEvents:target:at:desc";

/// A page of the events about one object, newest first, for a field of that object. `page` is a request for the list
/// [`EVENTS_OF_TARGET`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn of_target(
    request: &Request,
    target: Id,
    filter: AuditFilter,
    page: PageRequest,
) -> Result<AtHand<AuditEventConnection>> {
    let wanted = ops::PageOf {
        target: target.to_string(),
        filter,
        sight: ops::sight(&request.ctx),
        page,
    };
    let empty = Page::empty(&wanted.page);
    let found = if wanted.sight.is_nothing() {
        None
    } else {
        request.loaders.audit_events_of_target.load(wanted).await?
    };
    let page = found.map_or(empty, |page| Page::clone(&page));
    Ok(AuditEventConnection::of(
        page,
        |event| Place::new(EVENTS_OF_TARGET, ops::cursor(event)),
        |event| AuditEvent(Arc::new(event)),
    ))
}
