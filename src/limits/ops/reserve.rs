//! Reserving: what a request is going to cost, against all limits that apply to its key, or not at all. Requests that arrive while a
//! statement runs share the next one, so that a counter is locked once for many of them.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::applying::{Applies, Who};
use super::state::{State, What};
use crate::db::{Db, Failure};
use crate::error::Result;
use crate::limits::model::{Rates, Terms};
use crate::limits::store::reserve::{self as store, Batch, Counter, Told};

/// How often a batch is tried again when something that it counts on was deleted meanwhile.
const TRIES: usize = 3;

/// What a request costs, or is expected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cost {
    /// Requests.
    pub requests: i64,
    /// Tokens.
    pub tokens: i64,
    /// Micro-dollars.
    pub micros: i64,
}

/// One request that wants to reserve.
#[derive(Clone)]
pub(super) struct Ask {
    /// The reservation's id, if it passes.
    pub id: Uuid,
    /// The user who asks.
    pub asker: Option<Uuid>,
    /// For whom.
    pub who: Who,
    /// What it costs.
    pub cost: Cost,
    /// What is used: a path.
    pub resource: Arc<str>,
    /// Whether it stands until it is settled; else it is counted at once.
    pub stands: bool,
    /// What applies.
    pub applying: Arc<Vec<Applies>>,
}

impl PartialEq for Ask {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Ask {}

impl Hash for Ask {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// Whether it is reserved.
    pub passed: bool,
    /// Every limit that applies, with what is used of it.
    pub states: Vec<State>,
}

/// Requests that are alike: of one key, at one cost, for one resource, under the same limits.
struct Group {
    asks: Vec<Ask>,
    /// The ids of its counters.
    uses: Vec<Uuid>,
}

/// Reserves for these requests, in one statement.
pub(super) async fn all(
    db: &Db,
    now: DateTime<Utc>,
    terms: Terms,
    asks: Vec<Ask>,
) -> Result<HashMap<Ask, Outcome>> {
    let mut counters = BTreeMap::new();
    let groups = grouped(asks, now, &mut counters);
    let mut batch = Batch::new(counters.values());
    (batch.at, batch.expires_at) = (now, now + terms.lifetime);
    batch.charging = terms.charging;
    for group in &groups {
        group.added_to(&mut batch);
    }
    let told = tried(db, &batch).await?;
    let mut outcomes = HashMap::new();
    for (group, (passed, stopper)) in groups
        .into_iter()
        .zip(told.passed.iter().zip(&told.stoppers))
    {
        let states = states(&group.asks[0], now, &batch, &told, stopper.as_deref());
        for (n, ask) in (0..).zip(group.asks) {
            let passed = n < *passed;
            let mut states = states.clone();
            if passed {
                states.iter_mut().for_each(|state| state.stops = false);
            }
            outcomes.insert(ask, Outcome { passed, states });
        }
    }
    Ok(outcomes)
}

/// Charges or releases what has run out. Nothing depends on when that is done: whoever reserves, settles or reads takes it into account.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn lapse(db: &Db, now: DateTime<Utc>, charging: bool) -> Result<()> {
    loop {
        let mut conn = db.read("lapse_reservations").await?;
        if !store::lapse(&mut conn, now, charging).await? {
            return Ok(());
        }
    }
}

async fn tried(db: &Db, batch: &Batch) -> Result<Told> {
    let mut tries = 1;
    loop {
        let mut conn = db.read("reserve_limits").await?;
        match store::reserve(&mut conn, batch.clone()).await {
            Err(Failure::Conflict(_) | Failure::ForeignKey(_)) if tries < TRIES => tries += 1,
            told => return Ok(told?),
        }
    }
}

/// Puts requests that are alike together, and notes what is to be counted.
fn grouped(
    asks: Vec<Ask>,
    now: DateTime<Utc>,
    counters: &mut BTreeMap<Uuid, Counter>,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut found: HashMap<_, usize> = HashMap::new();
    for ask in asks {
        let alike = (
            ask.who,
            ask.asker,
            ask.cost,
            Arc::as_ptr(&ask.applying),
            ask.resource.clone(),
            ask.stands,
        );
        let place = *found.entry(alike).or_insert_with(|| {
            groups.push(Group {
                uses: uses(&ask.who, &ask.applying, now, counters),
                asks: Vec::new(),
            });
            groups.len() - 1
        });
        groups[place].asks.push(ask);
    }
    groups
}

