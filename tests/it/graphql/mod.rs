//! GraphQL as such: the guard, the schema, execution.

pub mod attacks;
mod guard;
mod laws;
