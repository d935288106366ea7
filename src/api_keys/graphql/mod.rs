//! API keys in GraphQL.

mod changes;
mod inputs;
mod mutations;
mod queries;
mod types;

pub use changes::NewApiKeyInput;
pub use inputs::ApiKeyFilterInput;
pub use mutations::ApiKeyMutations;
pub use queries::ApiKeyQueries;
pub use types::{ApiKey, ApiKeyConnection, ApiKeyEdge, NESTED};
