//! Limits in GraphQL.

mod inputs;
mod mutations;
mod types;

pub use mutations::LimitMutations;
pub use types::{Limits, limits_of};
