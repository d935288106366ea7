//! What a request costs, as `/v1/verify` and `/v1/settle` are told it, and what is answered of the limits that apply.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::{Member, Wanted};
use super::wire::More;
use crate::authn::verify::{Outcome, Question, Verdict};
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::http::Server;
use crate::limits::amount::{self, MAX_REQUESTS, MAX_TOKENS, Usd};
use crate::limits::ops::{Cost, Reserved, State, What, Who};

/// The members of a cost.
pub const COST: &[Member] = &[
    Member {
        name: "requests",
        wanted: Wanted::Any,
    },
    Member {
        name: "tokens",
        wanted: Wanted::Any,
    },
    Member {
        name: "usd",
        wanted: Wanted::Any,
    },
];

/// A cost as it was sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    requests: Option<Value>,
    tokens: Option<Value>,
    usd: Option<Value>,
}

/// A cost as it was read: what was not told is `None`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Read {
    /// Requests.
    pub requests: Option<i64>,
    /// Tokens.
    pub tokens: Option<i64>,
    /// Micro-dollars.
    pub micros: Option<i64>,
}

impl Told {
    /// Reads it. `within` stands before the fields' names in errors.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field.
    pub fn read(&self, within: &str) -> Result<Read> {
        let field = |name: &str| format!("{within}cost.{name}");
        let usd = self
            .usd
            .as_ref()
            .map(|value| amount::cost(&field("usd"), value));
        Ok(Read {
            requests: amount::whole(&field("requests"), self.requests.as_ref(), MAX_REQUESTS)?,
            tokens: amount::whole(&field("tokens"), self.tokens.as_ref(), MAX_TOKENS)?,
            micros: usd.transpose()?,
        })
    }
}

impl Read {
    /// What is to be reserved: one request, unless it says otherwise.
    pub fn expected(self) -> Cost {
        Cost {
            requests: self.requests.unwrap_or(1),
            tokens: self.tokens.unwrap_or(0),
            micros: self.micros.unwrap_or(0),
        }
    }
}

/// Reserves the cost of each question that is answered with yes so far, and says of each what its answer has beside the rest. One that a
/// limit stops is answered with no.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn reserve(
    server: &Server,
    ctx: &Ctx,
    verdicts: &mut [Verdict],
    questions: &[Question],
    costs: &[Option<Cost>],
) -> Result<Vec<More>> {
    if costs.iter().all(Option::is_none) {
        return Ok(Vec::new());
    }
    let asked = verdicts.iter().zip(questions).zip(costs);
    let reserving = asked.map(async |((verdict, question), cost)| {
        let valid = verdict.outcome == Outcome::Valid;
        let (Some(cost), Some(key)) = (cost, verdict.key.as_ref().filter(|_| valid)) else {
            return Ok(None);
        };
        let desk = &server.app.limits;
        let reserved = desk.reserve(ctx, Who::of(key), *cost, question.resource().into());
        reserved.await.map(Some)
    });
    let reserved: Vec<Option<Reserved>> = try_join_all(reserving).await?;
    let now = ctx.now();
    let mut told = Vec::with_capacity(reserved.len());
    for (verdict, (reserved, cost)) in verdicts.iter_mut().zip(reserved.iter().zip(costs)) {
        let (Some(reserved), Some(cost)) = (reserved, cost) else {
            told.push(None);
            continue;
        };
        if let Some(state) = reserved.stopper() {
            verdict.outcome = stopped_as(state);
            verdict.message = Some(Cow::Owned(why(state, &whose(state))));
        }
        told.push(Some(written(reserved, cost, now)?));
    }
    Ok(told)
}

/// What becomes of a request that this limit stops.
pub fn stopped_as(state: &State) -> Outcome {
    match state.what {
        What::Budget(_) => Outcome::LimitExceeded,
        What::Requests | What::Tokens | What::Parallel => Outcome::RateLimited,
    }
}

fn whose(state: &State) -> String {
    let whose = state.subject.target();
    match state.subject.member_of(state.member) {
        None => whose.to_string(),
        Some(user) => format!("{} in {whose}", Id::new(Kind::User, user)),
    }
}

/// Why this limit, which is somebody's, stops a request.
pub fn why(state: &State, whose: &str) -> String {
    let (left, max) = (shown(state, state.remaining()), shown(state, state.max));
    match &state.what {
        What::Requests => format!("Of {max} requests a minute for {whose}, {left} are left."),
        What::Tokens => format!("Of {max} tokens a minute for {whose}, {left} are left."),
        What::Parallel => format!("Of {max} requests at once for {whose}, {left} are left."),
        What::Budget(name) => {
            format!("Of the budget '{name}' for {whose}, {left} of {max} US dollars are left.")
        }
    }
}

/// An amount of what is limited: a number, and of money decimal text.
fn shown(state: &State, amount: i64) -> String {
    match state.what {
        What::Budget(_) => Usd::from_micros(amount).to_string(),
        What::Requests | What::Tokens | What::Parallel => amount.to_string(),
    }
}

/// A limit on the wire.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Limit {
    subject: String,
    member: Option<String>,
    limit: &'static str,
    budget: Option<String>,
    max: String,
    remaining: String,
    resets_at: Option<DateTime<Utc>>,
    exceeded: bool,
}

/// What is answered where a cost was told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Limited {
    reservation: Option<String>,
    limits: Vec<Limit>,
    retry_after: Option<i64>,
}

fn written(reserved: &Reserved, cost: &Cost, now: DateTime<Utc>) -> Result<String> {
    let stopper = reserved.stopper();
    let limited = Limited {
        reservation: reserved
            .id
            .map(|id| Id::new(Kind::Reservation, id).to_string()),
        limits: reserved.states.iter().map(Limit::of).collect(),
        retry_after: stopper.and_then(|state| state.retry_after(cost, now)),
    };
    serde_json::to_string(&limited).map_err(|error| Error::internal(error.to_string()))
}

impl Limit {
    fn of(state: &State) -> Self {
        let member = state.subject.member_of(state.member);
        Limit {
            subject: state.subject.target().to_string(),
            member: member.map(|user| Id::new(Kind::User, user).to_string()),
            limit: match state.what {
                What::Requests => "REQUESTS_PER_MINUTE",
                What::Tokens => "TOKENS_PER_MINUTE",
                What::Parallel => "MAX_PARALLEL",
                What::Budget(_) => "BUDGET",
            },
            budget: match &state.what {
                What::Budget(name) => Some(name.clone()),
                What::Requests | What::Tokens | What::Parallel => None,
            },
            max: shown(state, state.max),
            remaining: shown(state, state.remaining()),
            resets_at: state.resets_at,
            exceeded: state.stops,
        }
    }
}
