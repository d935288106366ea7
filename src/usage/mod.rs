//! Usage: what was used, by whom, of what, and what it cost.
//!
//! Invariants: an event is recorded once, whatever is sent again; what the rollups say is the sum of the events that count, exactly, since
//! both are written in one transaction; so are the counters of limits. A settled or lapsed reservation is an event like any other.
//! Whoever writes takes reservations, events, rollups and counters in this order, each in the order of their keys.

pub mod buckets;
pub mod graphql;
pub mod model;
pub mod ops;
pub mod report;
mod store;
