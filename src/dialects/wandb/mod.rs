//! The dialect of wandb: what its client asks for users, API keys, teams, service accounts, organisations and registries.
//!
//! A small GraphQL schema of its own, with the names and nullability that the client was built against, behind the same guard as
//! Keystead's own. What fails has a status that the client does not try again and an `errors` array whose text it shows.

mod accounts;
mod answer;
mod entities;
mod ids;
mod keys;
mod members;
mod organizations;
mod pages;
mod registries;
mod scalars;
mod schema;
mod server_info;
mod teams;
mod users;

pub use answer::{refusal, unreadable};

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, Variables};
use futures_util::FutureExt;

use crate::ctx::Ctx;
use crate::dialects::Answer;
use crate::error::{Code, Error};
use crate::graphql::api::Api;
use crate::graphql::budget::Caller;
use crate::graphql::documents::Documents;
use crate::graphql::error::Refused;
use crate::graphql::guard::{Guard, OperationKind};
use crate::graphql::loaders::Loaders;
use crate::graphql::request::{Body, GraphqlRequest};
use schema::WandbSchema;

/// What the audit trail calls it.
pub const NAME: &str = "wandb";

/// The client waits 19 seconds for an answer, and then tells its user nothing of it.
const PATIENCE: Duration = Duration::from_secs(17);

/// The schema with what its requests share. Cheap to clone.
#[derive(Clone)]
pub struct Wandb {
    inner: Arc<Inner>,
}

struct Inner {
    schema: WandbSchema,
    documents: Documents,
    loaders: Arc<Loaders>,
    api: Api,
}

/// What every resolver finds in the request's data.
struct Asked {
    ctx: Ctx,
    loaders: Arc<Loaders>,
}

fn asked<'a>(context: &Context<'a>) -> &'a Asked {
    context.data_unchecked::<Asked>()
}

/// The user name that the client sends with every key.
const USER_NAME: &str = "api";

/// The key that a request shows, as a bearer's: the client sends it as the password of a user named `api`, which nobody is. `None`:
/// the header says what it says anywhere else.
pub fn bearer(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = ids::decode(rest.trim())?;
    let (name, key) = plain.split_once(':')?;
    let is_key = name == USER_NAME && !key.starts_with(crate::secrets::SESSION_PREFIX);
    is_key.then(|| format!("Bearer {key}"))
}

impl Wandb {
    /// Over those loaders, with the limits and budgets of that API.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when a limit is not safe.
    pub fn new(loaders: Arc<Loaders>, api: Api) -> Result<Self, Error> {
        let schema = schema::build();
        let guard = Guard::new(&schema.sdl(), api.settings().limits.clone())
            .map_err(|reason| Error::bad_input("limits", reason))?;
        Ok(Wandb {
            inner: Arc::new(Inner {
                schema,
                documents: Documents::new(guard),
                loaders,
                api,
            }),
        })
    }

    /// Answers the body of a request by somebody who is known.
    pub async fn answer(&self, ctx: Ctx, bytes: &[u8]) -> Answer {
        let id = ctx.request.id.clone();
        match self.prepare(&ctx, bytes) {
            Ok(prepared) => self.run(ctx, prepared).await,
            Err(refused) => refusal(refused, &id),
        }
    }

    fn prepare(&self, ctx: &Ctx, bytes: &[u8]) -> Result<Prepared, Refused> {
        let (budgets, caller) = (self.inner.api.budgets(), Caller::of(ctx));
        budgets.request(caller)?;
        let request = match Body::parse(bytes, 1)? {
            Body::One(one) => *one,
            Body::Batch(_) => {
                return Err(Error::new(
                    Code::BadRequest,
                    "Send one operation, as an object: there are no batches here.",
                )
                .into());
            }
        };
        let text = self.text(&request)?;
        let known = self.inner.documents.check(&text)?;
        let operation = known.operation(request.operation_name.as_deref(), &request.variables)?;
        budgets.cost(caller, operation.cost)?;
        let mut engine = async_graphql::Request::new(String::new())
            .variables(Variables::from_json(request.variables.into()));
        engine.operation_name = request.operation_name;
        engine.set_parsed_query(known.tree.as_ref().clone());
        Ok(Prepared {
            changes: operation.kind == OperationKind::Mutation,
            operation: operation.root_fields.first().cloned().unwrap_or_default(),
            cost: operation.cost,
            engine,
        })
    }

    /// The document. Where the operator has listed what may run, it is one of those.
    fn text(&self, request: &GraphqlRequest) -> Result<Arc<str>, Error> {
        match (&self.inner.api.settings().trusted, &request.query) {
            (Some(trusted), _) => trusted.find(request, None),
            (None, Some(query)) => Ok(query.as_str().into()),
            (None, None) => Err(Error::new(
                Code::BadRequest,
                "The key 'query' is missing: a string with the GraphQL document.",
            )),
        }
    }

    async fn run(&self, ctx: Ctx, prepared: Prepared) -> Answer {
        let id = ctx.request.id.clone();
        let deadline = PATIENCE.min(self.inner.api.settings().deadline);
        let request = prepared.engine.data(Asked {
            ctx,
            loaders: self.inner.loaders.clone(),
        });
        let running = AssertUnwindSafe(self.inner.schema.execute(request)).catch_unwind();
        let mut answer = match tokio::time::timeout(deadline, running).await {
            Ok(Ok(response)) => answer::answered(response, &id, prepared.changes),
            Ok(Err(_panic)) => refusal(Error::internal(format!("request {id} panicked")), &id),
            Err(_elapsed) => refusal(late(deadline), &id),
        };
        answer.operation = prepared.operation;
        answer.cost = prepared.cost;
        answer
    }
}

/// A request that may run.
struct Prepared {
    engine: async_graphql::Request,
    changes: bool,
    operation: String,
    cost: u64,
}

fn late(deadline: Duration) -> Error {
    let seconds = deadline.as_secs_f32();
    Error::new(
        Code::Timeout,
        format!(
            "The request took longer than {seconds} s. If it was to change something, look whether it has before you send it again."
        ),
    )
}
