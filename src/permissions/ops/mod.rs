//! The operations on roles and permissions, and the guard that every other domain's operations use.

pub mod access;
pub mod along;
pub mod ask;
mod delete;
pub mod facts;
mod giving;
pub mod of_keys;
pub mod of_sessions;
pub mod read;
pub mod roles;
mod update;

pub use delete::delete;
pub use update::{MAX_ROLES, Updated, update};
