//! HTTP: what is accepted, what is refused, and what every answer carries.

mod events;
mod limits;
mod negotiation;
mod rules;
mod socket;
mod stopping;
