//! Second factors in GraphQL.

mod inputs;
mod mutations;
mod queries;
mod types;

pub use inputs::{PasskeyInput, offered};
pub use mutations::FactorMutations;
pub use queries::FactorQueries;
pub use types::{SecondFactor, factors_of, recovery_codes_of};
