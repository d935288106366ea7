//! Rows and values of limits.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::amount::Usd;
use super::window::{Stretch, Window};
use crate::db::ids::{Id, Kind};

/// Whose limits they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An API key's.
    ApiKey(Uuid),
    /// A user's: all that its keys use together.
    User(Uuid),
    /// A team's: all that its keys, and those of the teams below it, use together.
    Team(Uuid),
    /// Each member's of that team, by itself, with the team's keys.
    EachMember(Uuid),
    /// One member's, with the team's keys: what is said here holds instead of what holds for each.
    Member {
        /// The team.
        team: Uuid,
        /// The member.
        user: Uuid,
    },
}

impl Subject {
    /// One word for it, by which rows are found.
    pub fn word(&self) -> String {
        match self {
            Subject::ApiKey(id) => format!("key {id}"),
            Subject::User(id) => format!("user {id}"),
            Subject::Team(id) => format!("team {id}"),
            Subject::EachMember(id) => format!("each {id}"),
            Subject::Member { team, user } => format!("member {team} {user}"),
        }
    }

    /// The member, of limits of one; `each` of limits for each.
    pub fn member_of(&self, each: Option<Uuid>) -> Option<Uuid> {
        match *self {
            Subject::Member { user, .. } => Some(user),
            Subject::EachMember(_) => each,
            Subject::ApiKey(_) | Subject::User(_) | Subject::Team(_) => None,
        }
    }

    /// What the audit trail names as the target: of members their team.
    pub fn target(&self) -> Id {
        match *self {
            Subject::ApiKey(id) => Id::new(Kind::ApiKey, id),
            Subject::User(id) => Id::new(Kind::User, id),
            Subject::Team(id) | Subject::EachMember(id) | Subject::Member { team: id, .. } => {
                Id::new(Kind::Team, id)
            }
        }
    }
}

/// What is limited by the minute, and how many reservations may be open. `None`: not limited; 0: nothing is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Requests in a minute of the clock.
    pub requests: Option<i64>,
    /// Tokens in a minute of the clock.
    pub tokens: Option<i64>,
    /// Reservations that are open at once.
    pub parallel: Option<i64>,
}

impl Rates {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Rates::default()
    }
}

/// More than usual, until a moment. What is `None` stays as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Increase {
    /// What holds meanwhile, where it is more than usual.
    pub rates: Rates,
    /// From this moment on, what is usual holds again.
    pub until: DateTime<Utc>,
}

/// The limits of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The primary key.
    pub id: Uuid,
    /// By the minute, and at once.
    pub rates: Rates,
    /// More of them for a time.
    pub increase: Option<Increase>,
    /// Amounts of money, by their names.
    pub budgets: Vec<Budget>,
}

/// An amount of money that may be spent in each window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The primary key.
    pub id: Uuid,
    /// The name, unique among the subject's.
    pub name: String,
    /// What may be spent; 0: nothing.
    pub max: Usd,
    /// From here on somebody should know; it stops nothing.
    pub soft: Option<Usd>,
    /// In which stretch of time.
    pub window: Window,
    /// Whether what was spent before it was armed counts.
    pub include_past_spend: bool,
    /// When it was armed.
    pub armed_at: DateTime<Utc>,
    /// More for a time: how much, and until when.
    pub increase: Option<(Usd, DateTime<Utc>)>,
}

impl Limits {
    /// No limits.
    pub fn none(id: Uuid) -> Self {
        Limits {
            id,
            rates: Rates::default(),
            increase: None,
            budgets: Vec::new(),
        }
    }

    /// What holds at that moment.
    pub fn rates_at(&self, now: DateTime<Utc>) -> Rates {
        let raised = self.increase.filter(|increase| now < increase.until);
        let raised = raised.map(|increase| increase.rates).unwrap_or_default();
        // Where nothing is limited, there is nothing to raise.
        let more = |usual: Option<i64>, raised: Option<i64>| {
            usual.map(|usual| raised.unwrap_or(0).max(usual))
        };
        Rates {
            requests: more(self.rates.requests, raised.requests),
            tokens: more(self.rates.tokens, raised.tokens),
            parallel: more(self.rates.parallel, raised.parallel),
        }
    }

    /// What the audit trail keeps of them.
    pub fn snapshot(&self) -> Value {
        let increase = self.increase.map(|increase| {
            let Rates { requests, tokens, parallel } = increase.rates;
            json!({"requestsPerMinute": requests, "tokensPerMinute": tokens, "maxParallel": parallel, "until": increase.until})
        });
        json!({
            "requestsPerMinute": self.rates.requests, "tokensPerMinute": self.rates.tokens, "maxParallel": self.rates.parallel,
            "increase": increase, "budgets": self.budgets.iter().map(Budget::snapshot).collect::<Vec<_>>(),
        })
    }
}

impl Budget {
    /// What may be spent at that moment.
    pub fn max_at(&self, now: DateTime<Utc>) -> Usd {
        match self.increase {
            Some((more, until)) if now < until => more.max(self.max),
            _ => self.max,
        }
    }

    /// From when on spending counts in the window that contains `now`: its beginning, or the arming.
    pub fn counts_from(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let start = self.window.at(now).start.unwrap_or(DateTime::UNIX_EPOCH);
        if self.include_past_spend {
            start
        } else {
            start.max(self.armed_at)
        }
    }

