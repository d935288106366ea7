//! The audit trail, over GraphQL.

mod along;
mod feed;
mod record;
mod rights;
mod secrets;
