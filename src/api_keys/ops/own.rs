//! A key's own permissions, and the measure of what a change of a key gives away.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::rules::Wanted;
use crate::api_keys::model::ApiKey;
use crate::ctx::{Actor, Ctx};
use crate::error::{Error, Result};
use crate::permissions::facts::{Facts, Given, KeyFacts, PermissionFact};
use crate::permissions::gains::Exempt;
use crate::permissions::model::{Held, Principal};
use crate::permissions::ops::{access, of_keys};
use crate::permissions::role::RoleFacts;

/// What a key holds itself.
pub(super) type Own = Vec<Arc<PermissionFact>>;

/// The permissions wanted for the key, as they are to be stored.
///
/// # Errors
/// As [`of_keys::roles`].
pub(super) async fn resolve(ctx: &Ctx, field: &str, key: Uuid, wanted: Vec<Wanted>) -> Result<Own> {
    let names: Vec<String> = wanted.iter().map(|each| each.role.clone()).collect();
    let roles = of_keys::roles(ctx, field, &names).await?;
    let created_by = ctx.actor.user();
    let fact = |(wanted, role): (Wanted, Arc<RoleFacts>)| {
        Arc::new(PermissionFact {
            id: ctx.new_id(),
            principal: Principal::ApiKey(key),
            path: wanted.path,
            role,
            propagate: wanted.propagate,
            expires_at: wanted.expires_at,
            created_by,
            created_at: ctx.now(),
            derived: false,
        })
    };
    Ok(wanted.into_iter().zip(roles).map(fact).collect())
}

/// Those of them that the key holds already stay the rows they are, whatever changes in them.
pub(super) fn keep_ids(wanted: Own, held: &Own) -> Own {
    let known = |row: Arc<PermissionFact>| {
        let same = |old: &&Arc<PermissionFact>| old.path == row.path && old.role.id == row.role.id;
        match held.iter().find(same) {
            Some(old) => Arc::new(PermissionFact {
                propagate: row.propagate,
                expires_at: row.expires_at,
                ..old.as_ref().clone()
            }),
            None => row,
        }
    };
    wanted.into_iter().map(known).collect()
}

/// What the key holds itself, among all that is known of it.
pub(super) fn held(holder: &Facts, id: Uuid) -> Own {
    let rows = holder.given().permissions.iter();
    rows.filter(|row| row.principal == Principal::ApiKey(id))
        .cloned()
        .collect()
}

/// What the audit trail keeps of a key with its permissions.
pub(super) fn snapshot(key: &ApiKey, own: &Own) -> Value {
    let row = |each: &Arc<PermissionFact>| Held {
        path: each.path.as_str().to_owned(),
        role: each.role.name.clone(),
        propagate: each.propagate,
        expires_at: each.expires_at,
    };
    told(key, own.iter().map(row).collect())
}

/// The same of rows as they were read.
pub(super) fn told(key: &ApiKey, mut rows: Vec<Held>) -> Value {
    let mut snapshot = key.snapshot();
    rows.sort_by(|a, b| (&a.path, &a.role).cmp(&(&b.path, &b.role)));
    snapshot["permissions"] = if key.restricted {
        json!(rows)
    } else {
        Value::Null
    };
    snapshot
}

/// What a key may do with these permissions of its own, for its owner with all of the owner's rights. Rights that wait behind a
/// switch are handed out as well, so the switches count as on.
pub(super) fn facts(ctx: &Ctx, owner: &Facts, key: &ApiKey, own: &Own) -> Facts {
    let mut given: Given = owner.given().clone();
    if let Some(user) = &mut given.user {
        user.enabled = true;
        user.expires_at = user.expires_at.filter(|end| *end > ctx.now());
    }
    given
        .permissions
        .retain(|permission| !matches!(permission.principal, Principal::ApiKey(_)));
    given.permissions.extend(own.iter().cloned());
    given.key = Some(KeyFacts {
        id: key.id,
        restricted: key.restricted,
        enabled: true,
        expires_at: key.expires_at,
        team_enabled: true,
    });
    Facts::new(ctx.now(), given)
}

/// Refuses to give away what the key gains, as far as the actor lacks it. Whoever acts as the owner, unrestricted, can give it to
/// the owner's keys; a restricted key never makes, widens, prolongs or takes over an unrestricted one of its owner.
///
/// # Errors
/// `FORBIDDEN`.
pub(super) fn may_give(
    ctx: &Ctx,
    key: &ApiKey,
    before: &Facts,
    after: &Facts,
    exempt: &[Exempt],
) -> Result<()> {
    if let Actor::Holder(holder) = &ctx.actor
        && holder.user_id == key.owner_id
    {
        if matches!(holder.principal, Principal::User(_)) {
            return Ok(());
        }
        if !key.restricted {
            return Err(Error::forbidden(
                "A restricted key cannot give its owner's rights to another key. Use an unrestricted key, or give permissions.",
            ));
        }
    }
    access::may_give(ctx, before, after, &Principal::ApiKey(key.id), exempt)
}
