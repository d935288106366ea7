//! The documents: what they say is what the program does.

pub mod api;
mod browser;
mod errors;
mod limits;
mod self_serve;
mod shell;
