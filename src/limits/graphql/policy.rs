//! The policy for limits in GraphQL.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};

use super::inputs::BudgetWindowInput;
use super::types::{BudgetWindow, Usd};
use crate::error::Result;
use crate::graphql::input::change;
use crate::graphql::request;
use crate::limits::model::{LimitsChanges, NewBudget};
use crate::limits::ops;
use crate::limits::policy::{self, PolicyChanges, Preset};

/// What holds for all: what new users and new keys have, and what keys have at most.
#[derive(SimpleObject)]
pub struct LimitPolicy {
    /// What new users have where nothing else is said.
    user_defaults: DefaultLimits,
    /// What new keys have where nothing else is said.
    api_key_defaults: DefaultLimits,
    /// What keys have at most that others than administrators make or change.
    api_key_bounds: ApiKeyBounds,
}

/// Limits of what is new. What is null is not limited.
#[derive(SimpleObject)]
pub struct DefaultLimits {
    /// Requests in a minute of the clock.
    requests_per_minute: Option<i64>,
    /// Tokens in a minute of the clock.
    tokens_per_minute: Option<i64>,
    /// Reservations that are open at once.
    max_parallel: Option<i64>,
    /// What may be spent, in the order of names.
    budgets: Vec<DefaultBudget>,
}

/// What keys have at most that others than administrators make or change. What is null has no bound.
#[derive(SimpleObject)]
pub struct ApiKeyBounds {
    /// Requests in a minute of the clock.
    requests_per_minute: Option<i64>,
    /// Tokens in a minute of the clock.
    tokens_per_minute: Option<i64>,
    /// Reservations that are open at once.
    max_parallel: Option<i64>,
    /// Budgets that such a key must have, with these windows, of at most these amounts; in the order of names.
    budgets: Vec<DefaultBudget>,
}

/// A budget of what is new.
#[derive(SimpleObject)]
pub struct DefaultBudget {
    /// The name.
    name: String,
    /// What may be spent in a window.
    max_usd: Usd,
    /// From here on somebody should know; it stops nothing.
    soft_usd: Option<Usd>,
    /// In which stretches of time.
    window: BudgetWindow,
}

/// The policy for limits as it is to be: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateLimitPolicyInput {
    /// What new users have where nothing else is said.
    user_defaults: MaybeUndefined<DefaultLimitsInput>,
    /// What new keys have where nothing else is said.
    api_key_defaults: MaybeUndefined<DefaultLimitsInput>,
    /// What keys have at most that others than administrators make or change.
    api_key_bounds: MaybeUndefined<ApiKeyBoundsInput>,
}

/// Limits of what is new: what is absent stays, null clears.
#[derive(InputObject)]
pub struct DefaultLimitsInput {
    /// Requests in a minute of the clock; 0 allows none.
    requests_per_minute: MaybeUndefined<i32>,
    /// Tokens in a minute of the clock; 0 allows none.
    tokens_per_minute: MaybeUndefined<i32>,
    /// Reservations that are open at once; 0 allows none.
    max_parallel: MaybeUndefined<i32>,
    /// Exactly these budgets afterwards, at most 20.
    budgets: MaybeUndefined<Vec<DefaultBudgetInput>>,
}

/// What keys have at most: what is absent stays, null clears.
#[derive(InputObject)]
pub struct ApiKeyBoundsInput {
    /// Requests in a minute of the clock; 0 allows none.
    requests_per_minute: MaybeUndefined<i32>,
    /// Tokens in a minute of the clock; 0 allows none.
    tokens_per_minute: MaybeUndefined<i32>,
    /// Reservations that are open at once; 0 allows none.
    max_parallel: MaybeUndefined<i32>,
    /// Exactly these budgets afterwards, at most 20: such a key must have one of each name, with this window, of at most this amount.
    budgets: MaybeUndefined<Vec<DefaultBudgetInput>>,
}

/// A budget of what is new.
#[derive(InputObject)]
pub struct DefaultBudgetInput {
    /// The name, 1–64 characters, unique among those beside it.
    name: String,
    /// What may be spent in a window; 0: nothing.
    max_usd: Usd,
    /// From here on somebody should know: it stops nothing; at most `maxUsd`.
    soft_usd: Option<Usd>,
    /// In which stretches of time; left out: one that never ends.
    window: Option<BudgetWindowInput>,
}

/// What `updateLimitPolicy` answers.
#[derive(SimpleObject)]
pub struct UpdateLimitPolicyPayload {
    /// The policy as it is now.
    limit_policy: LimitPolicy,
    /// Whether anything was changed.
    changed: bool,
}

/// The query on the policy.
#[derive(Default)]
pub struct LimitQueries;

#[Object]
impl LimitQueries {
    /// What new users and keys have, and what keys have at most. Needs `limitPolicy.read` at `/`; the bounds of keys are in
    /// `serverInfo` too, for everybody.
    async fn limit_policy(&self, context: &Context<'_>) -> Option<Result<LimitPolicy>> {
        let found = ops::policy(&request(context).ctx).await;
        Some(found.map(|policy| LimitPolicy::of(&policy)))
    }
}

