//! Inputs of the mutation on limits.

use async_graphql::{ID, InputObject, MaybeUndefined, OneofObject};

use super::types::{Usd, WindowUnit};
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::input::change;
use crate::graphql::scalars::Timestamp;
use crate::limits::model::{Increase, LimitsChanges, NewBudget, Rates, Subject};
use crate::limits::window::{Every, Window, Zone};

/// Names whose limits they are, in one way.
#[derive(OneofObject)]
pub enum LimitedBy {
    /// An API key, by id.
    ApiKey(ID),
    /// A user, by id: all that its keys use together.
    User(ID),
    /// A team, by id: all that its keys, and those of the teams below it, use together.
    Team(ID),
    /// One member within a team, with the team's keys: what is said of it holds instead of what holds for each.
    Member(LimitedMemberInput),
    /// Each member of this team, by itself, with the team's keys.
    EachMemberOf(ID),
}

/// Names a member of a team.
#[derive(InputObject)]
pub struct LimitedMemberInput {
    /// The team's id.
    team: ID,
    /// The user's id.
    user: ID,
}

impl LimitedBy {
    fn read(self) -> Result<Subject> {
        const AT: &str = "input.subject";
        let id = |kind: Kind, name: &str, id: ID| Id::parse_as(kind, &format!("{AT}.{name}"), &id);
        Ok(match self {
            LimitedBy::ApiKey(key) => Subject::ApiKey(id(Kind::ApiKey, "apiKey", key)?),
            LimitedBy::User(user) => Subject::User(id(Kind::User, "user", user)?),
            LimitedBy::Team(team) => Subject::Team(id(Kind::Team, "team", team)?),
            LimitedBy::Member(member) => Subject::Member {
                team: id(Kind::Team, "member.team", member.team)?,
                user: id(Kind::User, "member.user", member.user)?,
            },
            LimitedBy::EachMemberOf(team) => {
                Subject::EachMember(id(Kind::Team, "eachMemberOf", team)?)
            }
        })
    }
}

/// Limits as they are to be: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateLimitsInput {
    /// Whose.
    subject: LimitedBy,
    /// Requests in a minute of the clock; 0 allows none.
    requests_per_minute: MaybeUndefined<i32>,
    /// Tokens in a minute of the clock; 0 allows none.
    tokens_per_minute: MaybeUndefined<i32>,
    /// Reservations that are open at once; 0 allows none.
    max_parallel: MaybeUndefined<i32>,
    /// More than that until a moment.
    increase: MaybeUndefined<LimitIncreaseInput>,
    /// Exactly these budgets afterwards, at most 20. One whose name is new is armed now; one that keeps its name keeps what was spent.
    budgets: MaybeUndefined<Vec<BudgetInput>>,
}

/// Limits of something that is being made. What is left out is as the policy for limits says; null: no limit.
#[derive(InputObject)]
pub struct NewLimitsInput {
    /// Requests in a minute of the clock; 0 allows none.
    requests_per_minute: MaybeUndefined<i32>,
    /// Tokens in a minute of the clock; 0 allows none.
    tokens_per_minute: MaybeUndefined<i32>,
    /// Reservations that are open at once; 0 allows none.
    max_parallel: MaybeUndefined<i32>,
    /// What may be spent, at most 20 budgets.
    budgets: MaybeUndefined<Vec<BudgetInput>>,
}

/// More than usual, until a moment. What is left out stays as usual.
#[derive(InputObject)]
pub struct LimitIncreaseInput {
    /// Requests in a minute of the clock.
    requests_per_minute: Option<i32>,
    /// Tokens in a minute of the clock.
    tokens_per_minute: Option<i32>,
    /// Reservations that are open at once.
    max_parallel: Option<i32>,
    /// From this moment on, what is usual holds again.
    until: Timestamp,
}

/// What may be spent in each window.
#[derive(InputObject)]
pub struct BudgetInput {
    /// The name, 1–64 characters, unique among those of the subject.
    name: String,
    /// What may be spent in a window; 0: nothing.
    max_usd: Usd,
    /// From here on somebody should know: it stops nothing; at most `maxUsd`.
    soft_usd: Option<Usd>,
    /// In which stretches of time; left out: one that never ends.
    window: Option<BudgetWindowInput>,
    /// Whether what was spent before it was armed counts.
    #[graphql(default)]
    include_past_spend: bool,
    /// More until a moment.
    increase: Option<BudgetIncreaseInput>,
}

