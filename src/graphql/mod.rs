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

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, Name, QueryPathSegment};

use crate::authn::Authenticator;
use crate::ctx::{Actor, Ctx};
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
    /// Whom a mutation of this request has signed in.
    pub entered: Arc<OnceLock<Entered>>,
}

/// Somebody who has been signed in by a mutation: its answer is what that user sees.
pub struct Entered {
    /// The mutation's name in the answer.
    under: Name,
    request: Request,
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

    /// The request as that actor sees it.
    fn of(&self, actor: Actor) -> Request {
        let ctx = Ctx {
            actor,
            ..self.ctx.clone()
        };
        Request {
            ctx,
            entered: Arc::default(),
            ..self.clone()
        }
    }
}

/// The request's data; below a mutation that has signed somebody in, as that user sees it.
pub fn request<'a>(context: &Context<'a>) -> &'a Request {
    let request = context.data_unchecked::<Request>();
    let mut entered = request.entered.get();
    while let Some(here) = entered {
        if below(context) == Some(&here.under) {
            return &here.request;
        }
        entered = here.request.entered.get();
    }
    request
}

/// Has what lies below the mutation that this is the context of answered as that actor sees it.
pub fn enter(context: &Context<'_>, actor: Actor) {
    let request = context.data_unchecked::<Request>();
    let mut entered = Entered {
        under: context.item.node.response_key().node.clone(),
        request: request.of(actor),
    };
    let mut slot = &request.entered;
    while let Err(refused) = slot.set(entered) {
        let Some(before) = slot.get() else { return };
        (entered, slot) = (refused, &before.request.entered);
    }
}

/// The name in the answer of the root field that this lies below; `None` for a root field.
fn below<'a>(context: &Context<'a>) -> Option<&'a str> {
    let mut node = context.path_node.as_ref()?.parent?;
    while let Some(parent) = node.parent {
        node = parent;
    }
    match node.segment {
        QueryPathSegment::Name(name) => Some(name),
        QueryPathSegment::Index(_) => None,
    }
}
