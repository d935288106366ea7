//! Settling: a reservation becomes what was used in truth.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Failure};
use crate::error::{Error, Result};
use crate::limits::store::reserve as store;

/// How often a batch is tried again when it met another.
const TRIES: usize = 3;

/// A reservation that is to be settled. What is `None` was as it was reserved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Settlement {
    /// The reservation.
    pub id: Uuid,
    /// Requests.
    pub requests: Option<i64>,
    /// Tokens.
    pub tokens: Option<i64>,
    /// Of those, the ones that went in, that came out, and that were cached of what went in; 0 where it is not told.
    pub parts: [i64; 3],
    /// Micro-dollars.
    pub micros: Option<i64>,
    /// Words by which usage is told apart.
    pub tags: Vec<String>,
}

/// A settlement by somebody. Two of one reservation are told apart by their number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ask {
    pub asker: Option<Uuid>,
    pub settlement: Settlement,
    pub number: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// It is settled now.
    Now,
    /// It had been before.
    Earlier,
    /// There is no such reservation of that asker.
    Unknown,
}

#[derive(Deserialize)]
struct Told {
    settled: HashSet<Uuid>,
    earlier: HashSet<Uuid>,
}

/// Settles these, in one statement.
pub(super) async fn all(
    db: &Db,
    now: DateTime<Utc>,
    asks: Vec<Ask>,
) -> Result<HashMap<Ask, Settled>> {
    // Of two that speak of one reservation the first to come counts.
    let mut asks = asks;
    asks.sort_by_key(|ask| ask.number);
    let mut firsts: HashMap<Uuid, &Ask> = HashMap::new();
    for ask in &asks {
        firsts.entry(ask.settlement.id).or_insert(ask);
    }
    let rows: Vec<_> = firsts
        .values()
        .map(|ask| {
            let Settlement { id, requests, tokens, parts: [tokens_in, tokens_out, tokens_cached], micros, tags } = &ask.settlement;
            json!({"id": id, "asker_id": ask.asker, "requests": requests, "tokens": tokens, "tokens_in": tokens_in,
                "tokens_out": tokens_out, "tokens_cached": tokens_cached, "micros": micros, "tags": tags})
        })
        .collect();
    let batch = serde_json::Value::Array(rows);
    let mut tries = 1;
    let text = loop {
        let mut conn = db.read("settle_reservations").await?;
        match store::settle(&mut conn, now, batch.clone()).await {
            Err(Failure::Conflict(_)) if tries < TRIES => tries += 1,
            told => break told?,
        }
    };
    let told: Told =
        serde_json::from_str(&text).map_err(|error| Error::internal(error.to_string()))?;
    let outcome = |ask: &Ask| {
        let id = ask.settlement.id;
        let first = firsts.get(&id).copied();
        let same_asker = first.is_some_and(|first| first.asker == ask.asker);
        let settled = if told.settled.contains(&id) && same_asker {
            if first == Some(ask) {
                Settled::Now
            } else {
                Settled::Earlier
            }
        } else if told.earlier.contains(&id) && same_asker {
            Settled::Earlier
        } else {
            Settled::Unknown
        };
        (ask.clone(), settled)
    };
    Ok(asks.iter().map(outcome).collect())
}
