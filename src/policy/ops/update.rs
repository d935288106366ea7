//! Changing the policy.

use std::collections::HashSet;

use uuid::Uuid;

use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind, quoted};
use crate::db::lock::{self, Lock};
use crate::error::{Error, Result};
use crate::permissions::model::InstanceRole;
use crate::permissions::ops::access;
use crate::policy::model::{Policy, PolicyChanges};
use crate::policy::store;
use crate::replicas::model::Tag;
use crate::teams;
use crate::users::ops::MAX_FIRST_TEAMS;

/// The longest life that may be said, in seconds: a hundred years.
pub const MAX_LIFETIME: i64 = 100 * 366 * 86_400;
/// The most that may be said to be the most keys of a user.
pub const MAX_KEYS_PER_USER: i64 = 1_000_000;

/// Changes the policy: what is absent stays, what is null is cleared, lists are exactly those given. Doing it again changes nothing.
/// Answers with the policy as it is now, and whether anything changed.
///
/// # Errors
/// `BAD_USER_INPUT`; `NOT_FOUND` for a team; `UNAUTHENTICATED`; `FORBIDDEN` for others than administrators of the instance.
pub async fn update(ctx: &Ctx, changes: PolicyChanges) -> Result<(Policy, bool)> {
    validate(&changes)?;

    access::authenticated(ctx)?;
    if !access::holds_everything(ctx) {
        return Err(Error::forbidden(
            "The policy is set by administrators of the instance, with an unrestricted key.",
        ));
    }
    let wanted: Vec<Uuid> = changes
        .teams
        .iter()
        .flatten()
        .map(|each| each.team)
        .collect();
    let found = teams::ops::by_ids(&ctx.db, wanted.clone()).await?;
    if let Some(place) = wanted.iter().position(|id| !found.contains_key(id)) {
        return Err(teams::ops::absent(&team_field(place), wanted[place]));
    }

    let mut tx = ctx.db.begin("update_policy").await?;
    tx.touch([Tag::Policy]);
    // Two changes follow one another.
    lock::alone(&mut tx, Lock::Policy).await?;
    let stored = store::policy(&mut tx).await?;
    let before = stored.unwrap_or_else(|| ctx.policies.first().clone());
    let after = before.changed(changes);
    let is_changed = before != after;
    if is_changed {
        store::put(&mut tx, &after).await?;
        let target = Id::new(Kind::Policy, Uuid::nil());
        let change = Change::updated("policy.update", target, before.snapshot(), after.snapshot());
        audit::record(ctx, &mut tx, vec![change]).await?;
    }
    tx.commit().await?;

    if is_changed {
        ctx.events.publish();
    }

    Ok((after, is_changed))
}

fn validate(changes: &PolicyChanges) -> Result<()> {
    if let Some(Some(role)) = changes.user_role
        && !matches!(role, InstanceRole::Member | InstanceRole::Viewer)
    {
        const FIELD: &str = "input.userDefaults.role";
        let message = format!(
            "{FIELD} is {}. New users are MEMBER or VIEWER where nothing else is said: more is given by name.",
            role.as_str()
        );
        return Err(Error::bad_input(FIELD, message));
    }
    if let Some(teams) = &changes.teams {
        if teams.len() > MAX_FIRST_TEAMS {
            const FIELD: &str = "input.userDefaults.memberships";
            let message = format!(
                "{FIELD} has {} entries. New users belong to at most {MAX_FIRST_TEAMS} teams from the beginning.",
                teams.len()
            );
            return Err(Error::bad_input(FIELD, message));
        }
        let mut seen = HashSet::with_capacity(teams.len());
        if let Some(twice) = teams.iter().position(|each| !seen.insert(each.team)) {
            let id = Id::new(Kind::Team, teams[twice].team).to_string();
            let field = team_field(twice);
            let message = format!("{field} names {} twice. Name each team once.", quoted(&id));
            return Err(Error::bad_input(field, message));
        }
    }
    let lifetime = changes
        .max_lifetime
        .flatten()
        .map(|life| life.num_seconds());
    within("maxLifetimeSeconds", lifetime, 1, MAX_LIFETIME)?;
    within(
        "maxPerUser",
        changes.max_per_user.flatten(),
        0,
        MAX_KEYS_PER_USER,
    )
}

fn within(name: &str, value: Option<i64>, least: i64, most: i64) -> Result<()> {
    match value.filter(|value| !(least..=most).contains(value)) {
        None => Ok(()),
        Some(value) => {
            let field = format!("input.apiKeys.{name}");
            let message =
                format!("{field} is {value}. It is between {least} and {most}; null is no limit.");
            Err(Error::bad_input(field, message))
        }
    }
}

fn team_field(place: usize) -> String {
    format!("input.userDefaults.memberships.{place}.team")
}
