//! What keys have at most that others than administrators make or change.

use super::update::budget;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::limits::model::{Budget, Limits, LimitsChanges, NewBudget, Rates};
use crate::limits::policy::Preset;
use crate::limits::window::Window;

/// What somebody wants to be the limits of a key.
pub(super) struct Wish<'a> {
    /// The path of the input that says so.
    pub at: &'a str,
    /// What it says.
    pub given: &'a LimitsChanges,
    /// The limits as they were; `None` of a key that is being made.
    pub before: Option<&'a Limits>,
    /// The limits as they would be.
    pub after: Limits,
}

impl Wish<'_> {
    /// The limits as they may be: what is more than the bound is refused, and what is left out of a key that is being made, or out of a
    /// list of budgets, gets the bound. What a change leaves as it was stays, also if it is more: an administrator has allowed it, or it is
    /// older than the bound.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field, the value and the bound.
    pub fn within(mut self, ctx: &Ctx, bounds: &Preset) -> Result<Limits> {
        let was = self.before.map(|before| before.rates);
        let (is, given, most) = (self.after.rates, self.given, bounds.rates);
        self.after.rates = Rates {
            requests: self.rate(
                "requestsPerMinute",
                given.requests,
                was.map(|was| was.requests),
                (is.requests, most.requests),
            )?,
            tokens: self.rate(
                "tokensPerMinute",
                given.tokens,
                was.map(|was| was.tokens),
                (is.tokens, most.tokens),
            )?,
            parallel: self.rate(
                "maxParallel",
                given.parallel,
                was.map(|was| was.parallel),
                (is.parallel, most.parallel),
            )?,
        };
        self.increase(most)?;
        if self.before.is_none() || given.budgets.is_some() {
            for bound in &bounds.budgets {
                self.budget(ctx, bound)?;
            }
            self.after.budgets.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(self.after)
    }

    fn rate(
        &self,
        name: &str,
        given: Option<Option<i64>>,
        was: Option<Option<i64>>,
        (is, bound): (Option<i64>, Option<i64>),
    ) -> Result<Option<i64>> {
        let Some(bound) = bound else {
            return Ok(is);
        };
        let is_kept = was.is_some_and(|was| was == is);
        match (is, given) {
            (Some(value), _) if value <= bound => Ok(is),
            _ if is_kept => Ok(is),
            (Some(value), Some(_)) => Err(self.refused(name, &value.to_string(), &bound)),
            (None, Some(_)) => Err(self.refused(name, "null, which is no limit", &bound)),
            // Nobody has asked for more: the default is.
            (_, None) => Ok(Some(bound)),
        }
    }

    fn increase(&self, most: Rates) -> Result<()> {
        let was = self.before.and_then(|before| before.increase);
        let Some(increase) = self.after.increase.filter(|is| was != Some(*is)) else {
            return Ok(());
        };
        let raised = increase.rates;
        for (name, raised, bound) in [
            ("requestsPerMinute", raised.requests, most.requests),
            ("tokensPerMinute", raised.tokens, most.tokens),
            ("maxParallel", raised.parallel, most.parallel),
        ] {
            if let (Some(raised), Some(bound)) = (raised, bound)
                && raised > bound
            {
                return Err(self.refused(&format!("increase.{name}"), &raised.to_string(), &bound));
            }
        }
        Ok(())
    }

    /// Sees to the budget of that name.
    fn budget(&mut self, ctx: &Ctx, bound: &NewBudget) -> Result<()> {
        let place = self
            .after
            .budgets
            .iter()
            .position(|one| one.name == bound.name);
        let was = self.before.map_or(&[][..], |before| &before.budgets);
        let was = was.iter().find(|one| one.name == bound.name);
        let Some(place) = place else {
            // One that is left out keeps what was spent.
            let none = Limits::none(self.after.id);
            let budget = budget(ctx, self.before.unwrap_or(&none), bound.clone());
            self.after.budgets.push(budget);
            return Ok(());
        };
        let is = &self.after.budgets[place];
        if was == Some(is) {
            return Ok(());
        }
        let Some((part, value, most)) = exceeding(is, bound) else {
            return Ok(());
        };
        let given = self.given.budgets.as_deref().unwrap_or_default();
        match given.iter().position(|one| one.name == bound.name) {
            Some(index) => Err(self.refused(&format!("budgets.{index}.{part}"), &value, &most)),
            // The default is more.
            None => {
                let kept = self.after.clone();
                self.after.budgets[place] = budget(ctx, &kept, bound.clone());
                Ok(())
            }
        }
    }

    fn refused(&self, part: &str, value: &str, bound: &dyn std::fmt::Display) -> Error {
        let field = format!("{}.{part}", self.at);
        let most = if part.ends_with("window") {
            ""
        } else {
            "at most "
        };
        let message = format!(
            "{field} is {value}. Of keys that others than administrators make or change it is {most}{bound}."
        );
        Error::bad_input(field, message)
    }
}

/// In what a budget is more than the bound of its name: where, how much, and what the bound is.
fn exceeding(is: &Budget, bound: &NewBudget) -> Option<(&'static str, String, String)> {
    if is.window != bound.window {
        return Some(("window", told(&is.window), told(&bound.window)));
    }
    if is.max > bound.max {
        return Some(("maxUsd", is.max.to_string(), bound.max.to_string()));
    }
    let raised = is.increase.map(|(max, _)| max);
    raised
        .filter(|max| *max > bound.max)
        .map(|max| ("increase.maxUsd", max.to_string(), bound.max.to_string()))
}

fn told(window: &Window) -> String {
    match window {
        Window::Lifetime => "a lifetime".into(),
        Window::Every(every) => format!(
            "every {} {} from {} in {}",
            every.count(),
            every.unit().as_str(),
            every
                .anchor()
                .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
            every.zone().name()
        ),
    }
}
