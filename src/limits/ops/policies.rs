//! The policy for limits as every server remembers it: under its lease, while nobody has changed it.

use std::sync::{Arc, PoisonError, RwLock};

use crate::ctx::{Actor, Ctx};
use crate::db::Db;
use crate::error::Result;
use crate::limits::policy::LimitPolicy;
use crate::limits::store::policy as store;
use crate::replicas::Stamp;
use crate::replicas::model::Tag;

/// What is remembered.
#[derive(Default)]
pub struct Policies {
    known: RwLock<Option<Arc<Entry>>>,
}

struct Entry {
    policy: Arc<LimitPolicy>,
    stamp: Stamp,
}

impl Policies {
    /// The policy that holds now. On a handle that is bound to a transaction: as that transaction sees it.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn present(&self, db: &Db) -> Result<Arc<LimitPolicy>> {
        let replicas = db.replicas();
        // The lease first: what was answered anywhere before this moment is marked by now.
        let remembers = !db.is_bound() && replicas.holds_lease();
        if remembers
            && let Some(entry) = self.entry()
            && replicas.marks().hold(&entry.stamp, &[Tag::LimitPolicy])
        {
            return Ok(entry.policy.clone());
        }
        // Before anything is read: what changes from here on makes the answer out of date.
        let stamp = replicas.marks().stamp();
        let policy = Arc::new(store::policy(&mut *db.read("limit_policy").await?).await?);
        if remembers && replicas.holds_lease() {
            let entry = Entry {
                policy: policy.clone(),
                stamp,
            };
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            *known = Some(Arc::new(entry));
        }
        Ok(policy)
    }

    fn entry(&self) -> Option<Arc<Entry>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}

/// The policy that an operation of this actor is judged by. For nobody it is not looked up: nobody may do what it is about.
///
/// # Errors
/// As [`Policies::present`].
pub async fn present(ctx: &Ctx) -> Result<Arc<LimitPolicy>> {
    match ctx.actor {
        Actor::Anonymous => Ok(Arc::default()),
        Actor::Keystead | Actor::Holder(_) => ctx.limit_policies.present(&ctx.db).await,
    }
}
