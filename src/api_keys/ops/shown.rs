//! Showing a secret once more, to whoever has made the key: for clients that make a key by one request and look for it by the next.

use std::collections::HashMap;
use std::fmt::Write;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::api_keys::model::ApiKey;
use crate::api_keys::store;
use crate::ctx::{Clock, Ctx, Holder};
use crate::db::Db;
use crate::db::purge::in_parts;
use crate::error::Result;
use crate::secrets::Secret;

/// For how long.
pub const SHOWN_AGAIN: TimeDelta = TimeDelta::minutes(1);

/// Lets the caller, who has just made that key, see its secret for a minute. Nobody else can, nor the caller by another credential.
///
/// # Errors
/// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`; an internal error when nothing can be sealed.
pub async fn show_again(ctx: &Ctx, key: &ApiKey, secret: &Secret) -> Result<()> {
    let holder = ctx.holder()?;
    let text = secret.expose().as_bytes();
    let sealed = ctx.sealer.seal(&purpose(holder), &ctx.random, text)?;
    let mut conn = ctx.db.read("keep_secret_to_show").await?;
    let whose = (key.id, holder.user_id);
    Ok(store::keep_shown(&mut conn, whose, sealed, ctx.now() + SHOWN_AGAIN).await?)
}

/// The secrets of a team's keys that the caller has made within the last minute and [wants to see](show_again), by the keys' owners.
///
/// # Errors
/// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
pub async fn shown_again(ctx: &Ctx, team: Uuid) -> Result<HashMap<Uuid, Secret>> {
    let holder = ctx.holder()?;
    let mut conn = ctx.db.read("secrets_to_show").await?;
    let found = store::shown_of_team(&mut conn, (team, holder.user_id), ctx.now()).await?;
    let purpose = purpose(holder);
    let opened = found.into_iter().filter_map(|one| {
        // Sealed for another credential of the same user, it stays closed.
        let text = ctx.sealer.open(&purpose, &one.sealed).ok()?;
        let text = String::from_utf8(text.to_vec()).ok()?;
        Some((one.owner_id, Secret::new(text)))
    });
    Ok(opened.collect())
}

/// Forgets what is not shown any more; returns how many.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn forget_shown(db: &Db, clock: &Clock) -> Result<usize> {
    in_parts(|| async {
        let mut conn = db.read("forget_secrets_to_show").await?;
        Ok(store::purge_shown(&mut conn, clock.now()).await?)
    })
    .await
}

/// What a secret is sealed for: the eyes of one credential.
fn purpose(holder: &Holder) -> String {
    let mut text = "secret of a key shown again to ".to_owned();
    for byte in holder.credential.as_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
