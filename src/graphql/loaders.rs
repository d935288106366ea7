//! Loaders, one for each edge, shared by all requests: they load rows, many keys a statement. Rights are decided
//! afterwards, for each actor, in memory; so sharing is safe.

use std::sync::Arc;

use uuid::Uuid;

use crate::ctx::Clock;
use crate::db::Db;
use crate::db::coalesce::Coalescer;
use crate::db::pages::Page;
use crate::permissions::model::{Permission, Role};
use crate::permissions::ops::read::{self, PageOf};
use crate::permissions::ops::roles;
use crate::{audit, users};

/// Batches of one loader that may be under way at once.
const LANES: usize = 2;

/// Every loader.
pub struct Loaders {
    /// Users by id.
    pub users: Arc<Coalescer<Uuid, Arc<users::model::User>>>,
    /// Roles by id.
    pub roles: Arc<Coalescer<Uuid, Arc<Role>>>,
    /// Permissions by id.
    pub permissions: Arc<Coalescer<Uuid, Arc<Permission>>>,
    /// Pages of what principals hold.
    pub permission_pages: Arc<Coalescer<PageOf, Arc<Page<Permission>>>>,
    /// Audit events by id.
    pub audit_events: Arc<Coalescer<Uuid, Arc<audit::model::AuditEvent>>>,
    /// Pages of the events about one object.
    pub audit_events_of_target:
        Arc<Coalescer<audit::ops::PageOf, Arc<Page<audit::model::AuditEvent>>>>,
}

impl Loaders {
    /// Loaders over that database.
    pub fn new(db: &Db, _clock: &Clock) -> Arc<Self> {
        let users = {
            let db = db.clone();
            Coalescer::new(LANES, move |ids| {
                let db = db.clone();
                async move { users::ops::by_ids(&db, ids).await }
            })
        };
        let roles = {
            let db = db.clone();
            Coalescer::new(LANES, move |ids| {
                let db = db.clone();
                async move { roles::by_ids(&db, ids).await }
            })
        };
        let permissions = {
            let db = db.clone();
            Coalescer::new(LANES, move |ids| {
                let db = db.clone();
                async move { read::by_ids(&db, ids).await }
            })
        };
        let permission_pages = {
            let db = db.clone();
            Coalescer::new(LANES, move |pages| {
                let db = db.clone();
                async move { read::pages(&db, pages).await }
            })
        };
        let audit_events = {
            let db = db.clone();
            Coalescer::new(LANES, move |ids| {
                let db = db.clone();
                async move { audit::ops::by_ids(&db, ids).await }
            })
        };
        let audit_events_of_target = {
            let db = db.clone();
            Coalescer::new(LANES, move |pages| {
                let db = db.clone();
                async move { audit::ops::pages(&db, pages).await }
            })
        };
        Arc::new(Loaders {
            users,
            roles,
            permissions,
            permission_pages,
            audit_events,
            audit_events_of_target,
        })
    }
}
