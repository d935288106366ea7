//! The application: everything that requests share, the same for the server and for tests.

mod keep;

use std::sync::Arc;

use crate::audit::follow::Feed;
use crate::authn::password::Passwords;
use crate::authn::{Authenticator, Credential, People};
use crate::ctx::{Actor, Clock, Ctx, Events, Policy, Random, RequestInfo};
use crate::db::{Db, Endpoint, PoolSettings, migrate};
use crate::dialects::wandb::Wandb;
use crate::error::Result;
use crate::graphql::api::Api;
use crate::graphql::loaders::Loaders;
use crate::graphql::settings::Settings as ApiSettings;
use crate::limits::ops::{Desk, Policies};
use crate::mail::model::Settings as MailSettings;
use crate::mail::post::Post;
use crate::outbox::office::Office;
use crate::policy::ops as policy;
use crate::replicas::ReplicaSettings;
use crate::secrets::Sealer;
use crate::webhooks::courier::Courier;

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
    /// The dialect of wandb.
    pub wandb: Wandb,
    /// What passwords are verified by.
    pub passwords: Passwords,
    /// Seals what is stored and must be read again.
    pub sealer: Arc<Sealer>,
    /// Who delivers what changes want delivered.
    pub office: Arc<Office>,
    limit_policies: Arc<Policies>,
    policies: Arc<policy::Policies>,
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
    sealer: Sealer,
    mail: MailSettings,
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

    /// What seals what is stored; unless set, with a file in the working directory's `.keystead`.
    #[must_use]
    pub fn sealer(mut self, sealer: Sealer) -> Self {
        self.sealer = sealer;
        self
    }

    /// How mails are sent.
    #[must_use]
    pub fn mail(mut self, mail: MailSettings) -> Self {
        self.mail = mail;
        self
    }

    /// Opens the pool and puts the parts together. The database is not asked for anything yet.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the pool cannot be made, `BAD_USER_INPUT` when a limit is not safe, or mails cannot be sent as they shall.
    pub async fn build(self) -> Result<App> {
        let db = Db::open(self.endpoint, &self.pool).await?;
        let terms = self.policy.reservations;
        let loaders = Loaders::new(&db, &self.clock, terms.charging);
        let events = Events::default();
        // Its key is this process' own, also where tests want everything else to be foreseen.
        let passwords = Passwords::new(&Random::system());
        let authenticator = Arc::new(Authenticator::new(
            db.clone(),
            self.clock.clone(),
            self.memory,
            People {
                sessions: self.policy.sessions,
                passwords: passwords.clone(),
                cost: self.policy.password_cost,
                first: self.policy.first.clone(),
            },
        ));
        let feed = Feed::new(db.clone(), events.clone(), authenticator.clone());
        let limits = Desk::new(&db, &self.clock, terms);
        let sealer = Arc::new(self.sealer);
        let policies = Arc::new(policy::Policies::new(self.policy.first.clone()));
        let policy = Arc::new(self.policy);
        let limit_policies: Arc<Policies> = Arc::default();
        let own = Ctx {
            actor: Actor::Keystead,
            request: Arc::default(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            db: db.clone(),
            policy: policy.clone(),
            events: events.clone(),
            sealer: sealer.clone(),
            limit_policies: limit_policies.clone(),
            policies: policies.clone(),
            passwords: passwords.clone(),
        };
        let office = Office::new(own, Post::new(&self.mail)?, Courier::new(&policy.webhooks)?);
        let api = Api::new(
            loaders.clone(),
            authenticator.clone(),
            feed,
            limits.clone(),
            self.api,
        )?;
        Ok(App {
            wandb: Wandb::new(loaders, api.clone())?,
            api,
            authenticator,
            limits,
            passwords,
            sealer,
            office,
            db,
            clock: self.clock,
            random: self.random,
            policies,
            policy,
            events,
            limit_policies,
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
            sealer: Sealer::with_file(".keystead/sealing.key".into()),
            mail: MailSettings::default(),
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
            passwords: self.passwords.clone(),
            sealer: self.sealer.clone(),
            limit_policies: self.limit_policies.clone(),
            policies: self.policies.clone(),
        }
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
