//! Keystead: users, teams, API keys and permissions behind one typed GraphQL API over Postgres.

pub mod db;
pub mod permissions;
