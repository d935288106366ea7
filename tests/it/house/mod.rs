//! The house itself: who may import whom, how long files are, what the schema and the migrations say.

mod containers;
mod imports;
mod migrations;
mod schema;
pub mod sources;
