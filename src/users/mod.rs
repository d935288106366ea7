//! Users: people and service accounts.
//!
//! Invariants: user names and e-mail addresses are unique without regard to case (unique indexes decide, not a look before the
//! insert); a password is kept as bcrypt only; at least one enabled administrator remains; deleting a user takes its keys,
//! memberships and permissions along, and leaves the audit trail.

pub mod graphql;
pub mod model;
pub mod ops;
mod store;
