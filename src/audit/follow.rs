//! Following the trail live: every event that becomes visible after the subscription began, once, whichever process wrote it, as long
//! as the subscriber's credential works; or on from an event that the subscriber has.
//!
//! Transactions do not become visible in the order in which they began, so "everything newer than the last event" would miss some.
//! Instead the follower remembers the snapshot of its last look: a row's transaction that was not visible in it and is visible now
//! is new. No open transaction, in this database or another, holds anything up.
//!
//! Who goes on from an event is told first what may have become visible after it: all that was written by transactions that were not over
//! when it was written. So nothing is missed, and what happened at the same time may be told again.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Mutex, broadcast};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::model::{AuditEvent, AuditFilter};
use super::ops::may_read;
use super::store;
use crate::authn::Authenticator;
use crate::ctx::{Ctx, Events};
use crate::db::Db;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Code, Error, Result};
use crate::permissions::ops::access;

/// How often the follower looks when nobody in this process announces a change.
const EVERY: Duration = Duration::from_millis(500);
/// How long it waits after the database could not be asked.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// How often a subscriber's credential is checked while it gets no events; with events, before each delivery.
const RECHECK: Duration = Duration::from_secs(3);
/// Events that wait for a subscriber before it has fallen behind.
const BACKLOG: usize = 4_096;
/// Events that are delivered on one check of the credential.
const DELIVERY: usize = 256;

/// Events that somebody who goes on from one may have missed.
const MISSED: i64 = 10_000;

type Sender = broadcast::Sender<Told>;

/// An event, and its transaction.
#[derive(Clone)]
struct Told {
    event: Arc<AuditEvent>,
    transaction: u64,
}

/// The live feed of one process. It reads the trail only while somebody is subscribed.
pub struct Feed {
    db: Db,
    events: Events,
    authenticator: Arc<Authenticator>,
    running: Mutex<Option<Sender>>,
}

impl Feed {
    /// A feed over that database, woken by those events.
    pub fn new(db: Db, events: Events, authenticator: Arc<Authenticator>) -> Arc<Self> {
        Arc::new(Feed {
            db,
            events,
            authenticator,
            running: Mutex::new(None),
        })
    }

