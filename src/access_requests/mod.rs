//! Access requests: people ask for what they lack, and whoever could give it by hand decides.
//!
//! Invariants: a request gives nothing; approving it does, and is the same as giving by hand: what the reviewer may not give at that moment
//! it cannot approve, and never more or longer than was asked for. A request is decided once. Nobody reviews a request of its own. What it
//! is about need not exist or be seen by whoever asks, and asking tells nothing of it.

pub mod graphql;
pub mod model;
pub mod ops;
mod store;