/// The counters of what a key or a user uses, by id; adds what is written of each.
pub(super) fn uses(
    who: &Who,
    applying: &[Applies],
    now: DateTime<Utc>,
    counters: &mut BTreeMap<Uuid, Counter>,
) -> Vec<Uuid> {
    let mut uses = Vec::new();
    for one in applying {
        let user = one.member(who);
        let rates = one.rates(now);
        if !rates.is_empty() {
            let id = one.counter(who);
            let Rates {
                requests,
                tokens,
                parallel,
            } = rates;
            counters.entry(id).or_insert_with(|| Counter {
                id,
                limit: one.limits.id,
                budget: None,
                member: user,
                since: None,
                most: [None, requests, tokens, parallel],
            });
            uses.push(id);
        }
        for budget in &one.limits.budgets {
            let id = one.counter_of(budget.id, who);
            counters.entry(id).or_insert_with(|| Counter {
                id,
                limit: one.limits.id,
                budget: Some(budget.id),
                member: user,
                since: Some(budget.counts_from(now)),
                most: [Some(budget.max_at(now).micros()), None, None, None],
            });
            uses.push(id);
        }
    }
    uses
}

impl Group {
    fn added_to(&self, batch: &mut Batch) {
        let Ask {
            asker,
            who,
            cost,
            resource,
            stands,
            ..
        } = &self.asks[0];
        let group = store::Group {
            asker: *asker,
            key: who.key,
            user: who.user,
            team: who.team,
            cost: [cost.micros, cost.requests, cost.tokens],
            resource,
            stands: *stands,
            ids: self.asks.iter().map(|ask| ask.id).collect(),
        };
        batch.add(group, &self.uses);
    }
}

/// Every limit that applies to a request, with what is used of it now.
fn states(
    ask: &Ask,
    now: DateTime<Utc>,
    batch: &Batch,
    told: &Told,
    stopper: Option<&str>,
) -> Vec<State> {
    let stopper = stopper.and_then(|text| text.split_once(' '));
    let at = |values: &Option<Vec<i64>>, place: usize| {
        values
            .as_ref()
            .and_then(|all| all.get(place))
            .copied()
            .unwrap_or(0)
    };
    let minute_ends = State::minute_ends(now);
    let mut states = Vec::new();
    for one in ask.applying.iter() {
        let mut add = |id: Uuid,
                       what: What,
                       name: &str,
                       max: Option<i64>,
                       used: &dyn Fn(usize) -> i64,
                       resets_at| {
            let (Some(max), Some(place)) = (max, batch.place(id)) else {
                return;
            };
            let stops =
                stopper.is_some_and(|(at, kind)| kind == name && at.parse() == Ok(place + 1));
            states.push(State {
                subject: one.subject,
                member: one.member(&ask.who),
                what,
                max,
                used: used(place),
                resets_at,
                stops,
            });
        };
        let id = one.counter(&ask.who);
        let rates = one.rates(now);
        add(
            id,
            What::Requests,
            "requests",
            rates.requests,
            &|place| at(&told.used_req, place),
            Some(minute_ends),
        );
        add(
            id,
            What::Tokens,
            "tokens",
            rates.tokens,
            &|place| at(&told.used_tok, place),
            Some(minute_ends),
        );
        add(
            id,
            What::Parallel,
            "parallel",
            rates.parallel,
            &|place| at(&told.used_par, place),
            None,
        );
        for budget in &one.limits.budgets {
            let id = one.counter_of(budget.id, &ask.who);
            let max = budget.max_at(now).micros();
            let used = |place| at(&told.used_usd, place);
            let end = budget.window.at(now).end;
            add(
                id,
                What::Budget(budget.name.clone()),
                "usd",
                Some(max),
                &used,
                end,
            );
        }
    }
    states
}
