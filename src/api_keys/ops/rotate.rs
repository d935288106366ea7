//! Replacing the secret of a key.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{absent, authorise, own, paths, rules};
use crate::api_keys::model::ApiKey;
use crate::api_keys::store;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::permissions::facts::Facts;
use crate::permissions::model::Principal;
use crate::permissions::ops::facts;
use crate::policy::model::KeyField;
use crate::policy::ops as policy;
use crate::replicas::model::Tag;
use crate::secrets::Secret;

/// Gives a key a new secret. The present one works until `overlap_ends`, or no longer if there is no such moment; one from an
/// earlier rotation no longer works in either case. `expires_at` keeps the key's end if absent, as far as the policy allows, and lifts it
/// if null.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `apiKey.write` at its owner or its team, if the key may do what the actor may not, or for one whom the
/// policy lets make no such keys; `BAD_USER_INPUT`, also for an overlap that would let the present secret live longer than the policy
/// allows, and for a key without what the policy requires.
pub async fn rotate(
    ctx: &Ctx,
    id: Uuid,
    overlap_ends: Option<DateTime<Utc>>,
    expires_at: Option<Option<DateTime<Utc>>>,
) -> Result<(ApiKey, Secret)> {
    let policy = policy::present(ctx).await?;
    let longest = policy::longest_lifetime(ctx, &policy);
    let expires_at = expires_at
        .map(|end| rules::lifetime(ctx, longest, "input.expiresAt", end))
        .transpose()?;
    let secret = Secret::generate_api_key(&ctx.random);

    authorise(ctx, id).await?;

    let mut tx = ctx.db.begin("rotate_api_key").await?;
    tx.touch([Tag::ApiKey(id)]);
    let before = store::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    // A new secret is a new key.
    policy::may_make_key(ctx, &policy, before.team_id)?;
    if overlap_ends.is_some() {
        let since = before.secret_since();
        rules::no_longer(ctx, longest, "input.overlap", since, overlap_ends)?;
    }
    // A key from before the policy gets an end with its new secret.
    let kept = before.expires_at;
    let expires_at = match expires_at {
        Some(end) => end,
        None => rules::at_most(ctx, longest, kept),
    };
    let after = ApiKey {
        prefix: secret.display_prefix(),
        previous_secret_expires_at: overlap_ends,
        expires_at,
        rotated_at: Some(ctx.now()),
        updated_at: ctx.now(),
        ..before.clone()
    };
    match rules::missing(ctx, &policy, None, &after) {
        Some(field) if field != KeyField::ExpiresAt => {
            let message = format!(
                "The policy requires {} of every key, and this one has none. Give it one with updateApiKey, then rotate.",
                field.input()
            );
            return Err(Error::bad_input("input.id", message));
        }
        missing => rules::complete("input", missing)?,
    }
    let holder = facts::of_principal(&mut tx, ctx.now(), Principal::ApiKey(id))
        .await?
        .ok_or_else(|| Error::internal("a locked key has no facts"))?;
    let held = own::held(&holder, id);
    // Whoever gets the secret can do all that the key can.
    let (nothing, all) = (
        Facts::nobody(ctx.now()),
        own::facts(ctx, &holder, &after, &held),
    );
    own::may_give(ctx, &after, &nothing, &all, &[])?;
    store::rotate(&mut tx, &after, &secret.digest()).await?;
    let change = Change::updated(
        "apiKey.rotate",
        after.typed_id(),
        own::snapshot(&before, &held),
        own::snapshot(&after, &held),
    );
    audit::record(ctx, &mut tx, vec![change.at(paths(&after))]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok((after, secret))
}
