//! Those who deliver: workers for each lane, which claim, try, and say what came of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::model::{Lane, Parcel, Refusal, pause_after};
use super::ops::purpose;
use super::store;
use crate::ctx::{Clock, Events, Random};
use crate::db::Db;
use crate::error::Result;
use crate::mail::post::Post;
use crate::secrets::Sealer;

/// How long an attempt may take; then it has failed.
const ATTEMPT: Duration = Duration::from_secs(60);
/// How long a claim lasts: longer than an attempt and what is stored of it can take, also where servers' clocks differ a little.
const CLAIM: TimeDelta = TimeDelta::seconds(180);
/// How often it is looked for what other servers have committed, and for what is due again.
const EVERY: Duration = Duration::from_secs(5);
/// What is committed at nearly the same time is looked for once.
const TOGETHER: Duration = Duration::from_millis(20);
/// Characters of an error that are stored.
const MAX_ERROR: usize = 500;

/// Delivers parcels.
pub struct Office {
    db: Db,
    clock: Clock,
    random: Random,
    sealer: Arc<Sealer>,
    events: Events,
    mail: Post,
}

impl Office {
    /// An office over that database, woken by those events.
    pub fn new(
        db: Db,
        (clock, random): (Clock, Random),
        sealer: Arc<Sealer>,
        events: Events,
        mail: Post,
    ) -> Arc<Self> {
        Arc::new(Office {
            db,
            clock,
            random,
            sealer,
            events,
            mail,
        })
    }

    /// Makes one attempt at everything that is due; returns how many were made.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached: what was claimed is claimed again later.
    pub async fn round(self: &Arc<Self>) -> Result<usize> {
        let mut made = 0;
        for lane in Lane::ALL {
            loop {
                let claimed = self.claim(lane, lane.width()).await?;
                let count = claimed.len();
                let mut under_way = JoinSet::new();
                for parcel in claimed {
                    under_way.spawn(self.clone().attempt(lane, parcel));
                }
                while under_way.join_next().await.is_some() {}
                made += count;
                if count < lane.width() {
                    break;
                }
            }
        }
        Ok(made)
    }

    /// Delivers what there is and what comes, until told to stop; then no more is claimed, and what is under way has `patience` to end.
    /// What has not is claimed no longer.
    pub async fn run(self: Arc<Self>, stopping: watch::Receiver<bool>, patience: Duration) {
        let mut lanes = JoinSet::new();
        for lane in Lane::ALL {
            lanes.spawn(self.clone().run_lane(lane, stopping.clone(), patience));
        }
        while lanes.join_next().await.is_some() {}
    }

    async fn run_lane(
        self: Arc<Self>,
        lane: Lane,
        mut stopping: watch::Receiver<bool>,
        patience: Duration,
    ) {
        let mut grown = self.events.follow();
        let mut under_way = JoinSet::new();
        // Those that a worker holds, to be given back when it is cut off.
        let mut held: Vec<Parcel> = Vec::new();
        loop {
            let room = lane.width() - under_way.len();
            let claimed = match room {
                0 => Vec::new(),
                room => self.claim(lane, room).await.unwrap_or_else(|error| {
                    let cause = error.cause.unwrap_or(error.message);
                    tracing::warn!(cause, "the outbox cannot be read; trying again");
                    Vec::new()
                }),
            };
            for parcel in claimed {
                held.push(parcel.clone());
                under_way.spawn(self.clone().attempt(lane, parcel));
            }
            tokio::select! {
                () = told(&mut stopping) => break,
                Some(ended) = under_way.join_next(), if !under_way.is_empty() => {
                    held.retain(|parcel| !ended.as_ref().is_ok_and(|id| parcel.id == *id));
                }
                _ = grown.changed(), if under_way.len() < lane.width() => sleep(TOGETHER).await,
                () = sleep(EVERY) => {}
            }
        }
        let ending = async {
            while let Some(ended) = under_way.join_next().await {
                held.retain(|parcel| !ended.as_ref().is_ok_and(|id| parcel.id == *id));
            }
        };
        if timeout(patience, ending).await.is_err() {
            under_way.shutdown().await;
            for parcel in &held {
                let released = async {
                    let mut conn = self.db.read("release_parcel").await?;
                    store::release(&mut conn, parcel, self.clock.now()).await
                };
                if let Err(failure) = released.await {
                    tracing::debug!(cause = ?failure, "a claim could not be given back; it runs out");
                }
            }
        }
    }

