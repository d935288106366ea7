//! Users in GraphQL.

mod inputs;
mod mutations;
mod queries;
mod types;

pub use inputs::{UserFilterInput, UserOrder};
pub use mutations::UserMutations;
pub use queries::UserQueries;
pub use types::{User, UserConnection, UserEdge};
