//! The policy: what new users are where nothing else is said, who may make keys, and what keys must have.
//!
//! Invariants: there is one policy, the configuration's until an administrator changes it, and from then on the database's; it binds every
//! way to make a key, for all but administrators of the instance with an unrestricted credential; what it counts is counted with the
//! owner locked, so that two at once are counted one after the other; what exists already stays as it is until it is changed.

pub mod graphql;
pub mod model;
pub mod ops;
mod store;
