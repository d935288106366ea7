//! Loaders, one for each edge, shared by all requests: they load rows, many keys a statement. Rights are decided
//! afterwards, for each actor, in memory; so sharing is safe.

use std::sync::Arc;

use uuid::Uuid;

use crate::ctx::Clock;
use crate::db::Db;
use crate::db::coalesce::Coalescer;
use crate::users;

/// Batches of one loader that may be under way at once.
const LANES: usize = 2;

/// Every loader.
pub struct Loaders {
    /// Users by id.
    pub users: Arc<Coalescer<Uuid, Arc<users::model::User>>>,
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
        Arc::new(Loaders { users })
    }
}
