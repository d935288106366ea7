//! The audit trail, over GraphQL.

mod feed;
mod record;
mod rights;
mod secrets;
