//! Naming a factor.

use uuid::Uuid;

use super::{MAX_NAME, absent, by_ids};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::factors::model::Factor;
use crate::factors::store;
use crate::permissions::model::Principal;
use crate::permissions::ops::access;
use crate::text;
use crate::users;

const FIELD: &str = "input.id";

/// Gives a factor another name: one's own, or another user's with `user.write` at that user.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN`; `BAD_USER_INPUT`; `SERVICE_UNAVAILABLE`.
pub async fn rename(ctx: &Ctx, id: Uuid, name: &str) -> Result<Factor> {
    let name = text::line("input.name", name, MAX_NAME)?;

    let own = ctx.somebody()?;
    let found = by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let user = found.ok_or_else(|| absent(FIELD, id))?.user_id;
    if own.principal != Principal::User(user) {
        let home = users::ops::path(user);
        let unseen = || absent(FIELD, id);
        access::require_on(ctx, users::ops::READ, users::ops::WRITE, &[home], unseen)?;
    }

    let mut tx = ctx.db.begin("update_second_factor").await?;
    users::ops::locked(&mut tx, user)
        .await?
        .ok_or_else(|| absent(FIELD, id))?;
    let found = store::by_ids(&mut tx, &[id]).await?.pop();
    let before = found.ok_or_else(|| absent(FIELD, id))?;
    let after = Factor {
        name,
        ..before.clone()
    };
    store::rename(&mut tx, id, &after.name).await?;
    let (was, is) = (before.snapshot(), after.snapshot());
    let change = Change::updated("secondFactor.update", after.typed_id(), was, is);
    let home = users::ops::path(user);
    audit::record(ctx, &mut tx, vec![change.at(vec![home])]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}
