//! HTTP: what is accepted, what is refused, and what every answer carries.

mod limits;
mod negotiation;
mod rules;
