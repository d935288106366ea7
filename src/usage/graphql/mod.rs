//! Usage in GraphQL.

mod inputs;
mod queries;
mod types;

pub use queries::UsageQueries;