/// The mutation on the policy.
#[derive(Default)]
pub struct LimitPolicyMutations;

#[Object]
impl LimitPolicyMutations {
    /// Says what new users and new keys have of which nothing else is said, and what keys have at most that others than administrators
    /// make or change: what is absent stays, null clears, and budgets are exactly those given. What exists already stays as it is until
    /// it is changed. Declarative: doing it again changes nothing. For administrators of the instance.
    async fn update_limit_policy(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What the policy is to be.")] input: UpdateLimitPolicyInput,
    ) -> Result<UpdateLimitPolicyPayload> {
        let changes = input.read()?;
        let (policy, changed) = ops::update_policy(&request(context).ctx, changes).await?;
        Ok(UpdateLimitPolicyPayload {
            limit_policy: LimitPolicy::of(&policy),
            changed,
        })
    }
}

impl LimitPolicy {
    fn of(policy: &policy::LimitPolicy) -> Self {
        LimitPolicy {
            user_defaults: DefaultLimits::of(&policy.user_defaults),
            api_key_defaults: DefaultLimits::of(&policy.api_key_defaults),
            api_key_bounds: ApiKeyBounds::of(policy),
        }
    }
}

impl DefaultLimits {
    fn of(preset: &Preset) -> Self {
        DefaultLimits {
            requests_per_minute: preset.rates.requests,
            tokens_per_minute: preset.rates.tokens,
            max_parallel: preset.rates.parallel,
            budgets: preset.budgets.iter().map(DefaultBudget::of).collect(),
        }
    }
}

impl ApiKeyBounds {
    /// The bounds of that policy.
    pub fn of(policy: &policy::LimitPolicy) -> Self {
        let bounds = &policy.api_key_bounds;
        ApiKeyBounds {
            requests_per_minute: bounds.rates.requests,
            tokens_per_minute: bounds.rates.tokens,
            max_parallel: bounds.rates.parallel,
            budgets: bounds.budgets.iter().map(DefaultBudget::of).collect(),
        }
    }
}

impl DefaultBudget {
    fn of(budget: &NewBudget) -> Self {
        DefaultBudget {
            name: budget.name.clone(),
            max_usd: budget.max.into(),
            soft_usd: budget.soft.map(Usd::from),
            window: BudgetWindow::of(&budget.window),
        }
    }
}

impl UpdateLimitPolicyInput {
    /// The changes as the operation takes them.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for amounts, zones and windows.
    fn read(self) -> Result<PolicyChanges> {
        let part = |at: &str, part| match part {
            MaybeUndefined::Undefined => Ok(LimitsChanges::default()),
            MaybeUndefined::Null => Ok(cleared()),
            MaybeUndefined::Value(DefaultLimitsInput {
                requests_per_minute: requests,
                tokens_per_minute: tokens,
                max_parallel: parallel,
                budgets,
            }) => changes(at, [requests, tokens, parallel], budgets),
        };
        let bounds = match self.api_key_bounds {
            MaybeUndefined::Undefined => LimitsChanges::default(),
            MaybeUndefined::Null => cleared(),
            MaybeUndefined::Value(ApiKeyBoundsInput {
                requests_per_minute: requests,
                tokens_per_minute: tokens,
                max_parallel: parallel,
                budgets,
            }) => changes("input.apiKeyBounds", [requests, tokens, parallel], budgets)?,
        };
        Ok(PolicyChanges {
            user_defaults: part("input.userDefaults", self.user_defaults)?,
            api_key_defaults: part("input.apiKeyDefaults", self.api_key_defaults)?,
            api_key_bounds: bounds,
        })
    }
}

/// What leaves no limits.
fn cleared() -> LimitsChanges {
    LimitsChanges {
        requests: Some(None),
        tokens: Some(None),
        parallel: Some(None),
        increase: None,
        budgets: Some(Vec::new()),
    }
}

fn changes(
    at: &str,
    rates: [MaybeUndefined<i32>; 3],
    budgets: MaybeUndefined<Vec<DefaultBudgetInput>>,
) -> Result<LimitsChanges> {
    let [requests, tokens, parallel] =
        rates.map(|rate| change(rate).map(|rate| rate.map(i64::from)));
    let read = |(index, budget): (usize, DefaultBudgetInput)| {
        budget.read(&format!("{at}.budgets.{index}"))
    };
    let budgets = change(budgets).map(|list| {
        let list = list.unwrap_or_default().into_iter().enumerate();
        list.map(read).collect::<Result<_>>()
    });
    Ok(LimitsChanges {
        requests,
        tokens,
        parallel,
        increase: None,
        budgets: budgets.transpose()?,
    })
}

impl DefaultBudgetInput {
    fn read(self, at: &str) -> Result<NewBudget> {
        let soft = self
            .soft_usd
            .map(|soft| soft.read(&format!("{at}.softUsd")));
        Ok(NewBudget {
            name: self.name,
            max: self.max_usd.read(&format!("{at}.maxUsd"))?,
            soft: soft.transpose()?,
            window: BudgetWindowInput::read(self.window, at)?,
            include_past_spend: false,
            increase: None,
        })
    }
}
