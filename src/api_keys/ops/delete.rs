//! Deleting a key.

use uuid::Uuid;

use super::read::used;
use super::{absent, authorise, own, paths};
use crate::api_keys::store;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::permissions::model::Principal;
use crate::permissions::ops::{access, facts};
use crate::replicas::model::Tag;

/// Deletes a key with its permissions. Whoever has a key may always delete it with itself.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `apiKey.write` at its owner or its team.
pub async fn delete(ctx: &Ctx, id: Uuid) -> Result<()> {
    access::authenticated(ctx)?;
    if used(ctx) != Some(id) {
        authorise(ctx, id).await?;
    }

    let mut tx = ctx.db.begin("delete_api_key").await?;
    tx.touch([Tag::ApiKey(id)]);
    let key = store::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    let holder = facts::of_principal(&mut tx, ctx.now(), Principal::ApiKey(id))
        .await?
        .ok_or_else(|| Error::internal("a locked key has no facts"))?;
    let snapshot = own::snapshot(&key, &own::held(&holder, id));
    store::delete(&mut tx, id).await?;
    let change = Change::deleted("apiKey.delete", key.typed_id(), snapshot);
    audit::record(ctx, &mut tx, vec![change.at(paths(&key))]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}
