//! Invitations: links by which people come in, as new users, as users that exist already, or into teams.
//!
//! Invariants: a token is stored as its SHA-256 and shown once; it is good once, until its end, and whoever presents it second finds
//! it used; an invitation gives nothing that its inviter does not hold, when it is made and when it is accepted; whatever is wrong with a
//! token has one answer.

pub mod graphql;
pub mod model;
pub mod ops;
mod store;
