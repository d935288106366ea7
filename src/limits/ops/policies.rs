//! The policy for limits as every server remembers it: under its lease, while nobody has changed it.

use std::sync::Arc;

use crate::ctx::{Actor, Ctx};
use crate::db::Db;
use crate::error::Result;
use crate::limits::policy::LimitPolicy;
use crate::limits::store::policy as store;
use crate::replicas::Remembered;
use crate::replicas::model::Tag;

/// What is remembered.
#[derive(Default)]
pub struct Policies {
    known: Remembered<LimitPolicy>,
}

impl Policies {
    /// The policy that holds now. On a handle that is bound to a transaction: as that transaction sees it.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn present(&self, db: &Db) -> Result<Arc<LimitPolicy>> {
        let read = async || {
            let policy = store::policy(&mut *db.read("limit_policy").await?).await?;
            Ok((policy, vec![Tag::LimitPolicy]))
        };
        self.known.present(db, read).await
    }
}

/// The policy that an operation of this actor is judged by. For nobody it is not looked up: nobody may do what it is about.
///
/// # Errors
/// As [`Policies::present`].
pub async fn present(ctx: &Ctx) -> Result<Arc<LimitPolicy>> {
    match ctx.actor {
        Actor::Anonymous | Actor::Enrolling(_) => Ok(Arc::default()),
        Actor::Keystead | Actor::Holder(_) => ctx.limit_policies.present(&ctx.db).await,
    }
}
