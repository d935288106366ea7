//! Rows and values of usage.

use std::ops::AddAssign;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// Tags that an event has at most.
pub const MAX_TAGS: usize = 10;
/// Characters of a tag at most; at least one.
pub const MAX_TAG: usize = 64;
/// Characters of an event's own id at most; at least one.
pub const MAX_ID: usize = 128;
/// Events of one call at most.
pub const MAX_EVENTS: usize = 10_000;
/// How far ahead of this server's clock an event's moment may be: other clocks differ. It is then taken as now.
pub const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// What was used: of one event, or summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measures {
    /// Requests.
    pub requests: i64,
    /// Tokens: where it is told what went in and what came out, their sum.
    pub tokens: i64,
    /// Tokens that went in.
    pub tokens_in: i64,
    /// Tokens that came out.
    pub tokens_out: i64,
    /// Of those that went in, the ones that were cached.
    pub tokens_cached: i64,
    /// Millionths of a US dollar.
    pub micros: i64,
}

impl AddAssign for Measures {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.tokens += other.tokens;
        self.tokens_in += other.tokens_in;
        self.tokens_out += other.tokens_out;
        self.tokens_cached += other.tokens_cached;
        self.micros += other.micros;
    }
}

/// An event as it was told; nothing of it is read yet. One with a reservation says what that has cost in truth.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Line {
    /// The asker's own id of it.
    pub id: Option<String>,
    /// The reservation that it settles.
    pub reservation: Option<String>,
    /// The key that was used, by id.
    pub api_key: Option<String>,
    /// The user, where it was no key.
    pub user: Option<String>,
    /// The team that it was for.
    pub team: Option<String>,
    /// What was used: a path.
    pub resource: Option<String>,
    /// Requests.
    pub requests: Option<Value>,
    /// Tokens in all.
    pub tokens: Option<Value>,
    /// Tokens that went in.
    pub tokens_in: Option<Value>,
    /// Tokens that came out.
    pub tokens_out: Option<Value>,
    /// Of those that went in, the ones that were cached.
    pub tokens_cached: Option<Value>,
    /// US dollars.
    pub usd: Option<Value>,
    /// When; RFC 3339.
    pub at: Option<String>,
    /// Words by which usage is told apart.
    pub tags: Option<Vec<String>>,
}

/// What came of an event that was told.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It counts.
    Recorded,
    /// It was told before: nothing has changed.
    Repeated,
    /// It does not count, and why.
    Refused(Error),
}

/// The beginning of the month, in UTC, that contains the moment: events are kept by it.
pub fn month(at: DateTime<Utc>) -> DateTime<Utc> {
    let day = at.date_naive();
    let first = day.with_day(1).unwrap_or(day);
    first.and_time(NaiveTime::MIN).and_utc()
}
