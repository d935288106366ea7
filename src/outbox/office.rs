//! Those who deliver: workers for each lane, which claim, try, and say what came of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::model::{Lane, Parcel, Refusal, pause_after};
use super::ops::purpose;
use super::store;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::magic_links::ops as magic_links;
use crate::mail::post::Post;
use crate::webhooks::courier::{self, Courier, Tried};
use crate::webhooks::spread;

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
    /// Keystead's own.
    ctx: Ctx,
    mail: Post,
    webhooks: Courier,
}

impl Office {
    /// An office that acts in that context, which is Keystead's own.
    pub fn new(ctx: Ctx, mail: Post, webhooks: Courier) -> Arc<Self> {
        Arc::new(Office {
            ctx,
            mail,
            webhooks,
        })
    }

    /// Makes one attempt at everything that is due; returns how many were made.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached: what was claimed is claimed again later.
    pub async fn round(self: &Arc<Self>) -> Result<usize> {
        let mut made = 0;
        while spread::spread(&self.ctx).await? > 0 {}
        for lane in Lane::ALL {
            loop {
                let claimed = self.claim(lane, &[]).await?;
                let count = claimed.len();
                let mut under_way = JoinSet::new();
                for parcel in claimed {
                    under_way.spawn(self.clone().attempt(lane, parcel));
                }
                while under_way.join_next().await.is_some() {}
                made += count;
                if count == 0 {
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
        lanes.spawn(self.clone().run_spreading(stopping.clone()));
        for lane in Lane::ALL {
            lanes.spawn(self.clone().run_lane(lane, stopping.clone(), patience));
        }
        while lanes.join_next().await.is_some() {}
    }

    /// Makes deliveries of events.
    async fn run_spreading(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let mut grown = self.ctx.events.follow();
        loop {
            let spread = spread::spread(&self.ctx).await.unwrap_or_else(|error| {
                let cause = error.cause.unwrap_or(error.message);
                tracing::warn!(cause, "events cannot be read from the outbox; trying again");
                0
            });
            if spread > 0 {
                self.ctx.events.publish();
                if spread as i64 == spread::AT_ONCE && !*stopping.borrow() {
                    continue;
                }
            }
            // What it has published itself is no news.
            grown.mark_unchanged();
            tokio::select! {
                () = told(&mut stopping) => return,
                _ = grown.changed() => sleep(TOGETHER).await,
                () = sleep(EVERY) => {}
            }
        }
    }

    async fn run_lane(
        self: Arc<Self>,
        lane: Lane,
        mut stopping: watch::Receiver<bool>,
        patience: Duration,
    ) {
        let mut grown = self.ctx.events.follow();
        let mut under_way = JoinSet::new();
        // Those that a worker holds, to be given back when it is cut off.
        let mut held: Vec<Parcel> = Vec::new();
        loop {
            let claimed = match lane.width() - under_way.len() {
                0 => Vec::new(),
                _ => self.claim(lane, &held).await.unwrap_or_else(|error| {
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
                    let mut conn = self.ctx.db.read("release_parcel").await?;
                    store::release(&mut conn, parcel, self.ctx.now()).await
                };
                if let Err(failure) = released.await {
                    tracing::debug!(cause = ?failure, "a claim could not be given back; it runs out");
                }
            }
        }
    }

    /// Claims as many as there is room for beside those that are held.
    async fn claim(&self, lane: Lane, held: &[Parcel]) -> Result<Vec<Parcel>> {
        let mut busy: Vec<Uuid> = held.iter().filter_map(|parcel| parcel.subject).collect();
        let of = |subject: &Uuid| {
            held.iter()
                .filter(|other| other.subject == Some(*subject))
                .count()
        };
        busy.retain(|subject| of(subject) >= lane.share());
        busy.sort_unstable();
        busy.dedup();
        let now = self.ctx.now();
        let room = lane.width().saturating_sub(held.len());
        let mut conn = self.ctx.db.read("claim_parcels").await?;
        let limits = (room as i64, lane.share() as i64);
        Ok(store::claim(&mut conn, lane.as_str(), now, now + CLAIM, limits, busy).await?)
    }

    /// Makes an attempt and stores what came of it. Returns the parcel's id.
    async fn attempt(self: Arc<Self>, lane: Lane, parcel: Parcel) -> Uuid {
        let tried = timeout(ATTEMPT, self.deliver(lane, &parcel)).await;
        let tried = tried.unwrap_or_else(|_| {
            let seconds = ATTEMPT.as_secs();
            Refusal::for_now(format!("it took longer than {seconds} s")).into()
        });
        if let Err(failure) = self.settle(lane, &parcel, tried).await {
            let cause = failure.cause.unwrap_or(failure.message);
            tracing::warn!(parcel = %parcel.id, cause, "what came of a delivery could not be stored: it is made again");
        }
        parcel.id
    }

    async fn deliver(&self, lane: Lane, parcel: &Parcel) -> Tried {
        match lane {
            Lane::Link | Lane::Mail => {
                let sealed = parcel.payload.as_deref().unwrap_or_default();
                let opened = self.ctx.sealer.open(&purpose(lane), sealed);
                let result = match opened {
                    Ok(payload) if lane == Lane::Link => {
                        magic_links::answer(&self.ctx, parcel.id, &payload).await
                    }
                    Ok(payload) => self.mail.deliver(parcel.id, &payload, self.ctx.now()).await,
                    Err(error) => Err(Refusal::for_now(error.cause.unwrap_or(error.message))),
                };
                Tried {
                    status: None,
                    result,
                }
            }
            Lane::Webhook => self.webhooks.deliver(&self.ctx, parcel.id).await,
        }
    }

    /// Stores what came of an attempt, unless the parcel has been claimed again since.
    async fn settle(&self, lane: Lane, parcel: &Parcel, tried: Tried) -> Result<()> {
        let now = self.ctx.now();
        let db = &self.ctx.db;
        let mut tx = db.begin("settle_parcel").await?;
        let (result, next, settled) = match &tried.result {
            Ok(()) => ("delivered", None, store::delivered(&mut tx, parcel).await?),
            Err(refusal) => {
                let why: String = refusal.why.chars().take(MAX_ERROR).collect();
                match pause_after(parcel.attempts).filter(|_| !refusal.for_good) {
                    Some(pause) => {
                        let due = now + self.spread(pause);
                        let settled = store::again(&mut tx, parcel, due, &why).await?;
                        tracing::warn!(parcel = %parcel.id, lane = lane.as_str(), attempt = parcel.attempts, cause = why, next = %due,
                            "it could not be delivered; trying again");
                        ("failed", Some(due), settled)
                    }
                    None => {
                        let settled = store::dead(&mut tx, parcel, now, &why).await?;
                        tracing::error!(parcel = %parcel.id, lane = lane.as_str(), attempts = parcel.attempts, cause = why,
                            "it could not be delivered and is given up");
                        ("dead", None, settled)
                    }
                }
            }
        };
        if lane == Lane::Webhook && settled > 0 {
            courier::note(&mut tx, parcel.id, parcel.attempts, &tried, (now, next)).await?;
        }
        tx.commit().await?;
        metrics::counter!("keystead_outbox_total", "lane" => lane.as_str(), "result" => result)
            .increment(1);
        Ok(())
    }

    /// Up to a tenth longer, so that what failed together is not tried together.
    fn spread(&self, pause: TimeDelta) -> TimeDelta {
        let share = i32::from(self.ctx.random.bytes::<1>()[0]);
        pause + pause / 10 * share / 256
    }
}

/// Resolves when it is told to stop, and when nobody can tell any more.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // The value that it answers with is a lock, which must not be held on to.
    let _ = stopping.wait_for(|stop| *stop).await.is_ok();
}
