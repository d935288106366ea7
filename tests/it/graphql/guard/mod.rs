//! The guard before the GraphQL engine.

mod costs;
mod generate;
mod mutate;
mod refusals;
mod values;
mod variables;
mod verdicts;
