//! The audit trail: every change is one event, written in the change's own transaction.
//!
//! Invariants: an event is never changed or deleted (a trigger refuses); it names the actor, the key, the request and the
//! address; `before` and `after` hold what a reader of the object may see, never a secret, a digest or a hash; it outlives
//! what it tells of.

pub mod follow;
pub mod graphql;
pub mod model;
pub mod ops;
mod redact;
mod store;
