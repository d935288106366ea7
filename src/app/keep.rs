//! What a server does beside its requests.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::App;
use crate::api_keys;
use crate::ctx::{Actor, RequestInfo};
use crate::error::Result;
use crate::factors;
use crate::idempotency;
use crate::limits::ops as limits;
use crate::magic_links;
use crate::outbox::ops as outbox;
use crate::sessions;
use crate::teams;
use crate::usage;
use crate::webhooks::ops as webhooks;

/// How often expired answers of idempotent requests, and sessions that have ended, are deleted.
const ANSWERS_EVERY: std::time::Duration = std::time::Duration::from_secs(600);

/// How often it is stored when keys and users were last used.
const LAST_USED_EVERY: Duration = Duration::from_secs(10);

/// How often it is looked for keys that are going to expire.
const NOTICES_EVERY: Duration = Duration::from_secs(3_600);

/// How often what was reserved and not settled is charged or released.
const RESERVATIONS_EVERY: Duration = Duration::from_secs(5);

/// How often the tables of usage events are looked after.
const MONTHS_EVERY: Duration = Duration::from_secs(3_600);

/// How often memberships that have ended are taken away. They give nothing meanwhile.
const MEMBERSHIPS_EVERY: Duration = Duration::from_secs(30);

/// How often dead letters that are too old are deleted.
const LETTERS_EVERY: Duration = Duration::from_secs(3_600);

impl App {
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

    /// Deletes the sessions that have ended by themselves and what was begun with second factors, and forgets old attempts to sign in, old links, and secrets that were to be shown again, every ten minutes, for ever: a server runs
    /// it beside its requests.
    pub async fn keep_sessions(self) {
        keep(ANSWERS_EVERY, "cannot delete ended sessions", || async {
            sessions::ops::purge(&self.db, &self.clock, &self.policy.sessions).await?;
            factors::ops::purge(&self.db, &self.clock).await?;
            magic_links::ops::purge(&self.db, &self.clock).await?;
            api_keys::ops::forget_shown(&self.db, &self.clock).await?;
            sessions::ops::forget_attempts(&self.db, &self.clock).await
        })
        .await;
    }

    /// Takes the memberships away that have ended; returns how many.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn end_memberships(&self) -> Result<usize> {
        teams::ops::members::end(&self.ctx(Actor::Keystead, RequestInfo::default())).await
    }

    /// Does so every half a minute, for ever: a server runs it beside its requests.
    pub async fn keep_memberships(self) {
        keep(
            MEMBERSHIPS_EVERY,
            "cannot take memberships away that have ended",
            || self.end_memberships(),
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

    /// Makes one attempt at all that is to be delivered and is due; returns how many were made.
    ///
    /// # Errors
    /// As [`Office::round`].
    pub async fn deliver_due(&self) -> Result<usize> {
        self.office.round().await
    }

    /// Delivers what changes want delivered until told to stop: a server runs it beside its requests. What is under way then has
    /// `patience` to end.
    pub async fn keep_delivering(self, stopping: watch::Receiver<bool>, patience: Duration) {
        self.office.run(stopping, patience).await;
    }

    /// How many deliveries wait, and how many were given up.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn deliveries(&self) -> Result<(i64, i64)> {
        outbox::counts(&self.db).await
    }

    /// Deletes dead letters and deliveries that are older than 30 days, every hour, for ever: a server runs it beside its requests.
    pub async fn keep_letters(self) {
        keep(LETTERS_EVERY, "cannot delete dead letters", || async {
            webhooks::tidy(&self.db, self.clock.now()).await?;
            outbox::tidy(&self.db, self.clock.now()).await
        })
        .await;
    }

    /// Starts all that a server does beside its requests and may stop at any time.
    pub fn keep(&self) -> Vec<JoinHandle<()>> {
        vec![
            tokio::spawn(self.clone().keep_answers()),
            tokio::spawn(self.clone().keep_announcing()),
            tokio::spawn(self.clone().keep_reservations()),
            tokio::spawn(self.clone().keep_usage()),
            tokio::spawn(self.clone().keep_sessions()),
            tokio::spawn(self.clone().keep_letters()),
            tokio::spawn(self.clone().keep_memberships()),
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
