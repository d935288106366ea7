//! Roles and permissions in GraphQL.

mod inputs;
mod mutations;
mod permission;
mod principal;
mod queries;
mod role;

pub use inputs::PermissionFilterInput;
pub use mutations::PermissionMutations;
pub use permission::{
    PERMISSIONS, Permission, PermissionConnection, PermissionEdge, permissions_of,
};
pub use principal::Principal;
pub use queries::PermissionQueries;
pub use role::Role;
