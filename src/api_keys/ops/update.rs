//! Changing a key.

use serde_json::json;
use uuid::Uuid;

use super::draft::taken;
use super::own::{self, Own};
use super::rules::{self, Wanted};
use super::{absent, authorise, paths};
use crate::api_keys::model::{ApiKey, ApiKeyChanges};
use crate::api_keys::store;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::permissions::facts::Facts;
use crate::permissions::model::Principal;
use crate::permissions::ops::{facts, of_keys};
use crate::policy::ops as policy;
use crate::replicas::model::Tag;
use crate::text;

/// Changes a key: what is absent stays, what is null is cleared. A list of permissions replaces those it has; clearing it lifts the
/// restriction.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `apiKey.write` at its owner or its team, or if it could then do what the actor may not;
/// `BAD_USER_INPUT`; `ALREADY_EXISTS` for a name that is taken.
pub async fn update(ctx: &Ctx, id: Uuid, changes: ApiKeyChanges) -> Result<ApiKey> {
    let wishes = validate(ctx, changes)?;

    authorise(ctx, id).await?;
    let moved = wishes.changes.expires_at.is_some();
    let policy = if wishes.touch_the_rules() {
        Some(policy::present(ctx).await?)
    } else {
        None
    };

    let wanted = resolve(ctx, id, wishes.permissions).await?;

    let mut tx = ctx.db.begin("update_api_key").await?;
    tx.touch([Tag::ApiKey(id)]);
    let before = store::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    let holder = facts::of_principal(&mut tx, ctx.now(), Principal::ApiKey(id))
        .await?
        .ok_or_else(|| Error::internal("a locked key has no facts"))?;
    let held = own::held(&holder, id);
    let own = match wanted {
        Replaced::Keep => held.clone(),
        Replaced::Lift => Vec::new(),
        Replaced::By(wanted) => own::keep_ids(wanted, &held),
    };
    let mut after = apply(&before, wishes.changes, wishes.cidrs);
    if let Some(policy) = &policy {
        if moved {
            let longest = policy::longest_lifetime(ctx, policy);
            let since = before.secret_since();
            after.expires_at =
                rules::no_longer(ctx, longest, "input.expiresAt", since, after.expires_at)?;
        }
        rules::complete("input", rules::missing(ctx, policy, Some(&before), &after))?;
    }
    if after.enabled && after.disabled_reason.is_some() {
        return Err(Error::bad_input(
            "input.disabledReason",
            "input.disabledReason is for a key that is disabled. Disable the key too, or leave it out.",
        ));
    }
    let (was, is) = (own::snapshot(&before, &held), own::snapshot(&after, &own));
    if was != is {
        after.updated_at = ctx.now();
    }
    give_only_what_is_held(ctx, &holder, (&before, &held), (&after, &own))?;
    store::update(&mut tx, &after).await.map_err(|failure| {
        failure.unique("api_keys_owner_id_name_key", || {
            taken("input.name", &after.name)
        })
    })?;
    let gone: Vec<Uuid> = held
        .iter()
        .filter(|row| !own.contains(row))
        .map(|row| row.id)
        .collect();
    let new: Own = own
        .iter()
        .filter(|row| !held.contains(row))
        .cloned()
        .collect();
    of_keys::replace(&tx, &gone, &new).await?;
    let change = Change::updated("apiKey.update", after.typed_id(), was, is);
    audit::record(ctx, &mut tx, vec![change.at(paths(&after))]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}

/// Changes that keep the rules.
struct Wishes {
    changes: ApiKeyChanges,
    cidrs: Option<Vec<String>>,
    permissions: Replaced<Vec<Wanted>>,
}

impl Wishes {
    /// Whether something changes that the policy may have a rule for.
    fn touch_the_rules(&self) -> bool {
        self.changes.expires_at.is_some()
            || self.changes.description.is_some()
            || self.cidrs.is_some()
            || !matches!(self.permissions, Replaced::Keep)
    }
}

/// What becomes of the permissions.
enum Replaced<T> {
    Keep,
    Lift,
    By(T),
}

fn validate(ctx: &Ctx, mut changes: ApiKeyChanges) -> Result<Wishes> {
    let wanted = match changes.permissions.take() {
        None => Replaced::Keep,
        Some(None) => {
            changes.permissions = Some(None);
            Replaced::Lift
        }
        Some(Some(list)) => {
            changes.permissions = Some(Some(Vec::new()));
            Replaced::By(rules::permissions(ctx, "input.permissions", list)?)
        }
    };
    changes.name = changes
        .name
        .map(|name| text::line("input.name", &name, 200))
        .transpose()?;
    changes.description = text::change(changes.description, |text| {
        text::lines("input.description", &text, 2_000)
    })?;
    changes.disabled_reason = changes
        .disabled_reason
        .map(|text| text::optional_lines("input.disabledReason", text.as_deref(), 500))
        .transpose()?;
    if let Some(end) = changes.expires_at {
        rules::to_come(ctx, "input.expiresAt", end)?;
    }
    let cidrs = changes
        .allowed_cidrs
        .as_ref()
        .map(|cidrs| rules::cidrs("input.allowedCidrs", cidrs))
        .transpose()?;
    changes.metadata = text::change(changes.metadata, |value| {
        text::metadata("input.metadata", value)
    })?;
    Ok(Wishes {
        changes,
        cidrs,
        permissions: wanted,
    })
}

async fn resolve(ctx: &Ctx, id: Uuid, wanted: Replaced<Vec<Wanted>>) -> Result<Replaced<Own>> {
    Ok(match wanted {
        Replaced::Keep => Replaced::Keep,
        Replaced::Lift => Replaced::Lift,
        Replaced::By(wanted) => {
            Replaced::By(own::resolve(ctx, "input.permissions", id, wanted).await?)
        }
    })
}

fn apply(before: &ApiKey, changes: ApiKeyChanges, cidrs: Option<Vec<String>>) -> ApiKey {
    let mut key = before.clone();
    key.name = changes.name.unwrap_or(key.name);
    key.description = changes.description.unwrap_or(key.description);
    key.enabled = changes.enabled.unwrap_or(key.enabled);
    // Whoever switches a key on has done away with the reason.
    let reason = before.disabled_reason.clone().filter(|_| !key.enabled);
    key.disabled_reason = changes.disabled_reason.unwrap_or(reason);
    key.expires_at = changes.expires_at.unwrap_or(key.expires_at);
    key.restricted = changes
        .permissions
        .map_or(key.restricted, |list| list.is_some());
    key.allowed_cidrs = cidrs.unwrap_or(key.allowed_cidrs);
    key.metadata = changes
        .metadata
        .map_or(key.metadata, |value| value.unwrap_or_else(|| json!({})));
    key
}

/// Measures permissions, lifetime and switch; a key that is switched on gains all that it holds.
fn give_only_what_is_held(
    ctx: &Ctx,
    owner: &Facts,
    (before, held): (&ApiKey, &Own),
    (after, own): (&ApiKey, &Own),
) -> Result<()> {
    let switched_on = after.enabled && !before.enabled;
    if !switched_on
        && before.restricted == after.restricted
        && before.expires_at == after.expires_at
        && held == own
    {
        return Ok(());
    }
    let was = if switched_on {
        Facts::nobody(ctx.now())
    } else {
        own::facts(ctx, owner, before, held)
    };
    own::may_give(ctx, after, &was, &own::facts(ctx, owner, after, own), &[])
}
