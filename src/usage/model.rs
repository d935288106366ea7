//! Rows and values of usage.

use std::ops::AddAssign;

use chrono::TimeDelta;

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
