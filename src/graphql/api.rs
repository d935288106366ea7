//! Running a request against the schema. First [`Api::prepare`]: which document, is it allowed, what does it cost. Then
//! [`Api::run`] or [`Api::follow`]. Every transport comes this way.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response, Value, Variables};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use tracing::Instrument;

use super::Request;
use super::budget::{Budgets, Caller};
use super::documents::Documents;
use super::error::{Refused, Verdict, present};
use super::guard::{Guard, Operation, OperationKind};
use super::loaders::Loaders;
use super::once::Once;
use super::persisted::{Hash, Persisted};
use super::request::GraphqlRequest;
use super::scalars::READERS;
use super::schema::{self, KeysteadSchema};
use super::settings::Settings;
use super::trace;
use crate::audit::follow::Feed;
use crate::authn::Authenticator;
use crate::ctx::{Actor, Ctx};
use crate::error::{Code, Error};
use crate::limits::ops::Desk;
use crate::permissions::model::InstanceRole;

/// The schema with what its requests share. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
}

struct Inner {
    schema: KeysteadSchema,
    loaders: Arc<Loaders>,
    authenticator: Arc<Authenticator>,
    feed: Arc<Feed>,
    limits: Arc<Desk>,
    settings: Arc<Settings>,
    documents: Documents,
    persisted: Option<Persisted>,
    budgets: Arc<Budgets>,
}

/// A request that may run.
pub struct Prepared {
    /// What it does, and what it costs.
    pub operation: Operation,
    request: async_graphql::Request,
    /// Set: it shall have one effect however often it is sent.
    once: Option<Once>,
}

impl Prepared {
    /// Whether it changes something.
    pub fn is_mutation(&self) -> bool {
        self.operation.kind == OperationKind::Mutation
    }

    /// Whether it is answered more than once.
    pub fn is_subscription(&self) -> bool {
        self.operation.kind == OperationKind::Subscription
    }

    /// What metrics call it: its first root field, which unlike its name nobody can invent.
    pub fn label(&self) -> &str {
        self.operation
            .root_fields
            .first()
            .map_or("", String::as_str)
    }
}

/// The answer to a request that has run.
#[derive(Debug)]
pub struct Executed {
    /// The answer as JSON: `{"data": …, "errors": …, "extensions": …}`.
    pub body: Vec<u8>,
    /// The first error's code.
    pub code: Option<&'static str>,
    /// Seconds to wait, if the database or time was lacking and nothing at all was done.
    pub retry_after: Option<u64>,
    /// Whether another attempt may end otherwise: a conflict, a time-out, a fault.
    pub passing: bool,
    /// Whether an earlier request under the same `Idempotency-Key` has run, and this is its answer.
    pub replayed: bool,
}

impl Executed {
    /// The answer to an earlier request, as it was.
    pub(super) fn replayed(body: Vec<u8>) -> Self {
        Executed {
            body,
            code: None,
            retry_after: None,
            passing: false,
            replayed: true,
        }
    }
}

impl Api {
    /// Over those loaders and that sign-on, with that feed behind subscriptions and that desk for limits.
    ///
    /// # Errors
    /// An internal error when a limit is not safe.
    pub fn new(
        loaders: Arc<Loaders>,
        authenticator: Arc<Authenticator>,
        feed: Arc<Feed>,
        limits: Arc<Desk>,
        settings: Settings,
    ) -> Result<Self, Error> {
        let settings = Arc::new(settings);
        let guard = Guard::with_scalars(
            &schema::accepted(settings.federation),
            settings.limits.clone(),
            &READERS,
        )
        .map_err(|reason| Error::bad_input("limits", reason))?;
        Ok(Api {
            inner: Arc::new(Inner {
                schema: schema::build(settings.federation),
                loaders,
                authenticator,
                feed,
                limits,
                documents: Documents::new(guard),
                persisted: settings
                    .persisted_queries
                    .then(|| Persisted::new(settings.persisted_bytes)),
                budgets: Arc::new(Budgets::new(&settings)),
                settings,
            }),
        })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Counts one request from an address whose credential was refused.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn count_refused(&self, ip: Option<std::net::IpAddr>) -> Result<(), Error> {
        self.inner.budgets.request(Some(Caller::at(ip)))
    }

    /// Counts a question that is asked by other means than a document: one operation, and so many points of cost.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn count(&self, ctx: &Ctx, cost: u64) -> Result<(), Error> {
        self.inner.budgets.request(Caller::of(ctx))?;
        self.inner.budgets.cost(Caller::of(ctx), cost)
    }

