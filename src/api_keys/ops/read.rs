//! Reading keys.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{READ, paths};
use crate::api_keys::model::{ApiKey, ApiKeyFilter, ApiKeySort, KeySight, KeysOf};
use crate::api_keys::store;
use crate::ctx::Ctx;
use crate::db::Db;
use crate::db::ids::Kind;
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::error::Result;
use crate::permissions::ops::access;

/// Keys by id, for loaders: rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<ApiKey>>> {
    let mut conn = db.read("api_keys_by_ids").await?;
    let keys = store::by_ids(&mut conn, &ids).await?;
    Ok(keys
        .into_iter()
        .map(|key| (key.id, Arc::new(key)))
        .collect())
}

/// Whether the actor may read that key: by its owner's path, by its team's, or because it is the one that the actor uses.
pub fn may_read(ctx: &Ctx, key: &ApiKey) -> bool {
    used(ctx) == Some(key.id) || access::can_any(ctx, READ, &paths(key))
}

/// The key that the actor uses.
pub(super) fn used(ctx: &Ctx) -> Option<Uuid> {
    ctx.actor.holder()?.api_key_id
}

/// Which keys the actor may see.
pub fn sight(ctx: &Ctx) -> KeySight {
    KeySight {
        users: access::seen(ctx, READ, Kind::User),
        teams: access::seen(ctx, READ, Kind::Team),
        own: used(ctx),
    }
}

/// A page of the keys that the filter and the actor's rights leave.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request; `SERVICE_UNAVAILABLE`.
pub async fn list(
    ctx: &Ctx,
    filter: &ApiKeyFilter,
    sort: ApiKeySort,
    descending: bool,
    request: &PageRequest,
) -> Result<Page<ApiKey>> {
    access::authenticated(ctx)?;
    let mut conn = ctx.db.read("api_keys_page").await?;
    let order = (sort, descending);
    Ok(store::page(&mut conn, filter, &sight(ctx), ctx.now(), order, request).await?)
}

/// A page of keys that hang on something: what a loader is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOf {
    /// On what.
    pub of: KeysOf,
    /// Which of its keys, and which page of them.
    pub how: Arc<(PageRequest, ApiKeyFilter, KeySight)>,
}

/// By the parent alone: one parent is asked for few different pages at a time, and hashing what they share costs more than comparing it.
impl Hash for PageOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of.hash(state);
    }
}

/// Pages of the keys of many owners and teams, for loaders: those that are asked for in the same way share a statement.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn pages_of(
    db: &Db,
    now: DateTime<Utc>,
    wanted: Vec<PageOf>,
) -> Result<HashMap<PageOf, Page<Arc<ApiKey>>>> {
    let mut groups: Vec<(bool, Arc<_>, Vec<Uuid>)> = Vec::new();
    for PageOf { of, how } in wanted {
        let (id, are_teams) = match of {
            KeysOf::Owner(id) => (id, false),
            KeysOf::Team(id) => (id, true),
        };
        // They are few, and comparing with each costs less than hashing all that they have.
        let same = |group: &&mut (bool, Arc<_>, Vec<Uuid>)| group.0 == are_teams && group.1 == how;
        match groups.iter_mut().find(same) {
            Some((.., ids)) => ids.push(id),
            None => groups.push((are_teams, how, vec![id])),
        }
    }
    let conn = db.read("api_keys_of").await?;
    let mut found = HashMap::new();
    for (are_teams, how, ids) in groups {
        let (request, filter, sight) = &*how;
        let parents = (ids, are_teams);
        for (id, page) in store::pages_of(&conn, parents, filter, sight, now, request).await? {
            let of = if are_teams {
                KeysOf::Team(id)
            } else {
                KeysOf::Owner(id)
            };
            let how = how.clone();
            found.insert(PageOf { of, how }, page.map(Arc::new));
        }
    }
    Ok(found)
}

/// The place of a key in a list of that order.
pub fn cursor(key: &ApiKey, sort: ApiKeySort) -> Cursor {
    match sort {
        ApiKeySort::CreatedAt => Cursor::time(key.created_at, key.id),
        ApiKeySort::Name => Cursor::text(key.name.clone(), key.id),
    }
}
