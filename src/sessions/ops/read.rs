//! Reading sessions.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{READ, path};
use crate::ctx::{Actor, Ctx};
use crate::db::Db;
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::error::Result;
use crate::permissions::ops::access;
use crate::sessions::model::Session;
use crate::sessions::store;
use crate::users;

/// Sessions by id, for loaders: rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<Session>>> {
    let mut conn = db.read("sessions_by_ids").await?;
    let found = store::by_ids(&mut conn, &ids).await?;
    Ok(found
        .into_iter()
        .map(|session| (session.id, Arc::new(session)))
        .collect())
}

/// Whether the actor may read that session: by its user's path, or because it is the one that the actor uses.
pub fn may_read(ctx: &Ctx, session: &Session) -> bool {
    own(ctx) == Some(session.id) || access::can(ctx, READ, &path(session))
}

/// The session that the actor uses.
pub fn own(ctx: &Ctx) -> Option<Uuid> {
    match &ctx.actor {
        Actor::Holder(holder) | Actor::Enrolling(holder) => holder.session_id,
        Actor::Keystead | Actor::Anonymous => None,
    }
}

/// A page of a user's sessions that have not ended, in the order in which they were begun; nothing for who may not see them.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request; `SERVICE_UNAVAILABLE`.
pub async fn list(ctx: &Ctx, user: Uuid, request: &PageRequest) -> Result<Page<Session>> {
    access::authenticated(ctx)?;
    if !access::can(ctx, READ, &users::ops::path(user)) {
        return Ok(Page::empty(request));
    }
    let now = ctx.now();
    let idle_since = now - ctx.policy.sessions.idle;
    let mut conn = ctx.db.read("sessions_page").await?;
    Ok(store::page(&mut conn, user, now, idle_since, request).await?)
}

/// The place of a session in its list.
pub fn cursor(session: &Session) -> Cursor {
    Cursor::time(session.created_at, session.id)
}
