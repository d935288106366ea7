//! GraphQL as such: the guard, the schema, execution.

pub mod attacks;
mod attacks_live;
mod bad_input;
mod federation;
mod guard;
mod laws;
mod mutations;
mod plain;
