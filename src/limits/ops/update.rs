//! Changing the limits of a subject.

use std::sync::Arc;

use super::applying::tag;
use super::bounds::Wish;
use super::{policies, rights, rules};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::limits::model::{Budget, Limits, LimitsChanges, NewBudget, Subject};
use crate::limits::policy::LimitPolicy;
use crate::limits::store::{count, notices, rows};
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// Changes limits: what is absent stays, what is null is cleared, and the budgets are exactly those given. Doing it again changes
/// nothing. Says whether anything did.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without the right to change the subject, or for lifting what binds the actor itself; `BAD_USER_INPUT`, also
/// for more than the policy allows to the key.
pub async fn update(ctx: &Ctx, subject: Subject, changes: LimitsChanges) -> Result<bool> {
    let for_each = matches!(subject, Subject::EachMember(_));
    let changes = rules::valid(ctx, "input", for_each, changes)?;

    let reach = rights::authorise(ctx, subject).await?;
    let bounds = bounds(ctx, subject).await?;

    let mut tx = ctx.db.begin("update_limits").await?;
    tx.touch([tag(subject)]);
    if !rows::lock(&mut tx, subject).await? {
        return Err(rights::absent(subject));
    }
    let found = rows::held(&mut tx, vec![subject.word()], Vec::new(), Some(ctx.now())).await?;
    let found = found.into_iter().next().map(|(_, held)| held.limits);
    let before = found.unwrap_or_else(|| Limits::none(ctx.new_id()));
    let mut after = apply(ctx, &before, changes.clone());
    if let Some(policy) = bounds {
        let wish = Wish {
            at: "input",
            given: &changes,
            before: Some(&before),
            after,
        };
        after = wish.within(ctx, &policy.api_key_bounds)?;
    }
    let is_changed = before != after;
    if is_changed {
        reach.may_change(&before, &after)?;
        rows::put(&mut tx, subject, &after).await?;
        recount(ctx, &mut tx, subject, &before, &after).await?;
        audit::record(
            ctx,
            &mut tx,
            vec![event(subject, reach.paths, &before, &after)],
        )
        .await?;
    }
    tx.commit().await?;

    if is_changed {
        ctx.events.publish();
    }

    Ok(is_changed)
}

/// What the limits of a key are held to, unless an administrator changes them.
async fn bounds(ctx: &Ctx, subject: Subject) -> Result<Option<Arc<LimitPolicy>>> {
    let is_key = matches!(subject, Subject::ApiKey(_));
    if !is_key || access::holds_everything(ctx) {
        return Ok(None);
    }
    policies::present(ctx).await.map(Some)
}

pub(super) fn apply(ctx: &Ctx, before: &Limits, changes: LimitsChanges) -> Limits {
    let mut limits = before.clone();
    let rates = &mut limits.rates;
    rates.requests = changes.requests.unwrap_or(rates.requests);
    rates.tokens = changes.tokens.unwrap_or(rates.tokens);
    rates.parallel = changes.parallel.unwrap_or(rates.parallel);
    limits.increase = changes.increase.unwrap_or(limits.increase);
    if let Some(wanted) = changes.budgets {
        limits.budgets = wanted
            .into_iter()
            .map(|wanted| budget(ctx, before, wanted))
            .collect();
        // As they are stored and read.
        limits.budgets.sort_by(|a, b| a.name.cmp(&b.name));
    }
    limits
}

/// The budget that is wanted: the one of that name as it is to be, or one that is armed now.
pub(super) fn budget(ctx: &Ctx, before: &Limits, wanted: NewBudget) -> Budget {
    let same = before.budgets.iter().find(|one| one.name == wanted.name);
    Budget {
        id: same.map_or_else(|| ctx.new_id(), |one| one.id),
        armed_at: same.map_or_else(|| ctx.now(), |one| one.armed_at),
        name: wanted.name,
        max: wanted.max,
        soft: wanted.soft,
        window: wanted.window,
        include_past_spend: wanted.include_past_spend,
        increase: wanted.increase,
    }
}

/// Begins to count what is new, and counts anew where another stretch of time counts.
async fn recount(
    ctx: &Ctx,
    tx: &mut Tx,
    subject: Subject,
    before: &Limits,
    after: &Limits,
) -> Result<()> {
    for budget in &after.budgets {
        let since = budget.counts_from(ctx.now());
        let was = before.budgets.iter().find(|one| one.id == budget.id);
        match was {
            // What holds for each member is counted from the first use on.
            None if matches!(subject, Subject::EachMember(_)) => {}
            None => count::begin(tx, after.id, subject, budget, since).await?,
            Some(was)
                if was.window == budget.window
                    && was.include_past_spend == budget.include_past_spend => {}
            Some(_) => count::again(tx, subject, budget, since).await?,
        }
        let is_new_to_all = was.is_none() && !budget.include_past_spend;
        if was != Some(budget) && !is_new_to_all {
            notices::look(tx, budget, since).await?;
        }
    }
    Ok(())
}

pub(super) fn event(subject: Subject, paths: Vec<Path>, before: &Limits, after: &Limits) -> Change {
    let whose = match subject {
        Subject::EachMember(_) => Some("each".to_owned()),
        Subject::Member { user, .. } => Some(Id::new(Kind::User, user).to_string()),
        Subject::ApiKey(_) | Subject::User(_) | Subject::Team(_) => None,
    };
    let mut change = Change::updated(
        "limits.update",
        subject.target(),
        before.snapshot(),
        after.snapshot(),
    );
    for side in [&mut change.before, &mut change.after] {
        if let (Some(whose), Some(side)) = (&whose, side) {
            side["member"] = whose.clone().into();
        }
    }
    change.at(paths)
}
