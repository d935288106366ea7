//! Reading and changing the policy for limits.

use std::sync::Arc;

use uuid::Uuid;

use super::{policies, rules};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::db::lock::{self, Lock};
use crate::error::{Error, Result};
use crate::limits::model::LimitsChanges;
use crate::limits::policy::{LimitPolicy, PolicyChanges};
use crate::limits::store::policy as store;
use crate::permissions::ops::access;
use crate::permissions::path::Path;
use crate::replicas::model::Tag;

/// Read the policy for limits.
pub const READ: &str = "limitPolicy.read";

/// The policy for limits.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` without `limitPolicy.read` at `/`; `SERVICE_UNAVAILABLE`.
pub async fn policy(ctx: &Ctx) -> Result<Arc<LimitPolicy>> {
    access::require(ctx, READ, &Path::root())?;
    policies::present(ctx).await
}

/// Changes the policy: what is absent stays, what is null is cleared, and budgets are exactly those given. Doing it again changes nothing.
/// Answers with the policy as it is now, and whether anything changed.
///
/// # Errors
/// `BAD_USER_INPUT`; `UNAUTHENTICATED`; `FORBIDDEN` for others than administrators of the instance.
pub async fn update_policy(ctx: &Ctx, changes: PolicyChanges) -> Result<(LimitPolicy, bool)> {
    let changes = valid(ctx, changes)?;

    access::authenticated(ctx)?;
    if !access::holds_everything(ctx) {
        return Err(Error::forbidden(
            "The policy for limits is set by administrators of the instance, with an unrestricted key.",
        ));
    }

    let mut tx = ctx.db.begin("update_limit_policy").await?;
    tx.touch([Tag::LimitPolicy]);
    // Two changes follow one another.
    lock::alone(&mut tx, Lock::LimitPolicy).await?;
    let before = store::policy(&mut tx).await?;
    let after = before.changed(&changes);
    let is_changed = before != after;
    if is_changed {
        store::put(&mut tx, &after).await?;
        let target = Id::new(Kind::LimitPolicy, Uuid::nil());
        let (was, is) = (before.snapshot(), after.snapshot());
        let change = Change::updated("limitPolicy.update", target, was, is);
        audit::record(ctx, &mut tx, vec![change]).await?;
    }
    tx.commit().await?;

    if is_changed {
        ctx.events.publish();
    }

    Ok((after, is_changed))
}

fn valid(ctx: &Ctx, changes: PolicyChanges) -> Result<PolicyChanges> {
    let limits = |part: &str, changes: LimitsChanges| {
        rules::valid(ctx, &format!("input.{part}"), false, changes)
    };
    Ok(PolicyChanges {
        user_defaults: limits("userDefaults", changes.user_defaults)?,
        api_key_defaults: limits("apiKeyDefaults", changes.api_key_defaults)?,
        api_key_bounds: limits("apiKeyBounds", changes.api_key_bounds)?,
    })
}
