//! Limits in GraphQL.

mod inputs;
mod mutations;
mod policy;
mod types;

pub use inputs::NewLimitsInput;
pub use mutations::LimitMutations;
pub use policy::{ApiKeyBounds, LimitPolicyMutations, LimitQueries};
pub use types::{Limits, Usd, limits_of};
