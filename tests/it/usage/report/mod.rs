//! The query on usage: what is summed, who may read it, and how it is read.

mod buckets;
mod csv;
mod exact;
mod plan;
mod questions;
mod rights;
pub mod world;
