//! The audit trail, over GraphQL.

mod along;
mod feed;
mod on_behalf_of;
mod record;
mod rights;
mod secrets;