    async fn claim(&self, lane: Lane, room: usize) -> Result<Vec<Parcel>> {
        let now = self.clock.now();
        let mut conn = self.db.read("claim_parcels").await?;
        Ok(store::claim(&mut conn, lane.as_str(), now, now + CLAIM, room as i64).await?)
    }

    /// Makes an attempt and stores what came of it. Returns the parcel's id.
    async fn attempt(self: Arc<Self>, lane: Lane, parcel: Parcel) -> uuid::Uuid {
        let tried = timeout(ATTEMPT, self.deliver(lane, &parcel)).await;
        let tried = tried.unwrap_or_else(|_| {
            let seconds = ATTEMPT.as_secs();
            Err(Refusal::for_now(format!("it took longer than {seconds} s")))
        });
        if let Err(failure) = self.settle(lane, &parcel, tried).await {
            let cause = failure.cause.unwrap_or(failure.message);
            tracing::warn!(parcel = %parcel.id, cause, "what came of a delivery could not be stored: it is made again");
        }
        parcel.id
    }

    async fn deliver(&self, lane: Lane, parcel: &Parcel) -> std::result::Result<(), Refusal> {
        let opened = self.sealer.open(&purpose(lane), &parcel.payload);
        let payload =
            opened.map_err(|error| Refusal::for_now(error.cause.unwrap_or(error.message)))?;
        match lane {
            Lane::Mail => {
                self.mail
                    .deliver(parcel.id, &payload, self.clock.now())
                    .await
            }
        }
    }

    async fn settle(
        &self,
        lane: Lane,
        parcel: &Parcel,
        tried: std::result::Result<(), Refusal>,
    ) -> Result<()> {
        let now = self.clock.now();
        let count = |result: &'static str| {
            metrics::counter!("keystead_outbox_total", "lane" => lane.as_str(), "result" => result)
                .increment(1);
        };
        let mut conn = self.db.read("settle_parcel").await?;
        let refusal = match tried {
            Ok(()) => {
                store::delivered(&mut conn, parcel).await?;
                count("delivered");
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        let why: String = refusal.why.chars().take(MAX_ERROR).collect();
        match pause_after(parcel.attempts).filter(|_| !refusal.for_good) {
            Some(pause) => {
                let due = now + self.spread(pause);
                store::again(&mut conn, parcel, due, &why).await?;
                count("failed");
                tracing::warn!(parcel = %parcel.id, lane = lane.as_str(), attempt = parcel.attempts, cause = why, next = %due,
                    "it could not be delivered; trying again");
            }
            None => {
                store::dead(&mut conn, parcel, now, &why).await?;
                count("dead");
                tracing::error!(parcel = %parcel.id, lane = lane.as_str(), attempts = parcel.attempts, cause = why,
                    "it could not be delivered and is given up");
            }
        }
        Ok(())
    }

    /// Up to a tenth longer, so that what failed together is not tried together.
    fn spread(&self, pause: TimeDelta) -> TimeDelta {
        let share = i32::from(self.random.bytes::<1>()[0]);
        pause + pause / 10 * share / 256
    }
}

/// Resolves when it is told to stop, and when nobody can tell any more.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // The value that it answers with is a lock, which must not be held on to.
    let _ = stopping.wait_for(|stop| *stop).await.is_ok();
}
