//! Who may change limits.

use uuid::Uuid;

use crate::ctx::{Actor, Ctx};
use crate::db::ids::Kind;
use crate::error::{Error, Result};
use crate::limits::model::{Budget, Limits, Subject};
use crate::permissions::ops::access;
use crate::permissions::path::Path;
use crate::{api_keys, teams, users};

/// Where a subject lies, and whether the actor is itself bound by its limits and may only tighten them.
pub(super) struct Reach {
    /// Whoever holds `audit.read` at one of these may read what changes.
    pub paths: Vec<Path>,
    is_bound: bool,
}

/// Demands the right to change the subject.
///
/// # Errors
/// `NOT_FOUND` for one that may not be seen; `FORBIDDEN` without `apiKey.write` over a key, `user.write` at a user, or `team.write` at
/// a team, also for its members.
pub(super) async fn authorise(ctx: &Ctx, subject: Subject) -> Result<Reach> {
    access::authenticated(ctx)?;
    match subject {
        Subject::ApiKey(id) => key(ctx, id).await,
        Subject::User(id) => {
            let path = users::ops::path(id);
            users::ops::require_readable(ctx, |_| "input.subject.user".into(), &[id]).await?;
            access::require(ctx, users::ops::WRITE, &path)?;
            Ok(Reach {
                paths: vec![path],
                is_bound: false,
            })
        }
        Subject::Team(id) => Ok(Reach {
            paths: team(ctx, "input.subject.team", id)?,
            is_bound: belongs(ctx, id)
                && !access::can(ctx, teams::ops::WRITE, &access::collection(Kind::Team)),
        }),
        Subject::EachMember(id) => Ok(Reach {
            paths: team(ctx, "input.subject.eachMemberOf", id)?,
            is_bound: false,
        }),
        Subject::Member { team: id, user } => {
            let mut paths = team(ctx, "input.subject.member.team", id)?;
            let field = |_| "input.subject.member.user".into();
            users::ops::require_readable(ctx, field, &[user]).await?;
            paths.push(users::ops::path(user));
            Ok(Reach {
                paths,
                is_bound: false,
            })
        }
    }
}

/// The error of a subject that is gone, or of a user who does not belong to the team.
pub(super) fn absent(subject: Subject) -> Error {
    match subject {
        Subject::ApiKey(id) => api_keys::ops::absent("input.subject.apiKey", id),
        Subject::User(id) => users::ops::absent("input.subject.user", id),
        Subject::Team(id) => teams::ops::absent("input.subject.team", id),
        Subject::EachMember(id) => teams::ops::absent("input.subject.eachMemberOf", id),
        Subject::Member { user, .. } => {
            teams::ops::members::no_member("input.subject.member.user", user)
        }
    }
}

async fn key(ctx: &Ctx, id: Uuid) -> Result<Reach> {
    let found = api_keys::ops::by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let key = found
        .filter(|key| api_keys::ops::may_read(ctx, key))
        .ok_or_else(|| absent(Subject::ApiKey(id)))?;
    let paths = api_keys::ops::paths(&key);
    if !access::can_any(ctx, api_keys::ops::WRITE, &paths) {
        access::require(ctx, api_keys::ops::WRITE, &paths[0])?;
    }
    let is_own = matches!(&ctx.actor, Actor::Holder(holder) if holder.user_id == key.owner_id);
    let administers = access::can(ctx, users::ops::WRITE, &users::ops::path(key.owner_id));
    Ok(Reach {
        paths,
        is_bound: is_own && !administers,
    })
}

fn team(ctx: &Ctx, field: &str, id: Uuid) -> Result<Vec<Path>> {
    let path = teams::ops::path(id);
    access::require_on(
        ctx,
        teams::ops::READ,
        teams::ops::WRITE,
        std::slice::from_ref(&path),
        || teams::ops::absent(field, id),
    )?;
    Ok(vec![path])
}

/// Whether the actor belongs to the team or to one below it.
fn belongs(ctx: &Ctx, team: Uuid) -> bool {
    ctx.actor.holder().is_some_and(|holder| {
        let given = holder.facts.given();
        given.teams.iter().any(|found| found.id == team)
    })
}

impl Reach {
    /// Refuses to lift what the actor is bound by itself.
    ///
    /// # Errors
    /// `FORBIDDEN` naming what would be lifted.
    pub(super) fn may_change(&self, before: &Limits, after: &Limits) -> Result<()> {
        match lifted(before, after).filter(|_| self.is_bound) {
            None => Ok(()),
            Some(what) => Err(Error::forbidden(format!(
                "These limits bind you too, so you may tighten them and not lift them: {what} would allow more than now. Ask somebody who \
                 administers them."
            ))
            .at(format!("input.{what}"))),
        }
    }
}

/// What allows more afterwards.
fn lifted(before: &Limits, after: &Limits) -> Option<&'static str> {
    let more = |before: Option<i64>, after: Option<i64>| {
        before.is_some_and(|before| after.is_none_or(|after| after > before))
    };
    let (was, is) = (before.rates, after.rates);
    for (what, was, is) in [
        ("requestsPerMinute", was.requests, is.requests),
        ("tokensPerMinute", was.tokens, is.tokens),
        ("maxParallel", was.parallel, is.parallel),
    ] {
        if more(was, is) {
            return Some(what);
        }
    }
    if after.increase.is_some() && after.increase != before.increase {
        return Some("increase");
    }
    let tightened = |budget: &Budget| {
        let same = after.budgets.iter().find(|other| other.id == budget.id);
        same.is_some_and(|other| {
            other.max <= budget.max
                && other.window == budget.window
                && (other.include_past_spend || !budget.include_past_spend)
                && (other.increase.is_none() || other.increase == budget.increase)
        })
    };
    let all = before.budgets.iter().all(tightened);
    (!all).then_some("budgets")
}
