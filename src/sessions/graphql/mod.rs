//! Sessions in GraphQL.

mod mutations;
mod types;

pub use mutations::SessionMutations;
pub use types::{LIST, Session, SessionConnection};
