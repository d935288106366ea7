//! Users in GraphQL.

mod inputs;
mod mutations;
mod queries;
mod types;

pub use inputs::{MembershipInput, UserFilterInput, UserOrder, memberships};
pub use mutations::UserMutations;
pub use queries::UserQueries;
pub use types::{InstanceRole, User, UserConnection, UserEdge};
