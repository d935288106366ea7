//! Where a limit stands after a request.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

use super::reserve::Cost;
use crate::limits::model::Subject;

/// What is limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Requests in a minute.
    Requests,
    /// Tokens in a minute.
    Tokens,
    /// Open reservations.
    Parallel,
    /// Money, by the budget's name.
    Budget(String),
}

/// A limit that applies, with what is used of it.
#[derive(Debug, Clone)]
pub struct State {
    /// Whose it is.
    pub subject: Subject,
    /// Of limits for each member: which.
    pub member: Option<Uuid>,
    /// What is limited.
    pub what: What,
    /// What is allowed; micro-dollars of a budget.
    pub max: i64,
    /// What is used and reserved.
    pub used: i64,
    /// When it begins anew; `None`: never by itself.
    pub resets_at: Option<DateTime<Utc>>,
    /// Whether it stopped the request.
    pub stops: bool,
}

impl State {
    /// When the present minute of the clock ends.
    pub(super) fn minute_ends(now: DateTime<Utc>) -> DateTime<Utc> {
        let minute = TimeDelta::minutes(1);
        now.duration_trunc(minute).unwrap_or(now) + minute
    }

    /// What may still be reserved.
    pub fn remaining(&self) -> i64 {
        (self.max - self.used).max(0)
    }

    /// Seconds until it begins anew, rounded up.
    pub fn seconds_left(&self, now: DateTime<Utc>) -> Option<i64> {
        let at = self.resets_at?;
        Some(((at - now).num_milliseconds().max(1) + 999) / 1_000)
    }

    /// Seconds after which a request of that cost may pass; `None` where waiting does not help, or nobody knows how long.
    pub fn retry_after(&self, cost: &Cost, now: DateTime<Utc>) -> Option<i64> {
        let needs = match self.what {
            What::Requests => cost.requests,
            What::Tokens => cost.tokens,
            What::Parallel => 1,
            What::Budget(_) => cost.micros,
        };
        if self.max == 0 || needs > self.max {
            return None;
        }
        match &self.what {
            // Some reservation may be settled at any moment.
            What::Parallel => Some(1),
            _ => self.seconds_left(now),
        }
    }
}
