//! Giving roles to somebody who has asked for them, beside what it holds.

use uuid::Uuid;

use super::access;
use super::plan::Plan;
use super::read::WRITE;
use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::permissions::model::{Grant, Principal, Role};
use crate::permissions::path::Path;
use crate::permissions::store::rows;

/// Whether the actor may write permissions at all of these paths.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` without `permission.write` at one of them.
pub fn may_grant(ctx: &Ctx, paths: &[Path]) -> Result<()> {
    access::authenticated(ctx)?;
    paths
        .iter()
        .try_for_each(|path| access::require(ctx, WRITE, path))
}

/// Gives a user these roles at the path, beside what it holds there, in a transaction of the caller's that has it
/// locked; returns what is to be recorded. Whether the actor [may grant](may_grant) there has been decided.
///
/// # Errors
/// `FORBIDDEN` if somebody would come to hold what the actor lacks; `CONFLICT` where a role is held there already in another way, or there
/// would be too many.
pub async fn grant(
    ctx: &Ctx,
    tx: &mut Tx,
    user: Uuid,
    path: &Path,
    wanted: &[(Role, Grant)],
) -> Result<Option<Change>> {
    let principal = Principal::User(user);
    tx.touch([principal.into()]);
    let before = rows::at_path(tx, principal, path).await?;
    let plan = Plan::beside(ctx, principal, path, before, wanted)?;
    let names = plan.names(tx, wanted).await?;
    plan.carry_out(ctx, tx, &names).await
}
