//! Usage in GraphQL.

mod inputs;
mod queries;
mod record;
mod types;

pub use queries::UsageQueries;
pub use record::UsageMutations;
