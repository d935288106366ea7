//! The operations on roles and permissions, and the guard that every other domain's operations use.

pub mod access;
pub mod along;
pub mod ask;
mod delete;
pub mod facts;
mod giving;
mod grant;
pub mod of_keys;
pub mod of_sessions;
mod plan;
pub mod read;
pub mod roles;
mod update;
mod who;

pub use delete::delete;
pub use grant::{grant, may_grant};
pub use update::{MAX_ROLES, Updated, update};
pub use who::who_may;
