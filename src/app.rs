//! The application: everything that requests share, the same for the server and for tests.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::api_keys;
use crate::audit::follow::Feed;
use crate::authn::{Authenticator, Credential};
use crate::ctx::{Actor, Clock, Ctx, Events, Policy, Random, RequestInfo};
use crate::db::{Db, Endpoint, PoolSettings, migrate};
use crate::error::Result;
use crate::graphql::api::Api;
use crate::graphql::loaders::Loaders;
use crate::graphql::settings::Settings as ApiSettings;
use crate::idempotency;
use crate::limits::ops::{self as limits, Desk, Policies};
use crate::replicas::ReplicaSettings;
use crate::usage;

/// How often expired answers of idempotent requests are deleted.
const ANSWERS_EVERY: std::time::Duration = std::time::Duration::from_secs(600);

/// How often it is stored when keys and users were last used.
const LAST_USED_EVERY: Duration = Duration::from_secs(10);

/// How often it is looked for keys that are going to expire.
const NOTICES_EVERY: Duration = Duration::from_secs(3_600);

/// How often what was reserved and not settled is charged or released.
const RESERVATIONS_EVERY: Duration = Duration::from_secs(5);

/// How often the tables of usage events are looked after.
const MONTHS_EVERY: Duration = Duration::from_secs(3_600);

/// Bytes in which keys are remembered, unless set otherwise.
const MEMORY: u64 = 64 << 20;

/// What requests share. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// The rules that the operator has set.
    pub policy: Arc<Policy>,
    /// Where changes are announced.
    pub events: Events,
    /// Who is calling.
    pub authenticator: Arc<Authenticator>,
    /// Where requests are reserved and settled.
    pub limits: Arc<Desk>,
    /// The GraphQL API.
    pub api: Api,
    limit_policies: Arc<Policies>,
    replicas: ReplicaSettings,
}

/// What an [`App`] is made of.
pub struct Builder {
    endpoint: Endpoint,
    pool: PoolSettings,
    clock: Clock,
    random: Random,
    policy: Policy,
    api: ApiSettings,
    replicas: ReplicaSettings,
    memory: u64,
}

impl Builder {
    /// The pool's size and time-outs.
    #[must_use]
    pub fn pool(mut self, pool: PoolSettings) -> Self {
        self.pool = pool;
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Other randomness than the system's.
    #[must_use]
    pub fn random(mut self, random: Random) -> Self {
        self.random = random;
        self
    }

    /// The operator's rules.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The settings of the GraphQL API.
    #[must_use]
    pub fn api(mut self, api: ApiSettings) -> Self {
        self.api = api;
        self
    }

    /// How a lease is held, by [`App::keep_lease`].
    #[must_use]
    pub fn replicas(mut self, replicas: ReplicaSettings) -> Self {
        self.replicas = replicas;
        self
    }

    /// Bytes in which keys are remembered, under a lease; 0: not at all.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Opens the pool and puts the parts together. The database is not asked for anything yet.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the pool cannot be made, `BAD_USER_INPUT` when a limit is not safe.
    pub async fn build(self) -> Result<App> {
        let db = Db::open(self.endpoint, &self.pool).await?;
        let terms = self.policy.reservations;
        let loaders = Loaders::new(&db, &self.clock, terms.charging);
        let events = Events::default();
        let authenticator = Arc::new(Authenticator::new(
            db.clone(),
            self.clock.clone(),
            self.memory,
        ));
        let feed = Feed::new(db.clone(), events.clone(), authenticator.clone());
        let limits = Desk::new(&db, &self.clock, terms);
        Ok(App {
            api: Api::new(
                loaders,
                authenticator.clone(),
                feed,
                limits.clone(),
                self.api,
            )?,
            authenticator,
            limits,
            db,
            clock: self.clock,
            random: self.random,
            policy: Arc::new(self.policy),
            events,
            limit_policies: Arc::default(),
            replicas: self.replicas,
        })
    }
}

impl App {
    /// Begins an app over that database, with the system's clock and randomness.
    pub fn builder(endpoint: Endpoint) -> Builder {
        Builder {
            endpoint,
            pool: PoolSettings::default(),
            clock: Clock::system(),
            random: Random::system(),
            policy: Policy::default(),
            api: ApiSettings::default(),
            replicas: ReplicaSettings::default(),
            memory: MEMORY,
        }
    }

    /// Brings the database to this version's schema. Returns the names of the migrations that ran.
    ///
    /// # Errors
    /// As [`migrate::up`].
    pub async fn migrate(&self) -> Result<Vec<String>> {
        migrate::up(&self.db).await
    }

