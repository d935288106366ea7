//! The policy in GraphQL.

mod inputs;
mod mutations;
mod types;

pub use mutations::PolicyMutations;
pub use types::{ApiKeyRules, PolicyQueries};
