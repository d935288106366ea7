//! Teams and memberships, over GraphQL.

mod create;
mod delete;
mod giving;
mod last_admin;
mod lists;
mod meanwhile;
mod members;
mod statements;
mod tree;
mod update;
pub mod world;
