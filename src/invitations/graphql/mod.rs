//! Invitations in GraphQL.

mod inputs;
mod mutations;
mod queries;
mod types;

pub use mutations::InvitationMutations;
pub use queries::InvitationQueries;
pub use types::Invitation;