    /// Subscribes the actor to the events that pass the filter and that it may read. What is committed after this has answered is
    /// delivered; what was committed just before may be. With `after`, what may have become visible after that event is delivered first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for an anonymous request; `NOT_FOUND` for an event that is not there or may not be read; `LIMIT_EXCEEDED` where
    /// more than 10,000 events were missed; `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn subscribe(
        self: &Arc<Self>,
        ctx: Ctx,
        filter: AuditFilter,
        after: Option<Uuid>,
    ) -> Result<Subscriber> {
        access::authenticated(&ctx)?;
        let mut running = self.running.lock().await;
        let receiver = match running.as_ref() {
            Some(sender) => sender.subscribe(),
            None => {
                let mut conn = self.db.read("audit_feed_snapshot").await?;
                let snapshot = store::snapshot(&mut conn).await?;
                let (sender, receiver) = broadcast::channel(BACKLOG);
                *running = Some(sender.clone());
                tokio::spawn(self.clone().run(sender, snapshot));
                receiver
            }
        };
        drop(running);
        // What is committed from here on is heard live, and what was before is visible in the snapshot: nothing falls between.
        let missed = match after {
            Some(id) => Some(self.missed(&ctx, id).await?),
            None => None,
        };
        Ok(Subscriber {
            feed: self.clone(),
            receiver,
            until: missed
                .as_ref()
                .and_then(|missed| Snapshot::read(&missed.until)),
            missed,
            ctx,
            filter,
            ready: VecDeque::new(),
            ended: false,
            check_at: Instant::now() + RECHECK,
        })
    }

    /// What somebody who goes on from that event has missed.
    async fn missed(&self, ctx: &Ctx, id: Uuid) -> Result<Missed> {
        let mut conn = self.db.read("audit_feed_resume").await?;
        let found = store::origin(&mut conn, id).await?;
        let (_, origin) = found
            .filter(|(event, _)| may_read(ctx, event))
            .ok_or_else(|| {
                let id = Id::new(Kind::AuditEvent, id).to_string();
                Error::not_found("after", format!("There is no audit event {}.", quoted(&id)))
            })?;
        let until = store::snapshot(&mut conn).await?;
        if store::count_after(&mut conn, &origin, &until, MISSED + 1).await? > MISSED {
            let message = format!(
                "More than {MISSED} events have happened since. Ask auditEvents for them, and go on from the last of those."
            );
            return Err(Error::new(Code::LimitExceeded, message).at("after"));
        }
        Ok(Missed {
            origin,
            until,
            last: None,
        })
    }

    /// Looks for what has become visible, and sends it to all, until nobody is subscribed.
    async fn run(self: Arc<Self>, sender: Sender, mut snapshot: String) {
        let mut grown = self.events.follow();
        loop {
            let pause = match self.look(&sender, &snapshot).await {
                Ok(Some(next)) => {
                    snapshot = next;
                    EVERY
                }
                Ok(None) => EVERY,
                Err(error) => {
                    let cause = error.cause.unwrap_or(error.message);
                    tracing::warn!(cause, "the audit feed could not be read");
                    AFTER_FAILURE
                }
            };
            if sender.receiver_count() == 0 {
                let mut running = self.running.lock().await;
                // Somebody may have subscribed in between; nobody can while the lock is held.
                if sender.receiver_count() == 0 {
                    *running = None;
                    return;
                }
            }
            tokio::select! {
                _ = grown.changed(), if pause == EVERY => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Sends what was not visible in `snapshot` and is now. Answers with the snapshot of this look, if there was anything.
    async fn look(&self, sender: &Sender, snapshot: &str) -> Result<Option<String>> {
        let mut conn = self.db.read("audit_feed").await?;
        let mut upper = None;
        let mut last = None;
        loop {
            let page = store::appeared(&mut conn, snapshot, upper.as_deref(), last.take()).await?;
            // What appears while the pages are read belongs to the next look.
            upper = upper.or(page.snapshot);
            last = page.last;
            for (event, transaction) in page.events {
                let told = Told {
                    event: Arc::new(event),
                    transaction: transaction.parse().unwrap_or(u64::MAX),
                };
                // An error says that nobody listens any more, which the caller sees for itself.
                let _ = sender.send(told);
            }
            if last.is_none() {
                return Ok(upper);
            }
        }
    }
}

/// What is to be read before what is heard.
struct Missed {
    origin: store::Origin,
    until: String,
    last: Option<store::Place>,
}

/// Which transactions were visible at some moment.
struct Snapshot {
    /// All before were over.
    oldest: u64,
    /// This and later ones had not begun.
    next: u64,
    /// Of those between, these were open.
    open: HashSet<u64>,
}

impl Snapshot {
    /// Reads what Postgres writes: `xmin:xmax:in progress`.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (oldest, next) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let open = parts.next()?.split(',').filter_map(|id| id.parse().ok());
        Some(Snapshot {
            oldest,
            next,
            open: open.collect(),
        })
    }

    fn shows(&self, transaction: u64) -> bool {
        transaction < self.oldest || transaction < self.next && !self.open.contains(&transaction)
    }
}

/// One subscription. Its events come with a context whose facts were loaded after they were committed.
pub struct Subscriber {
    feed: Arc<Feed>,
    receiver: broadcast::Receiver<Told>,
    /// What is to be delivered before what is heard.
    missed: Option<Missed>,
    /// What was visible when that was counted: heard again, it is no news.
    until: Option<Snapshot>,
    ctx: Ctx,
    filter: AuditFilter,
    ready: VecDeque<Arc<AuditEvent>>,
    ended: bool,
    check_at: Instant,
}

impl Subscriber {
    /// The next event, and the context to show it in. An error is the last answer: the credential works no more, or the subscriber
    /// has fallen behind. `None` after that.
    pub async fn next(&mut self) -> Option<Result<(Arc<AuditEvent>, Ctx)>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok((event, self.ctx.clone())));
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.wait().await {
                self.ended = true;
                self.ready.clear();
                return Some(Err(error));
            }
        }
    }

    /// Waits for events, or for the time to check the credential.
    async fn wait(&mut self) -> Result<()> {
        if let Some(missed) = self.missed.take() {
            return self.catch_up(missed).await;
        }
        let first = tokio::select! {
            event = self.receiver.recv() => Some(event),
            () = sleep_until(self.check_at) => None,
        };
        let mut arrived: Vec<Told> = Vec::new();
        match first {
            None => {}
            Some(Ok(event)) => arrived.push(event),
            Some(Err(RecvError::Lagged(missed))) => return Err(behind(missed)),
            Some(Err(RecvError::Closed)) => self.ended = true,
        }
        while !arrived.is_empty() && arrived.len() < DELIVERY {
            match self.receiver.try_recv() {
                Ok(event) => arrived.push(event),
                Err(TryRecvError::Lagged(missed)) => return Err(behind(missed)),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let known = |told: &Told| {
            self.until
                .as_ref()
                .is_some_and(|until| until.shows(told.transaction))
        };
        let arrived: Vec<Arc<AuditEvent>> = arrived
            .into_iter()
            .filter(|told| !known(told))
            .map(|told| told.event)
            .collect();
        self.show(arrived).await
    }

    /// Reads a page of what was missed.
    async fn catch_up(&mut self, mut missed: Missed) -> Result<()> {
        let mut conn = self.feed.db.read("audit_feed_missed").await?;
        let page = store::resumed(&mut conn, &missed.origin, &missed.until, missed.last).await?;
        drop(conn);
        missed.last = page.last;
        self.missed = missed.last.is_some().then_some(missed);
        let events = page.events.into_iter().map(|(event, _)| Arc::new(event));
        self.show(events.collect()).await
    }

    /// Makes those ready that pass and may be read, if the credential works.
    async fn show(&mut self, mut arrived: Vec<Arc<AuditEvent>>) -> Result<()> {
        arrived.retain(|event| self.filter.matches(event));
        if arrived.is_empty() && Instant::now() < self.check_at {
            return Ok(());
        }
        let ip = self.ctx.request.ip;
        self.ctx.actor = self.feed.authenticator.again(&self.ctx.actor, ip).await?;
        self.check_at = Instant::now() + RECHECK;
        arrived.retain(|event| may_read(&self.ctx, event));
        self.ready.extend(arrived);
        Ok(())
    }
}

fn behind(missed: u64) -> Error {
    Error::new(
        Code::LimitExceeded,
        format!(
            "You read this feed too slowly: {missed} events were dropped. Ask auditEvents for what you missed, then subscribe again, \
             with a narrower filter if you can."
        ),
    )
}