    /// What callers may ask for in a minute.
    pub fn budgets(&self) -> &Budgets {
        &self.inner.budgets
    }

    /// Finds the document, has it checked, and counts it.
    ///
    /// # Errors
    /// Whatever speaks against running it.
    pub fn prepare(&self, ctx: &Ctx, request: GraphqlRequest) -> Result<Prepared, Refused> {
        let span = trace::guard();
        let prepared = span.in_scope(|| self.checked(ctx, request));
        trace::end(&span, prepared.as_ref().err().and_then(trace::code));
        prepared
    }

    fn checked(&self, ctx: &Ctx, request: GraphqlRequest) -> Result<Prepared, Refused> {
        let inner = &*self.inner;
        let caller = Caller::of(ctx);
        inner.budgets.request(caller)?;
        let (text, register) = self.document(&request)?;
        let known = inner.documents.check(&text)?;
        if let (Some(hash), Some(persisted)) = (register, &inner.persisted) {
            persisted.keep(&hash, &text);
        }
        let operation = known.operation(request.operation_name.as_deref(), &request.variables)?;
        let once = match operation.kind {
            OperationKind::Mutation => Once::of(ctx, &text, &request),
            _ => None,
        };
        let mut engine = async_graphql::Request::new(String::new())
            .variables(Variables::from_json(request.variables.into()));
        engine.operation_name = request.operation_name;
        engine.set_parsed_query(known.tree.as_ref().clone());
        if operation.introspects && !self.may_introspect(ctx) {
            if operation
                .root_fields
                .iter()
                .any(|field| field == "__schema")
            {
                return Err(Error::new(
                    Code::IntrospectionDisabled,
                    "Introspection is switched off here. The schema is in the documentation; administrators may introspect.",
                )
                .into());
            }
            engine = engine.disable_introspection();
        }
        inner.budgets.cost(caller, operation.cost)?;
        Ok(Prepared {
            operation,
            request: engine,
            once,
        })
    }

    /// The text to run, and the hash to register it under once it has proved valid.
    fn document(&self, request: &GraphqlRequest) -> Result<(Arc<str>, Option<Hash>), Error> {
        let hash = Hash::read(&request.extensions)?;
        if let Some(trusted) = &self.inner.settings.trusted {
            return Ok((trusted.find(request, hash.as_ref())?, None));
        }
        match (&request.query, hash, &self.inner.persisted) {
            (Some(query), Some(hash), Some(_)) => {
                hash.check(query)?;
                Ok((query.as_str().into(), Some(hash)))
            }
            (Some(query), _, _) => Ok((query.as_str().into(), None)),
            (None, Some(hash), Some(persisted)) => Ok((persisted.find(&hash)?, None)),
            (None, Some(_), None) => Err(Error::new(
                Code::PersistedQueryNotSupported,
                "PersistedQueryNotSupported",
            )),
            (None, None, _) => Err(Error::new(
                Code::BadRequest,
                "There is no list of trusted documents here: send the document itself in 'query'.",
            )),
        }
    }

    /// Whether the caller may read the schema: everybody where introspection is on, else administrators.
    pub fn may_introspect(&self, ctx: &Ctx) -> bool {
        self.inner.settings.introspection
            || match &ctx.actor {
                Actor::Keystead => true,
                Actor::Anonymous | Actor::Enrolling(_) => false,
                Actor::Holder(holder) => holder
                    .facts
                    .user()
                    .is_some_and(|user| user.role == InstanceRole::Admin),
            }
    }

    /// Runs a query or a mutation. What takes longer than the deadline is dropped, and its transaction rolls back.
    ///
    /// # Errors
    /// A refusal when time runs out, or when a variable's value cannot be read.
    pub async fn run(&self, ctx: Ctx, mut prepared: Prepared) -> Result<Executed, Refused> {
        let span = trace::run(&prepared.operation);
        let running = async {
            match prepared.once.take() {
                Some(once) => self.run_once(ctx, once, prepared).await,
                None => {
                    let loaders = self.inner.loaders.clone();
                    self.run_with(ctx, loaders, prepared, false).await
                }
            }
        };
        let ran = running.instrument(span.clone()).await;
        trace::end(&span, ran.as_ref().map_or_else(trace::code, |ran| ran.code));
        ran
    }

