//! Reading access requests.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{READ, places};
use crate::access_requests::model::{AccessRequest, AccessRequestFilter, AccessRequestSight};
use crate::access_requests::store;
use crate::ctx::Ctx;
use crate::db::Db;
use crate::db::ids::Kind;
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::error::Result;
use crate::permissions::ops::{access, read as permissions};
use crate::teams;

/// Requests by id: rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<AccessRequest>>> {
    let mut conn = db.read("access_requests_by_ids").await?;
    let found = store::by_ids(&mut conn, &ids).await?;
    Ok(found
        .into_iter()
        .map(|request| (request.id, Arc::new(request)))
        .collect())
}

/// Whether the actor may read that request: because it asks, because it may write where something is asked for, or by the request's own path.
///
/// # Errors
/// An internal error if it cannot be read.
pub fn may_read(ctx: &Ctx, request: &AccessRequest) -> Result<bool> {
    Ok(ctx.actor.user_itself() == Some(request.user_id)
        || may_write(ctx, request)?
        || access::can(ctx, READ, &access::object(Kind::AccessRequest, request.id)))
}

/// Whether the actor may write at one of the places of what is asked for.
pub(super) fn may_write(ctx: &Ctx, request: &AccessRequest) -> Result<bool> {
    let write = match request.team_id {
        Some(_) => teams::ops::WRITE,
        None => permissions::WRITE,
    };
    Ok(access::can_any(ctx, write, &places(request)?))
}

/// A page of the requests that the filter and the actor's rights leave, newest first.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request; `SERVICE_UNAVAILABLE`.
pub async fn list(
    ctx: &Ctx,
    filter: &AccessRequestFilter,
    request: &PageRequest,
) -> Result<Page<AccessRequest>> {
    access::authenticated(ctx)?;
    let sight = AccessRequestSight {
        requests: access::seen(ctx, READ, Kind::AccessRequest),
        paths: access::territory(ctx, permissions::WRITE),
        teams: access::seen(ctx, teams::ops::WRITE, Kind::Team),
        own: ctx.actor.user_itself(),
    };
    let mut conn = ctx.db.read("access_requests_page").await?;
    Ok(store::page(&mut conn, filter, &sight, ctx.now(), request).await?)
}

/// The place of a request in a list.
pub fn cursor(request: &AccessRequest) -> Cursor {
    Cursor::time(request.created_at, request.id)
}
