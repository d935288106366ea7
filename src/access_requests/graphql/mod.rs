//! Access requests in GraphQL.

mod inputs;
mod mutations;
mod queries;
mod types;

pub use mutations::AccessRequestMutations;
pub use queries::AccessRequestQueries;
pub use types::AccessRequest;
