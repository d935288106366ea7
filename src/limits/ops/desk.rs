//! Where requests are reserved and settled: what all requests of a server share for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::applying::{Applies, Applying, Who};
use super::reserve::{self, Cost, Outcome};
use super::settle::{self, Settled, Settlement};
use super::state::State;
use crate::authn::verify::VERIFY;
use crate::ctx::{Clock, Ctx};
use crate::db::Db;
use crate::db::coalesce::Coalescer;
use crate::error::{Error, Result};
use crate::limits::model::Terms;
use crate::limits::store::reserve::Counter;
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// Statements of one kind that may be under way at once: while one commits, the next waits for its locks.
const LANES: usize = 2;

/// Reserves and settles, many requests a statement.
pub struct Desk {
    applying: Applying,
    reserving: Arc<Coalescer<reserve::Ask, Outcome>>,
    settling: Arc<Coalescer<settle::Ask, Settled>>,
    number: AtomicU64,
}

/// Where is counted what somebody uses.
#[derive(Debug, Default)]
pub struct Counting {
    /// The ids of the counters of each.
    pub uses: HashMap<Who, Vec<Uuid>>,
    /// All counters, by id, as the database's functions take them.
    pub counters: Value,
}

/// What came of a request to reserve.
#[derive(Debug, Clone)]
pub struct Reserved {
    /// The reservation; `None` where a limit stopped it.
    pub id: Option<Uuid>,
    /// Every limit that applies.
    pub states: Vec<State>,
}

impl Reserved {
    /// The limit that stopped it.
    pub fn stopper(&self) -> Option<&State> {
        self.states.iter().find(|state| state.stops)
    }
}

impl Desk {
    /// Over that database, on those terms.
    pub fn new(db: &Db, clock: &Clock, terms: Terms) -> Arc<Self> {
        let reserving = {
            let (db, clock) = (db.clone(), clock.clone());
            Coalescer::new(LANES, move |asks| {
                let (db, now) = (db.clone(), clock.now());
                async move { reserve::all(&db, now, terms, asks).await }
            })
        };
        let settling = {
            let (db, clock) = (db.clone(), clock.clone());
            Coalescer::new(LANES, move |asks| {
                let (db, now) = (db.clone(), clock.now());
                async move { settle::all(&db, now, asks).await }
            })
        };
        Arc::new(Desk {
            applying: Applying::new(db.clone()),
            reserving,
            settling,
            number: AtomicU64::new(0),
        })
    }

    /// Reserves the cost of a request by that key for that resource, a path, against every limit that applies to it, or against none.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached: should it be reserved all the same, it runs out.
    pub async fn reserve(
        &self,
        ctx: &Ctx,
        who: Who,
        cost: Cost,
        resource: Arc<str>,
    ) -> Result<Reserved> {
        let ask = reserve::Ask {
            id: ctx.new_id(),
            asker: ctx.actor.user(),
            who,
            cost,
            resource,
            stands: true,
            applying: self.applying.to(who).await?,
        };
        let id = ask.id;
        let outcome = self.reserving.load(ask).await?;
        let outcome = outcome.ok_or_else(|| Error::internal("a reservation without an outcome"))?;
        Ok(Reserved {
            id: outcome.passed.then_some(id),
            states: outcome.states,
        })
    }

    /// Where what these use is to be counted at this moment, whether or not there is room.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn counting(&self, now: DateTime<Utc>, all: Vec<Who>) -> Result<Counting> {
        let found = self.applying.to_all(all).await?;
        let mut counters = BTreeMap::new();
        let mut uses = HashMap::with_capacity(found.len());
        for (who, applying) in found {
            uses.insert(who, reserve::uses(&who, &applying, now, &mut counters));
        }
        Ok(Counting {
            uses,
            counters: counters.values().map(counted_on).collect(),
        })
    }

    /// Counts so many requests by that key against every limit that applies to it, or against none: at once, without a reservation that
    /// somebody would have to settle. So they are not among what is limited at once, except where that allows nothing; of tokens and money
    /// something must be left. `None` where nothing that applies is about that.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached: they may be counted all the same.
    pub async fn count(&self, who: Who, requests: i64) -> Result<Option<Reserved>> {
        let applying = self.applying.to(who).await?;
        let counts = |one: &Applies| {
            let rates = one.limits.rates;
            let is_about = rates.requests.or(rates.tokens).is_some() || rates.parallel == Some(0);
            is_about || !one.limits.budgets.is_empty()
        };
        if !applying.iter().any(counts) {
            return Ok(None);
        }
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let ask = reserve::Ask {
            // It is stored nowhere.
            id: Uuid::from_u64_pair(0, number),
            asker: None,
            who,
            cost: Cost {
                requests,
                tokens: 0,
                micros: 0,
            },
            resource: "/".into(),
            stands: false,
            applying,
        };
        let outcome = self.reserving.load(ask).await?;
        let outcome = outcome.ok_or_else(|| Error::internal("a request without an outcome"))?;
        Ok(Some(Reserved {
            id: None,
            states: outcome.states,
        }))
    }

    /// Turns a reservation into what was used in truth: more is counted too, less gives back.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `FORBIDDEN` without `apiKey.verify` at `/`; `NOT_FOUND` for what is no reservation of the actor's; `CONFLICT`
    /// for one that was settled before; `SERVICE_UNAVAILABLE`.
    pub async fn settle(&self, ctx: &Ctx, settlement: Settlement) -> Result<()> {
        access::require(ctx, VERIFY, &Path::root())?;
        let ask = settle::Ask {
            asker: ctx.actor.user(),
            settlement,
            number: self.number.fetch_add(1, Ordering::Relaxed),
        };
        match self.settling.load(ask).await? {
            Some(Settled::Now) => Ok(()),
            Some(Settled::Earlier) => Err(Error::conflict(
                "This reservation was settled before. What was told then stands.",
            )
            .at("reservation")),
            Some(Settled::Unknown) | None => Err(Error::not_found(
                "reservation",
                "There is no such reservation, or another made it.",
            )),
        }
    }
}

/// A counter as the database's functions for usage take it.
fn counted_on(counter: &Counter) -> Value {
    let since = counter
        .since
        .map(|since| since.to_rfc3339_opts(SecondsFormat::Micros, true));
    json!({"id": counter.id, "limit_id": counter.limit, "budget_id": counter.budget, "user_id": counter.member, "since": since})
}
