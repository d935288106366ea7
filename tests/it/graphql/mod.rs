//! GraphQL as such: the guard, the schema, execution.

pub mod attacks;
mod attacks_live;
mod federation;
mod guard;
mod laws;
mod mutations;
