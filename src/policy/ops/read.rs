//! Reading the policy.

use std::sync::Arc;

use crate::ctx::{Actor, Ctx};
use crate::db::Db;
use crate::error::Result;
use crate::permissions::ops::access;
use crate::permissions::path::Path;
use crate::policy::model::Policy;
use crate::policy::store;
use crate::replicas::Remembered;
use crate::replicas::model::Tag;

/// Read the policy.
pub const READ: &str = "policy.read";

/// The policy as every server remembers it: under its lease, while nobody has changed it or deleted a team in it.
pub struct Policies {
    /// As the configuration has it.
    first: Policy,
    known: Remembered<Policy>,
}

impl Policies {
    /// What remembers; `first` holds until somebody changes it.
    pub fn new(first: Policy) -> Self {
        Policies {
            first,
            known: Remembered::default(),
        }
    }

    /// The policy as the configuration has it.
    pub fn first(&self) -> &Policy {
        &self.first
    }

    /// The policy that holds now. On a handle that is bound to a transaction: as that transaction sees it.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn present(&self, db: &Db) -> Result<Arc<Policy>> {
        let read = async || {
            let found = store::policy(&mut *db.read("policy").await?).await?;
            let policy = found.unwrap_or_else(|| self.first.clone());
            let teams = policy.teams.iter().map(|each| Tag::Team(each.team));
            let tags = std::iter::once(Tag::Policy).chain(teams).collect();
            Ok((policy, tags))
        };
        self.known.present(db, read).await
    }
}

/// The policy that an operation of this actor is judged by. For nobody it is not looked up: nobody may do what it is about.
///
/// # Errors
/// As [`Policies::present`].
pub async fn present(ctx: &Ctx) -> Result<Arc<Policy>> {
    match ctx.actor {
        Actor::Anonymous | Actor::Enrolling(_) => Ok(Arc::new(ctx.policies.first().clone())),
        Actor::Keystead | Actor::Holder(_) => ctx.policies.present(&ctx.db).await,
    }
}

/// The policy.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` without `policy.read` at `/`; `SERVICE_UNAVAILABLE`.
pub async fn policy(ctx: &Ctx) -> Result<Arc<Policy>> {
    access::require(ctx, READ, &Path::root())?;
    present(ctx).await
}
