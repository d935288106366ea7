//! API keys: what programs sign on with.
//!
//! Invariants: a secret is shown once, in the answer that made it; stored are its SHA-256 and a prefix, and neither the audit
//! trail nor the log nor an error ever holds a secret. A key's name is unique among its owner's keys (a unique index decides).
//! A key answers as its owner, or, if it is restricted, holds its own permissions within its owner's. Nobody gets a secret of
//! a key that may do what they may not: making, rotating, widening and prolonging a key are measured by what is gained, as if
//! every switch were on. After a rotation at most two secrets work, the older one until its overlap ends.

pub mod graphql;
pub mod model;
pub mod ops;
mod store;
