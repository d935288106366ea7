//! The audit trail, over GraphQL.

mod record;
mod rights;
