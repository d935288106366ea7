//! The policy for limits: what new users and new keys have of which nothing else is said, and what keys have at most that are made or changed
//! by others than administrators.

use serde_json::{Value, json};

use super::model::{LimitsChanges, NewBudget, Rates};

/// Limits that are not yet anybody's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preset {
    /// By the minute, and at once.
    pub rates: Rates,
    /// Budgets, in the order of their names.
    pub budgets: Vec<NewBudget>,
}

/// What holds for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitPolicy {
    /// What new users have where nothing else is said.
    pub user_defaults: Preset,
    /// What new keys have where nothing else is said.
    pub api_key_defaults: Preset,
    /// What keys have at most that others than administrators make or change. A budget here must be among theirs, by its name and with its
    /// window.
    pub api_key_bounds: Preset,
}

/// Changes to the policy; of each part what is absent stays, and inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct PolicyChanges {
    /// See [`LimitPolicy::user_defaults`].
    pub user_defaults: LimitsChanges,
    /// See [`LimitPolicy::api_key_defaults`].
    pub api_key_defaults: LimitsChanges,
    /// See [`LimitPolicy::api_key_bounds`].
    pub api_key_bounds: LimitsChanges,
}

impl Preset {
    /// What it is after these changes. Limits that are nobody's have no increase.
    fn changed(&self, changes: &LimitsChanges) -> Preset {
        let rates = &self.rates;
        let mut budgets = changes
            .budgets
            .clone()
            .unwrap_or_else(|| self.budgets.clone());
        budgets.sort_by(|a, b| a.name.cmp(&b.name));
        Preset {
            rates: Rates {
                requests: changes.requests.unwrap_or(rates.requests),
                tokens: changes.tokens.unwrap_or(rates.tokens),
                parallel: changes.parallel.unwrap_or(rates.parallel),
            },
            budgets,
        }
    }

    fn snapshot(&self) -> Value {
        json!({
            "requestsPerMinute": self.rates.requests, "tokensPerMinute": self.rates.tokens, "maxParallel": self.rates.parallel,
            "budgets": self.budgets.iter().map(told).collect::<Vec<_>>(),
        })
    }
}

fn told(budget: &NewBudget) -> Value {
    json!({
        "name": budget.name, "maxUsd": budget.max.to_string(), "softUsd": budget.soft.map(|soft| soft.to_string()),
        "window": budget.window.snapshot(),
    })
}

impl LimitPolicy {
    /// What it is after these changes.
    pub fn changed(&self, changes: &PolicyChanges) -> LimitPolicy {
        LimitPolicy {
            user_defaults: self.user_defaults.changed(&changes.user_defaults),
            api_key_defaults: self.api_key_defaults.changed(&changes.api_key_defaults),
            api_key_bounds: self.api_key_bounds.changed(&changes.api_key_bounds),
        }
    }

    /// What the audit trail keeps of it.
    pub fn snapshot(&self) -> Value {
        json!({
            "userDefaults": self.user_defaults.snapshot(), "apiKeyDefaults": self.api_key_defaults.snapshot(),
            "apiKeyBounds": self.api_key_bounds.snapshot(),
        })
    }
}
