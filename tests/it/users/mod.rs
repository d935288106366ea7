//! Users, over GraphQL.

mod create;
