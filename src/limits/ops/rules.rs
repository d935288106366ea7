//! What limits must be like.

use chrono::{DateTime, Utc};

use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::limits::model::{Increase, LimitsChanges, NewBudget, Rates};
use crate::text;

/// Budgets of one subject at most.
pub const MAX_BUDGETS: usize = 20;

/// The changes, if they keep the rules. `at` is the path of the input; `for_each`: they are for each member of a team.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field.
pub fn valid(
    ctx: &Ctx,
    at: &str,
    for_each: bool,
    mut changes: LimitsChanges,
) -> Result<LimitsChanges> {
    for (field, rate) in [
        ("requestsPerMinute", changes.requests),
        ("tokensPerMinute", changes.tokens),
        ("maxParallel", changes.parallel),
    ] {
        not_negative(&format!("{at}.{field}"), rate.flatten())?;
    }
    if let Some(Some(increase)) = changes.increase {
        let Increase { rates, until } = increase;
        for (field, rate) in [
            ("requestsPerMinute", rates.requests),
            ("tokensPerMinute", rates.tokens),
            ("maxParallel", rates.parallel),
        ] {
            not_negative(&format!("{at}.increase.{field}"), rate)?;
        }
        if rates == Rates::default() {
            return Err(Error::bad_input(
                format!("{at}.increase"),
                format!(
                    "{at}.increase raises nothing. Give requestsPerMinute, tokensPerMinute or maxParallel, or null to end an increase."
                ),
            ));
        }
        to_come(ctx, &format!("{at}.increase.until"), until)?;
    }
    if let Some(budgets) = &mut changes.budgets {
        valid_budgets(ctx, at, for_each, budgets)?;
    }
    Ok(changes)
}

fn valid_budgets(ctx: &Ctx, at: &str, for_each: bool, budgets: &mut [NewBudget]) -> Result<()> {
    if budgets.len() > MAX_BUDGETS {
        return Err(Error::bad_input(
            format!("{at}.budgets"),
            format!(
                "{at}.budgets has {} elements. There are at most {MAX_BUDGETS} budgets.",
                budgets.len()
            ),
        ));
    }
    for index in 0..budgets.len() {
        let field = |part: &str| format!("{at}.budgets.{index}.{part}");
        let (earlier, rest) = budgets.split_at_mut(index);
        let Some(budget) = rest.first_mut() else {
            break;
        };
        budget.name = text::line(&field("name"), &budget.name, 64)?;
        if earlier.iter().any(|other| other.name == budget.name) {
            return Err(Error::bad_input(
                field("name"),
                format!(
                    "{} is the name of an earlier budget too. Each has a name of its own.",
                    field("name")
                ),
            ));
        }
        if let Some(soft) = budget.soft.filter(|soft| *soft > budget.max) {
            return Err(Error::bad_input(
                field("softUsd"),
                format!(
                    "{} is {soft}, more than maxUsd, which is {}. Give less, or leave it out.",
                    field("softUsd"),
                    budget.max
                ),
            ));
        }
        if let Some((more, until)) = budget.increase {
            if more <= budget.max {
                return Err(Error::bad_input(
                    field("increase.maxUsd"),
                    format!(
                        "{} is {more}, which is no more than the usual {}. Give what holds meanwhile, or null to end an increase.",
                        field("increase.maxUsd"),
                        budget.max
                    ),
                ));
            }
            to_come(ctx, &field("increase.until"), until)?;
        }
        if budget.include_past_spend && for_each {
            return Err(Error::bad_input(
                field("includePastSpend"),
                format!(
                    "{} is for one subject. What holds for each member of a team counts from its arming.",
                    field("includePastSpend")
                ),
            ));
        }
    }
    Ok(())
}

fn not_negative(field: &str, value: Option<i64>) -> Result<()> {
    match value.filter(|value| *value < 0) {
        None => Ok(()),
        Some(value) => Err(Error::bad_input(
            field,
            format!("{field} is {value}. Give 0 or more: 0 allows nothing, null lifts the limit."),
        )),
    }
}

fn to_come(ctx: &Ctx, field: &str, until: DateTime<Utc>) -> Result<()> {
    if until > ctx.now() {
        return Ok(());
    }
    Err(Error::bad_input(
        field,
        format!("{field} is over already. Give a moment to come."),
    ))
}
