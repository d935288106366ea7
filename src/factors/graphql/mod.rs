//! Second factors in GraphQL.

mod inputs;
mod mutations;
mod types;

pub use mutations::FactorMutations;
pub use types::{SecondFactor, factors_of, recovery_codes_of};
