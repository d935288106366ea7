//! Limits: how much a key, a user, a team or a member of a team may use, and in which stretch of time.
//!
//! Invariants: all limits that apply hold, or nothing is reserved; what counters say is the sum of what was settled, has run out and been
//! charged (events of [`usage`](crate::usage)), and is open (`reservations`); whoever locks takes reservations, events, rollups and
//! counters in this order, each in the order of their ids;
//! amounts are whole micro-dollars, read exactly or refused ([`amount`]); windows are calendar arithmetic, computed from the
//! present moment when something is read, so that nothing has to run for one to begin ([`window`]).

pub mod amount;
pub mod graphql;
pub mod model;
pub mod ops;
pub mod policy;
mod store;
pub mod window;
