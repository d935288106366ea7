//! What the policy asks of keys, and of whom.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::ctx::{Actor, Ctx};
use crate::error::{Code, Error, Result};
use crate::permissions::model::{InstanceRole, TeamRole};
use crate::permissions::ops::access;
use crate::policy::model::{KeyRules, Policy};

/// The rules that bind the actor; none bind administrators of the instance.
pub fn binding<'a>(ctx: &Ctx, policy: &'a Policy) -> Option<&'a KeyRules> {
    (!access::holds_everything(ctx)).then_some(&policy.keys)
}

/// The longest that a secret may live which the actor makes or prolongs; `None`: for ever.
pub fn longest_lifetime(ctx: &Ctx, policy: &Policy) -> Option<TimeDelta> {
    binding(ctx, policy).and_then(|rules| rules.max_lifetime)
}

/// Demands that the actor is one of those who may make such a key: one of that team, or of none.
///
/// # Errors
/// `FORBIDDEN`, naming the roles that may.
pub fn may_make_key(ctx: &Ctx, policy: &Policy, team: Option<Uuid>) -> Result<()> {
    let (Some(rules), Actor::Holder(holder)) = (binding(ctx, policy), &ctx.actor) else {
        return Ok(());
    };
    match team {
        None => {
            let role = holder.facts.user().map(|user| user.role);
            one_of(
                "personal keys",
                "the instance role",
                &rules.personal_makers,
                role,
                |role| InstanceRole::as_str(*role),
            )
        }
        Some(id) => {
            let mut teams = holder.facts.teams().iter();
            let role = teams.find(|each| each.id == id);
            let role = role.and_then(|each| each.role_at(ctx.now()));
            one_of(
                "keys of a team",
                "the team role",
                &rules.team_makers,
                role,
                |role| TeamRole::as_str(*role),
            )
        }
    }
}

fn one_of<T: PartialEq>(
    what: &str,
    which: &str,
    makers: &Option<Vec<T>>,
    role: Option<T>,
    name: impl Fn(&T) -> &'static str,
) -> Result<()> {
    let Some(makers) = makers else {
        return Ok(());
    };
    if role.is_some_and(|role| makers.contains(&role)) {
        return Ok(());
    }
    let names: Vec<&str> = makers.iter().map(name).collect();
    let who = match names.as_slice() {
        [] => "administrators of the instance alone".to_owned(),
        names => {
            let names = names.join(" or ");
            format!("those with {which} {names}, and by administrators of the instance")
        }
    };
    Err(Error::forbidden(format!(
        "By the policy {what} are made by {who}. Ask one of them."
    )))
}

/// The error of a key that would be one too many for its owner.
pub fn too_many(field: &str, most: i64) -> Error {
    let message = format!(
        "The owner would have more than {most} API keys, which is the most that the policy allows. Delete one that is not used any more."
    );
    Error::new(Code::LimitExceeded, message).at(field)
}
