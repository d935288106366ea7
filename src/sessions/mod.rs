//! Sessions: people sign in with what they know, and send the secret of a session with their requests.
//!
//! Invariants: the secret (`kss_…`) is shown once, and stored as its SHA-256; a session ends when it is not used for a while, when its
//! time is over, when somebody ends it, and when its user is disabled, expires or is deleted; an end that somebody has made holds on every
//! server when it is answered ([`crate::replicas`]); who does not know the password learns nothing about users, neither from answers
//! nor from their times.

pub mod graphql;
pub mod model;
pub mod ops;
mod store;
