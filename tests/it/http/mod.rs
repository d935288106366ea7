//! HTTP: what is accepted, what is refused, and what every answer carries.

mod database_gone;
mod documents;
mod events;
mod limits;
mod log;
mod negotiation;
mod rules;
mod socket;
mod stopping;
mod streams;
mod tls;
pub mod v1;
