//! The types `Limits` and `Budget`, and what they hold.

use std::sync::Arc;

use async_graphql::{
    Enum, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value,
};

use crate::error::Result;
use crate::graphql::Request;
use crate::graphql::scalars::Timestamp;
use crate::limits::amount;
use crate::limits::model::{self, Rates, Subject, Used};
use crate::limits::ops::Shown;
use crate::limits::window::{Unit, Window};

/// An amount of US dollars: decimal text such as `"12.50"`, with at most six decimals. Input is from 0 to 1000000000, and may be a number too;
/// sums may be more.
#[derive(Debug, Clone, PartialEq)]
pub struct Usd(serde_json::Value);

/// An amount of US dollars: decimal text such as `"12.50"`, with at most six decimals. Input is from 0 to 1000000000, and may be a number too;
/// sums may be more.
#[Scalar(name = "Usd")]
impl ScalarType for Usd {
    fn parse(value: Value) -> InputValueResult<Self> {
        // What it says is read where the field's name is known.
        let json = value.into_json();
        json.map(Usd)
            .map_err(|_| InputValueError::custom("This is no amount."))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or(Value::Null)
    }
}

impl From<amount::Usd> for Usd {
    fn from(amount: amount::Usd) -> Self {
        Usd(amount.to_string().into())
    }
}

impl Usd {
    /// A sum of amounts, in millionths.
    pub fn sum(micros: i128) -> Self {
        Usd(amount::dollars(micros).into())
    }

    /// What was written, for whoever reads it.
    pub fn into_json(self) -> serde_json::Value {
        self.0
    }

    /// The amount.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field.
    pub(super) fn read(&self, field: &str) -> Result<amount::Usd> {
        amount::Usd::from_json(field, &self.0)
    }
}

/// What the length of a budget's window is counted in.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "Unit")]
pub enum WindowUnit {
    /// 3,600 seconds.
    Hour,
    /// A day of the calendar: 23 or 25 hours when clocks change.
    Day,
    /// Seven days of the calendar.
    Week,
    /// A month of the calendar. From the 31st it begins on the last day of shorter months.
    Month,
    /// A year of the calendar.
    Year,
}

/// How much something or somebody may use. What is null is not limited; 0 allows nothing.
#[derive(SimpleObject, Clone, Default)]
pub struct Limits {
    /// Requests in a minute of the clock.
    requests_per_minute: Option<i64>,
    /// Tokens in a minute of the clock.
    tokens_per_minute: Option<i64>,
    /// Reservations that are open at once.
    max_parallel: Option<i64>,
    /// More than that for a time; null if there is none or it is over.
    increase: Option<LimitIncrease>,
    /// What may be spent, in the order of names. All hold at once.
    budgets: Vec<Budget>,
}

/// More than usual, until a moment. What is null stays as usual.
#[derive(SimpleObject, Clone)]
pub struct LimitIncrease {
    /// Requests in a minute of the clock.
    requests_per_minute: Option<i64>,
    /// Tokens in a minute of the clock.
    tokens_per_minute: Option<i64>,
    /// Reservations that are open at once.
    max_parallel: Option<i64>,
    /// From this moment on, what is usual holds again.
    until: Timestamp,
}

/// What may be spent in each window.
#[derive(SimpleObject, Clone)]
pub struct Budget {
    /// The name, unique among those of its subject.
    name: String,
    /// What may be spent in a window.
    max_usd: Usd,
    /// From here on somebody should know; it stops nothing.
    soft_usd: Option<Usd>,
    /// In which stretches of time.
    window: BudgetWindow,
    /// Whether what was spent before it was armed counts.
    include_past_spend: bool,
    /// When it was armed: what was spent earlier does not count, unless it is included.
    armed_at: Timestamp,
    /// More for a time; null if there is none or it is over.
    increase: Option<BudgetIncrease>,
    /// What was spent in the present window.
    spent: Usd,
    /// What is reserved in it and not settled yet.
    reserved: Usd,
    /// What may still be reserved in it.
    remaining: Usd,
    /// When the next window begins; null for a lifetime.
    resets_at: Option<Timestamp>,
}

/// More than the usual amount, until a moment.
#[derive(SimpleObject, Clone)]
pub struct BudgetIncrease {
    /// What may be spent in a window meanwhile.
    max_usd: Usd,
    /// From this moment on, the usual amount holds again.
    until: Timestamp,
}

/// In which stretches of time a budget counts.
#[derive(SimpleObject, Clone)]
pub struct BudgetWindow {
    /// One after the other; null: one that never ends.
    every: Option<BudgetWindowEvery>,
}

/// Windows that follow one another by a calendar.
#[derive(SimpleObject, Clone)]
pub struct BudgetWindowEvery {
    /// How many units a window has.
    count: i32,
    /// What they are.
    unit: WindowUnit,
    /// The beginning of one of the windows.
    anchor: Timestamp,
    /// The zone whose calendar counts, by its name in the IANA database.
    time_zone: String,
}

/// The limits of a subject whom the actor may see.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn limits_of(request: &Request, subject: Subject) -> Result<Limits> {
    let found = request.loaders.limits.load(subject).await?;
    Ok(found.map(Limits::of).unwrap_or_default())
}

impl Limits {
    /// What is shown.
    pub(super) fn of(shown: Arc<Shown>) -> Self {
        let Rates {
            requests,
            tokens,
            parallel,
        } = shown.rates;
        Limits {
            requests_per_minute: requests,
            tokens_per_minute: tokens,
            max_parallel: parallel,
            increase: shown.increase.map(|increase| LimitIncrease {
                requests_per_minute: increase.rates.requests,
                tokens_per_minute: increase.rates.tokens,
                max_parallel: increase.rates.parallel,
                until: increase.until.into(),
            }),
            budgets: shown.budgets.iter().map(Budget::of).collect(),
        }
    }
}

impl BudgetWindow {
    /// What is shown of a window.
    pub(super) fn of(window: &Window) -> Self {
        let every = match window {
            Window::Lifetime => None,
            Window::Every(every) => Some(BudgetWindowEvery {
                count: every.count(),
                unit: every.unit().into(),
                anchor: every.anchor().into(),
                time_zone: every.zone().name().to_owned(),
            }),
        };
        BudgetWindow { every }
    }
}

impl Budget {
    fn of((budget, used): &(model::Budget, Used)) -> Self {
        Budget {
            name: budget.name.clone(),
            max_usd: budget.max.into(),
            soft_usd: budget.soft.map(Usd::from),
            window: BudgetWindow::of(&budget.window),
            include_past_spend: budget.include_past_spend,
            armed_at: budget.armed_at.into(),
            increase: budget.increase.map(|(max, until)| BudgetIncrease {
                max_usd: max.into(),
                until: until.into(),
            }),
            spent: used.spent.into(),
            reserved: used.reserved.into(),
            remaining: used.remaining.into(),
            resets_at: used.window.end.map(Timestamp),
        }
    }
}