    /// The context of a request by that actor.
    pub fn ctx(&self, actor: Actor, request: impl Into<Arc<RequestInfo>>) -> Ctx {
        Ctx {
            actor,
            request: request.into(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            db: self.db.clone(),
            policy: self.policy.clone(),
            events: self.events.clone(),
            limit_policies: self.limit_policies.clone(),
        }
    }

    /// Deletes the answers of idempotent requests that have expired, every ten minutes, for ever: a server runs it beside its
    /// requests.
    pub async fn keep_answers(self) {
        keep(
            ANSWERS_EVERY,
            "cannot delete expired idempotency keys",
            || idempotency::ops::purge(&self.db, &self.clock),
        )
        .await;
    }

    /// Stores when keys and users were last used, as far as it is not stored yet; returns for how many keys.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached; it is kept for the next time.
    pub async fn flush_last_used(&self) -> Result<usize> {
        self.authenticator.last_used.flush(&self.db).await
    }

    /// Does so every ten seconds, for ever: a server runs it beside its requests.
    pub async fn keep_last_used(self) {
        keep(
            LAST_USED_EVERY,
            "cannot store when keys were last used",
            || self.flush_last_used(),
        )
        .await;
    }

    /// Announces the keys that are going to expire, as far as it was not said yet; returns how many notices were given.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached; the rest is said the next time.
    pub async fn announce_expiring(&self) -> Result<usize> {
        let ctx = self.ctx(Actor::Keystead, RequestInfo::default());
        api_keys::ops::announce_expiring(&ctx).await
    }

    /// Does so every hour, for ever: a server runs it beside its requests.
    pub async fn keep_announcing(self) {
        keep(
            NOTICES_EVERY,
            "cannot announce keys that are going to expire",
            || self.announce_expiring(),
        )
        .await;
    }

    /// Announces the budgets that are used up or have reached their soft amount, as far as it was not said yet; returns how many notices
    /// were given.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached; the rest is said the next time.
    pub async fn announce_budgets(&self) -> Result<usize> {
        let ctx = self.ctx(Actor::Keystead, RequestInfo::default());
        limits::announce(&ctx).await
    }

    /// Charges or releases what was reserved and has run out, and announces budgets, every five seconds, for ever: a server runs it beside
    /// its requests. It keeps what has run out from piling up; what is told and decided takes it into account before.
    pub async fn keep_reservations(self) {
        let terms = self.policy.reservations;
        keep(
            RESERVATIONS_EVERY,
            "cannot charge or release what was reserved, or announce budgets",
            || async {
                limits::lapse(&self.db, self.clock.now(), terms.charging).await?;
                self.announce_budgets().await
            },
        )
        .await;
    }

    /// Makes the tables of usage events ahead, and drops those that are older than the operator wants to keep; returns how many.
    ///
    /// # Errors
    /// As [`usage::ops::tend`].
    pub async fn tend_usage(&self) -> Result<i64> {
        usage::ops::tend(&self.db, self.clock.now(), self.policy.usage_retention).await
    }

    /// Does so every hour, for ever: a server runs it beside its requests.
    pub async fn keep_usage(self) {
        keep(
            MONTHS_EVERY,
            "cannot look after the tables of usage events",
            || self.tend_usage(),
        )
        .await;
    }

    /// Months, as `2030-01`, whose tables should have been made by [`App::keep_usage`] and are not there.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn missing_usage_months(&self) -> Result<Vec<String>> {
        usage::ops::missing_months(&self.db, self.clock.now()).await
    }

    /// Starts all that a server does beside its requests and may stop at any time.
    pub fn keep(&self) -> Vec<JoinHandle<()>> {
        vec![
            tokio::spawn(self.clone().keep_answers()),
            tokio::spawn(self.clone().keep_announcing()),
            tokio::spawn(self.clone().keep_reservations()),
            tokio::spawn(self.clone().keep_usage()),
        ]
    }

    /// Holds a lease under which keys are answered from memory, for ever: a server runs it beside its requests.
    pub async fn keep_lease(self) {
        self.db
            .replicas()
            .clone()
            .keep_lease(self.db, self.replicas)
            .await;
    }

    /// Tries whether a lease could be held here; answers with the servers that hold one.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, saying why not.
    pub async fn try_lease(&self) -> Result<Vec<String>> {
        let replicas = self.db.replicas();
        replicas.try_listening(&self.db, &self.replicas).await?;
        replicas.holders(&self.db).await
    }

    /// Gives the lease back, once [`App::keep_lease`] has been stopped.
    pub async fn give_lease_back(&self) {
        self.db.replicas().give_back(&self.replicas, &self.db).await;
    }

    /// Finds out who is calling.
    ///
    /// # Errors
    /// As [`Authenticator::actor`].
    pub async fn authenticate(
        &self,
        credential: Credential,
        request: &RequestInfo,
    ) -> Result<Actor> {
        self.authenticator.actor(credential, request.ip).await
    }
}

/// Does the work at once and then every so often, for ever. What fails is told and tried again.
async fn keep<T, F: Future<Output = Result<T>>>(
    every: Duration,
    trouble: &str,
    work: impl Fn() -> F,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = work().await {
            let cause = error.cause.unwrap_or_default();
            tracing::warn!(cause, "{trouble}; trying again");
        }
    }
}
