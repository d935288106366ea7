//! The operations on roles and permissions, and the guard that every other domain's operations use.

pub mod access;
pub mod facts;
