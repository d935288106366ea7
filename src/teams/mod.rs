//! Teams: what users hold together, and who belongs to them.
//!
//! Invariants: slugs are unique without regard to case; teams form a forest of at most [`model::MAX_DEPTH`] levels, without cycles
//! also when two teams are moved at once (such changes wait for each other); a team is deleted only when it has no children, and takes
//! its memberships, permissions and keys along; a team's last admin who can act does not vanish unless the change says that it may;
//! whoever makes, fills, moves or enables a team gives nobody more than it holds itself.

pub mod graphql;
pub mod model;
pub mod ops;
mod store;
