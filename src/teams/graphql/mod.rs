//! Teams in GraphQL.

mod edges;
mod inputs;
mod members;
mod mutations;
mod queries;
mod types;

pub use edges::{MEMBERSHIPS, TEAMS, memberships_of, teams_of};
pub use inputs::{TeamFilterInput, TeamMemberFilterInput, TeamOrder};
pub use members::{TeamMembership, TeamMembershipConnection, TeamMembershipEdge, TeamRole};
pub use mutations::TeamMutations;
pub use queries::TeamQueries;
pub use types::{Team, TeamConnection, TeamEdge};
