//! Magic links: signing in by a link that is sent by mail. Off unless the operator switches them on.
//!
//! Invariants: asking does the same work and has the same answer whoever the address belongs to, since nobody looks before the outbox does;
//! one link a minute goes to an address; a token is stored as its SHA-256, is good once and for a quarter of an hour, and only as long as the
//! user has the address that it was sent to; whatever is wrong with a token has one answer.

pub mod graphql;
pub mod model;
pub mod ops;
mod store;