    /// Runs with those loaders. With `whole`, an answer with an error that may pass has no data: it is going to be rolled back.
    pub(super) async fn run_with(
        &self,
        ctx: Ctx,
        loaders: Arc<Loaders>,
        prepared: Prepared,
        whole: bool,
    ) -> Result<Executed, Refused> {
        let deadline = self.inner.settings.deadline;
        let (id, cost) = (ctx.request.id.clone(), prepared.operation.cost);
        let undone = whole || !prepared.is_mutation();
        let kept = !undone;
        let request = self.bound(ctx, loaders, prepared.request);
        let running = self.inner.schema.execute(request);
        match tokio::time::timeout(deadline, AssertUnwindSafe(running).catch_unwind()).await {
            Ok(Ok(response)) => finish(response, &id, cost, whole, kept),
            Ok(Err(_panic)) => Err(Error::internal(format!("request {id} panicked")).into()),
            Err(_elapsed) => Err(late(deadline, undone).into()),
        }
    }

    /// Follows a subscription; a query or mutation is a stream of one answer.
    pub fn follow(
        &self,
        ctx: Ctx,
        prepared: Prepared,
    ) -> BoxStream<'static, Result<Executed, Refused>> {
        let (id, cost) = (ctx.request.id.clone(), prepared.operation.cost);
        if !prepared.is_subscription() {
            let api = self.clone();
            return futures_util::stream::once(async move { api.run(ctx, prepared).await }).boxed();
        }
        let request = self.bound(ctx, self.inner.loaders.clone(), prepared.request);
        let request = request.data(self.inner.feed.clone());
        let answers = self.inner.schema.execute_stream(request);
        AssertUnwindSafe(answers)
            .catch_unwind()
            .enumerate()
            .map(move |(number, answer)| match answer {
                // It ended before its first event: it was refused, not run.
                Ok(response) if number == 0 && response.data == Value::Null => {
                    match Refused::by_resolver(&response.errors) {
                        Some(refused) => Err(refused),
                        None => finish(response, &id, cost, false, false),
                    }
                }
                Ok(response) => finish(response, &id, cost, false, false),
                Err(_panic) => Err(Error::internal(format!("subscription {id} panicked")).into()),
            })
            .boxed()
    }

    fn bound(
        &self,
        ctx: Ctx,
        loaders: Arc<Loaders>,
        request: async_graphql::Request,
    ) -> async_graphql::Request {
        request.data(Request {
            ctx,
            loaders,
            authenticator: self.inner.authenticator.clone(),
            limits: self.inner.limits.clone(),
            max_batch: self.inner.settings.max_batch,
            budgets: self.inner.budgets.clone(),
            entered: Arc::default(),
        })
    }
}

/// A mutation may have been about to commit: only one that runs in a transaction of the request's own is surely undone.
fn late(deadline: Duration, undone: bool) -> Error {
    let advice = if undone {
        "Nothing was changed; ask for less, or try again."
    } else {
        "Look whether the change was made before you send it again; with an Idempotency-Key it is never made twice."
    };
    let waited = deadline.as_secs_f32();
    let message = format!("The request took longer than {waited} s. {advice}");
    Error::new(Code::Timeout, message)
}

/// Turns the engine's response into bytes, in the order of the request. `kept`: of a mutation whose changes are committed when they are resolved.
fn finish(
    mut response: Response,
    id: &str,
    cost: u64,
    whole: bool,
    kept: bool,
) -> Result<Executed, Refused> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    for error in &mut response.errors {
        let made = kept && error.path.len() > 1;
        verdicts.push(present(error, id, made));
    }
    let refused = response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty());
    if refused {
        return Err(Refused::by_engine(response.errors));
    }
    let passing = verdicts.iter().any(|verdict| verdict.passing);
    if passing && whole {
        response.data = Value::Null;
    }
    let nothing = match &response.data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|value| *value == Value::Null),
        _ => false,
    };
    let waits = verdicts.iter().filter_map(|verdict| verdict.retry_after);
    response.extensions.insert("cost".into(), cost.into());
    let body = serde_json::to_vec(&response).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Executed {
        body,
        code: verdicts.first().map(|verdict| verdict.code),
        retry_after: waits.max().filter(|_| nothing),
        passing,
        replayed: false,
    })
}
