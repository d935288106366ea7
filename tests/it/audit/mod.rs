//! The audit trail, over GraphQL.

mod along;
mod feed;
mod on_behalf_of;
mod record;
mod resume;
mod rights;
mod secrets;
