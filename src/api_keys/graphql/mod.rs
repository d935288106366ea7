//! API keys in GraphQL.

mod inputs;
mod queries;
mod types;

pub use inputs::ApiKeyFilterInput;
pub use queries::ApiKeyQueries;
pub use types::{ApiKey, ApiKeyConnection, ApiKeyEdge, NESTED};
