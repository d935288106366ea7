//! Users, over GraphQL.

mod create;
mod delete;
mod list;
mod meanwhile;
mod sight;
mod statements;
mod texts;
mod update;
pub mod world;
