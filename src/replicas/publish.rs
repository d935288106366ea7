//! Telling every process what a transaction changes, and waiting until none of them can answer from before it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Replicas;
use super::lease::Moment;
use super::model::{Announcement, Changes, LeaseRow};
use super::others::Others;
use super::store;
use crate::db::{Connection, Db, Failure, Result};

/// How often the leases of those are looked at that have not acknowledged.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long beyond the longest lease it is tried to find out that all know.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many renewals after the change was stored, a holder has heard of it: it begins the second one only when the first has come round
/// to it, behind the change.
const HEARD_AFTER: i64 = 2;

/// Who waits for whose acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    last: AtomicU64,
    by_number: Mutex<HashMap<u64, Arc<Waiter>>>,
}

#[derive(Debug, Default)]
struct Waiter {
    acks: Mutex<HashSet<Uuid>>,
    heard: Notify,
}

impl Waiting {
    /// Notes that the holder of `lease` has heard the change.
    pub(super) fn acknowledged(&self, lease: Uuid, number: u64) {
        if let Some(waiter) = lock(&self.by_number).get(&number) {
            lock(&waiter.acks).insert(lease);
            waiter.heard.notify_one();
        }
    }
}

/// A change that is announced when its transaction commits.
pub(crate) struct Announced {
    replicas: Replicas,
    number: u64,
    waiter: Arc<Waiter>,
    changes: Changes,
}

/// Who held a lease right after a commit.
pub(crate) struct Holders {
    committed: Moment,
    since: Instant,
    /// `None` if the database did not say.
    living: Option<Vec<LeaseRow>>,
}

impl Drop for Announced {
    fn drop(&mut self) {
        lock(&self.replicas.waiting().by_number).remove(&self.number);
    }
}

impl Replicas {
    /// Announces the changes within their transaction; `None` if nothing was changed that a cached answer depends on.
    pub(crate) async fn announce(
        &self,
        conn: &mut Connection,
        changes: Changes,
    ) -> Result<Option<Announced>> {
        if changes == Changes::Nothing || self.is_mute() {
            return Ok(None);
        }
        self.tell(conn, changes).await.map(Some)
    }

    /// Announces that nothing changes: whoever has heard it has heard all that was committed before.
    pub(crate) async fn ask(&self, conn: &mut Connection) -> Result<Announced> {
        self.tell(conn, Changes::Nothing).await
    }

    async fn tell(&self, conn: &mut Connection, changes: Changes) -> Result<Announced> {
        let waiting = self.waiting();
        let number = waiting.last.fetch_add(1, Ordering::Relaxed) + 1;
        let waiter = Arc::new(Waiter::default());
        lock(&waiting.by_number).insert(number, waiter.clone());
        let announced = Announced {
            replicas: self.clone(),
            number,
            waiter,
            changes,
        };
        let payload = Announcement {
            origin: self.lease_id(),
            number,
            changes: announced.changes.clone(),
        };
        store::notify(conn, store::CHANGES, payload.to_string()).await?;
        Ok(announced)
    }
}

impl Announced {
    /// Marks the changes in this process: after the commit, whatever came of it.
    pub(crate) fn mark(&self) {
        self.replicas.marks().change(&self.changes);
    }

    /// Who may hold a lease now that the change is committed. Whoever takes one later reads only what is committed already.
    pub(crate) async fn holders(&self, conn: &mut Connection) -> Holders {
        let committed = Moment::now();
        Holders {
            committed,
            since: Instant::now(),
            living: self.look(conn, committed).await.ok(),
        }
    }

    /// Returns when none of them can answer from before the change any more.
    ///
    /// # Errors
    /// [`Failure::Unconfirmed`] when that cannot be found out: the change stands.
    pub(crate) async fn settle(self, holders: Holders, db: &Db) -> Result<()> {
        let began = holders.since;
        let living = match holders.living {
            Some(living) => living,
            None => {
                self.look_again(db, holders.committed, began + PATIENCE)
                    .await?
            }
        };
        if living.is_empty() {
            return Ok(());
        }
        let give_up = began + Others::longest(&living) + PATIENCE;
        let mut missing: HashMap<Uuid, i64> =
            living.iter().map(|row| (row.id, row.renewals)).collect();
        loop {
            {
                let acks = lock(&self.waiter.acks);
                missing.retain(|lease, _| !acks.contains(lease));
            }
            if missing.is_empty() {
                break;
            }
            tokio::select! {
                () = self.waiter.heard.notified() => continue,
                () = sleep(LOOK_EVERY) => {}
            }
            let living = self.look_again(db, Moment::now(), give_up).await?;
            let renewals: HashMap<Uuid, i64> =
                living.iter().map(|row| (row.id, row.renewals)).collect();
            missing.retain(|lease, before| {
                renewals
                    .get(lease)
                    .is_some_and(|now| *now < *before + HEARD_AFTER)
            });
            if Instant::now() > give_up && !missing.is_empty() {
                return Err(unconfirmed("a lease is renewed without an acknowledgement"));
            }
        }
        metrics::histogram!("keystead_revocation_wait_seconds")
            .record(began.elapsed().as_secs_f64());
        Ok(())
    }

    async fn look(&self, conn: &mut Connection, moment: Moment) -> Result<Vec<LeaseRow>> {
        let others = self.replicas.others();
        others.look(conn, self.replicas.process(), moment).await
    }

    /// Looks over the pool, until it succeeds or there is no more time.
    async fn look_again(&self, db: &Db, moment: Moment, give_up: Instant) -> Result<Vec<LeaseRow>> {
        loop {
            let failure = match db.read("other_leases").await {
                Ok(mut conn) => match self.look(&mut conn, moment).await {
                    Ok(living) => return Ok(living),
                    Err(failure) => failure,
                },
                Err(failure) => failure,
            };
            if Instant::now() > give_up {
                return Err(unconfirmed(format!("{failure:?}")));
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

fn unconfirmed(cause: impl Into<String>) -> Failure {
    Failure::Unconfirmed(cause.into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
