//! The GraphQL side of the house: the schema and its limits, the guard before the parser, loaders, scalars, nodes.
//!
//! The domains' own types are in `<domain>::graphql`; [`schema`] alone knows them all.

pub mod api;
pub mod budget;
pub mod connection;
pub mod documents;
pub mod error;
pub mod federation;
pub mod fresh;
pub mod guard;
pub mod input;
pub mod lean;
pub mod loaders;
#[allow(
    missing_docs,
    reason = "the derive of an interface makes a method without a comment"
)]
pub mod node;
pub mod once;
pub mod persisted;
pub mod request;
pub mod scalars;
pub mod schema;
pub mod server_info;
pub mod settings;
mod trace;
pub mod trusted;

use std::sync::Arc;

use async_graphql::Context;

use crate::authn::Authenticator;
use crate::ctx::Ctx;
use crate::error::{Code, Error};
use crate::limits::ops::Desk;
use budget::{Budgets, Caller};
use loaders::Loaders;

/// What every resolver finds in the request's data.
#[derive(Clone)]
pub struct Request {
    /// The context that operations take.
    pub ctx: Ctx,
    /// The loaders: the process' own, or in a request bound to one transaction its own.
    pub loaders: Arc<Loaders>,
    /// Who knows keys by their secrets.
    pub authenticator: Arc<Authenticator>,
    /// Where reservations are settled, and what is used is counted.
    pub limits: Arc<Desk>,
    /// Operations in one batch at most, for those who ask.
    pub max_batch: usize,
    /// What callers may ask for in a minute.
    pub budgets: Arc<Budgets>,
}

impl Request {
    /// The error of a token, or of a passkey, that is not good, counted against the address it comes from as a wrong key is; any other error as it is.
    pub fn refused(&self, error: Error) -> Error {
        if !matches!(error.code, Code::NotFound | Code::Unauthenticated) {
            return error;
        }
        let caller = Caller::at(self.ctx.request.ip);
        self.budgets.request(Some(caller)).err().unwrap_or(error)
    }
}

/// The request's data.
pub fn request<'a>(context: &Context<'a>) -> &'a Request {
    context.data_unchecked::<Request>()
}