/// In which stretches of time a budget counts.
#[derive(InputObject)]
pub struct BudgetWindowInput {
    /// One after the other; left out: one that never ends.
    every: Option<BudgetWindowEveryInput>,
}

/// Windows that follow one another by a calendar, from the anchor in both directions.
#[derive(InputObject)]
pub struct BudgetWindowEveryInput {
    /// How many units a window has; it is at most ten years long.
    #[graphql(default = 1)]
    count: i32,
    /// What they are.
    unit: WindowUnit,
    /// The beginning of one of the windows, between 1970 and 2199.
    anchor: Timestamp,
    /// The zone whose calendar counts, by its name in the IANA database.
    #[graphql(default = "UTC")]
    time_zone: String,
}

/// More than the usual amount, until a moment.
#[derive(InputObject)]
pub struct BudgetIncreaseInput {
    /// What may be spent in a window meanwhile.
    max_usd: Usd,
    /// From this moment on, the usual amount holds again.
    until: Timestamp,
}

impl UpdateLimitsInput {
    /// Whose limits, and the changes as the operation takes them.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for ids of another kind, amounts, zones and windows.
    pub fn read(self) -> Result<(Subject, LimitsChanges)> {
        let limits = NewLimitsInput {
            requests_per_minute: self.requests_per_minute,
            tokens_per_minute: self.tokens_per_minute,
            max_parallel: self.max_parallel,
            budgets: self.budgets,
        };
        let changes = LimitsChanges {
            increase: change(self.increase).map(|increase| increase.map(LimitIncreaseInput::read)),
            ..limits.read("input")?
        };
        Ok((self.subject.read()?, changes))
    }
}

impl NewLimitsInput {
    /// The limits as operations take them; `at` is the path of this input.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for amounts, zones and windows.
    pub fn read(self, at: &str) -> Result<LimitsChanges> {
        let wide = |value: MaybeUndefined<i32>| change(value).map(|value| value.map(i64::from));
        let read =
            |(index, budget): (usize, BudgetInput)| budget.read(&format!("{at}.budgets.{index}"));
        let budgets = change(self.budgets).map(|list| {
            let list = list.unwrap_or_default().into_iter().enumerate();
            list.map(read).collect::<Result<_>>()
        });
        Ok(LimitsChanges {
            requests: wide(self.requests_per_minute),
            tokens: wide(self.tokens_per_minute),
            parallel: wide(self.max_parallel),
            increase: None,
            budgets: budgets.transpose()?,
        })
    }
}

impl BudgetWindowInput {
    /// The window; `at` is the path of what it is in.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for zones and windows.
    pub(super) fn read(input: Option<Self>, at: &str) -> Result<Window> {
        let Some(every) = input.and_then(|window| window.every) else {
            return Ok(Window::Lifetime);
        };
        let at = format!("{at}.window.every");
        let zone = Zone::parse(&format!("{at}.timeZone"), &every.time_zone)?;
        let unit = every.unit.into();
        let every = Every::new(&at, every.count, unit, every.anchor.0, zone)?;
        Ok(Window::Every(every))
    }
}

impl LimitIncreaseInput {
    fn read(self) -> Increase {
        Increase {
            rates: Rates {
                requests: self.requests_per_minute.map(i64::from),
                tokens: self.tokens_per_minute.map(i64::from),
                parallel: self.max_parallel.map(i64::from),
            },
            until: self.until.0,
        }
    }
}

impl BudgetInput {
    fn read(self, at: &str) -> Result<NewBudget> {
        let increase = |increase: BudgetIncreaseInput| -> Result<_> {
            let max = increase.max_usd.read(&format!("{at}.increase.maxUsd"))?;
            Ok((max, increase.until.0))
        };
        let window = BudgetWindowInput::read(self.window, at)?;
        Ok(NewBudget {
            name: self.name,
            max: self.max_usd.read(&format!("{at}.maxUsd"))?,
            soft: self
                .soft_usd
                .map(|soft| soft.read(&format!("{at}.softUsd")))
                .transpose()?,
            window,
            include_past_spend: self.include_past_spend,
            increase: self.increase.map(increase).transpose()?,
        })
    }
}
