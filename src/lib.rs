//! Keystead: users, teams, API keys and permissions behind one typed GraphQL API over Postgres.
//!
//! The map of the house. A request comes in at the top and goes down, never up:
//!
//! - [`http`] speaks HTTP; [`graphql`] holds the schema, its limits, loaders and scalars.
//! - Each domain ([`users`], [`teams`], [`api_keys`], [`permissions`], [`policy`], [`invitations`], [`access_requests`], [`magic_links`], [`limits`], [`usage`], [`audit`], [`sessions`], [`factors`], …) has the same rooms: `mod` (the invariants), `model` (rows and values),
//!   `store` (SQL, private), `ops` (the operations), `graphql` (types, queries, mutations).
//! - [`dialects`] translates what clients of other systems say into the same operations.
//! - [`authn`] finds out who is calling; [`permissions`] decides what that actor may do, and nobody else does.
//! - [`replicas`] tells every server what changes, so that each may remember what it has read; [`telemetry`] sends traces to a
//!   collector, where there is one.
//! - [`outbox`] delivers what a change wants delivered once it is committed; [`mail`] writes and sends mails, [`webhooks`] tells
//!   receivers of events.
//! - [`db`] is the way to Postgres. [`ctx`] is what every operation takes first; [`app`] is what requests share.

pub mod access_requests;
pub mod api_keys;
pub mod app;
pub mod audit;
pub mod authn;
pub mod config;
pub mod ctx;
pub mod db;
pub mod dialects;
pub mod error;
pub mod factors;
pub mod graphql;
pub mod http;
pub mod idempotency;
pub mod invitations;
pub mod limits;
pub mod magic_links;
pub mod mail;
pub mod outbox;
pub mod permissions;
pub mod policy;
pub mod replicas;
pub mod secrets;
pub mod seed;
pub mod sessions;
pub mod teams;
pub mod telemetry;
pub mod text;
pub mod usage;
pub mod users;
pub mod webhooks;