    /// What the audit trail keeps of it.
    pub fn snapshot(&self) -> Value {
        let increase = self
            .increase
            .map(|(max, until)| json!({"maxUsd": max.to_string(), "until": until}));
        json!({
            "name": self.name, "maxUsd": self.max.to_string(), "softUsd": self.soft.map(|soft| soft.to_string()),
            "window": self.window.snapshot(), "includePastSpend": self.include_past_spend, "increase": increase,
        })
    }
}

/// Changes to the limits of a subject. Outer `None` keeps; inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct LimitsChanges {
    /// See [`Rates::requests`].
    pub requests: Option<Option<i64>>,
    /// See [`Rates::tokens`].
    pub tokens: Option<Option<i64>>,
    /// See [`Rates::parallel`].
    pub parallel: Option<Option<i64>>,
    /// See [`Limits::increase`].
    pub increase: Option<Option<Increase>>,
    /// Exactly these afterwards.
    pub budgets: Option<Vec<NewBudget>>,
}

/// A budget that is wanted: one of that name is changed, or armed now if there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBudget {
    /// See [`Budget::name`].
    pub name: String,
    /// See [`Budget::max`].
    pub max: Usd,
    /// See [`Budget::soft`].
    pub soft: Option<Usd>,
    /// See [`Budget::window`].
    pub window: Window,
    /// See [`Budget::include_past_spend`].
    pub include_past_spend: bool,
    /// See [`Budget::increase`].
    pub increase: Option<(Usd, DateTime<Utc>)>,
}

/// What is used of one limit or budget, as it was counted last.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Counter {
    /// The primary key.
    pub id: Uuid,
    /// The budget; `None`: of what is limited by the minute.
    pub budget_id: Option<Uuid>,
    /// Of a limit for each member: whose.
    pub user_id: Option<Uuid>,
    /// Of a budget: what was spent from this moment on.
    pub since: DateTime<Utc>,
    /// Micro-dollars.
    pub spent: i64,
    /// Micro-dollars.
    pub reserved: i64,
    /// The minute that is counted.
    pub minute: DateTime<Utc>,
    /// Requests in it.
    pub requests: i64,
    /// Tokens in it.
    pub tokens: i64,
    /// Open reservations.
    pub parallel: i64,
}

/// A reservation that has run out and was not settled: it counts no more as one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Lapsed {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Where.
    pub counters: Vec<Uuid>,
    /// Micro-dollars.
    pub micros: i64,
}

/// What was reached of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// From here on somebody should know.
    Soft(Usd),
    /// Nothing is left.
    Max(Usd),
}

impl Reached {
    /// Whether nothing is left.
    pub fn is_max(&self) -> bool {
        matches!(self, Reached::Max(_))
    }
}

/// A budget of which an amount was spent, to be told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whose budget it is.
    pub subject: Subject,
    /// The member, of limits of one or for each.
    pub member: Option<Uuid>,
    /// Of a key: its owner, and the team it was made for.
    pub key_of: Option<(Uuid, Option<Uuid>)>,
    /// The budget as it is now.
    pub budget: Budget,
    /// A moment in the window that it was spent in.
    pub since: DateTime<Utc>,
    /// What was reached.
    pub reached: Reached,
    /// What was spent in that window; at least what was reached, if another has begun since.
    pub spent: Usd,
}

/// What becomes of reservations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long one stands without being settled.
    pub lifetime: TimeDelta,
    /// Whether one that has run out is charged; else it is released.
    pub charging: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Terms {
            lifetime: TimeDelta::seconds(60),
            charging: true,
        }
    }
}

/// The limits of a subject with what is used of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The limits.
    pub limits: Limits,
    /// What is used: of those that were used at all.
    pub counters: Vec<Counter>,
    /// What has run out since it was counted, of anybody.
    pub lapsed: Vec<Lapsed>,
}

/// What is used of a budget in the window that contains a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// What was spent.
    pub spent: Usd,
    /// What is reserved and not settled yet.
    pub reserved: Usd,
    /// What may still be reserved.
    pub remaining: Usd,
    /// The window.
    pub window: Stretch,
}

impl Held {
    /// What is used of a budget at that moment, by the member where it is one for each; what has run out is charged or released.
    pub fn used(
        &self,
        budget: &Budget,
        member: Option<Uuid>,
        now: DateTime<Utc>,
        charging: bool,
    ) -> Used {
        let counts_from = budget.counts_from(now);
        let is_its = |counter: &&Counter| {
            counter.budget_id == Some(budget.id)
                && (counter.user_id.is_none() || counter.user_id == member)
        };
        // One that was counted in an earlier window says nothing of this one.
        let counter = self.counters.iter().find(is_its);
        let counter = counter.filter(|counter| counter.since >= counts_from);
        let (mut spent, mut reserved) = (0, 0);
        if let Some(counter) = counter {
            let its = |one: &&Lapsed| one.at >= counter.since && one.counters.contains(&counter.id);
            let over: i64 = self.lapsed.iter().filter(its).map(|one| one.micros).sum();
            spent = counter.spent + if charging { over } else { 0 };
            reserved = counter.reserved - over;
        }
        let left = budget.max_at(now).micros() - spent - reserved;
        Used {
            spent: Usd::from_micros(spent),
            reserved: Usd::from_micros(reserved),
            remaining: Usd::from_micros(left.max(0)),
            window: budget.window.at(now),
        }
    }
}
