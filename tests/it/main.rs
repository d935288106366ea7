//! The integration tests, in one binary: a folder per domain.
#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod access_requests;
mod api_keys;
mod audit;
mod authn;
mod cli;
mod ctx;
mod db;
mod dialects;
mod docs;
mod factors;
mod graphql;
mod house;
mod http;
mod idempotency;
mod invitations;
mod limits;
mod magic_links;
mod mail;
mod matrix;
mod outbox;
mod permissions;
mod policy;
mod replicas;
mod sessions;
mod support;
mod teams;
mod usage;
mod users;
mod webhooks;
