//! Holding a lease: a connection of its own that listens, and a renewal over it three times in the length of a lease.
//!
//! A renewal counts when it succeeded **and** its beat, a notification that it sends to its own lease, has come round: notifications
//! arrive in the order of commits, so everything that was committed before has been heard by then. Where notifications get lost (a
//! transaction pooler in between), no beat comes, and no lease is ever held.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;
use uuid::Uuid;

use super::lease::Moment;
use super::model::{Announcement, LeaseRow, Word};
use super::{ReplicaSettings, Replicas, store};
use crate::db::{Db, Endpoint};
use crate::error::{Code, Error, Result};

/// How long each step of taking a lease may take.
const STEP: Duration = Duration::from_secs(5);
/// How long is waited before the first new attempt, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Acknowledgements that wait to be sent; those beyond are left out, and the renewals speak for them.
const BACKLOG: usize = 16_384;
/// Acknowledgements in one transaction.
const AT_ONCE: usize = 1_024;
/// The beat by which the connection is tried out; those of renewals count from 0.
const TRIAL: i64 = -1;
/// No beat yet.
const SILENCE: i64 = -2;

impl Replicas {
    /// Holds a lease, for ever: takes a new one whenever one is lost. A server runs it beside its requests; without it nothing is
    /// answered from the cache.
    pub async fn keep_lease(self, db: Db, settings: ReplicaSettings) {
        let mut pause = RETRY.0;
        loop {
            let held = self.hold(&db, &settings).await;
            let was_held = self.lose();
            let Err(error) = held;
            let cause = error.cause.unwrap_or_default();
            if was_held {
                pause = RETRY.0;
                tracing::warn!(
                    cause,
                    "{} The cache of keys is not used until there is a new one.",
                    error.message
                );
            } else {
                tracing::warn!(
                    cause,
                    "there is no lease, so the cache of keys is not used: {}",
                    error.message
                );
            }
            sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
    }

    /// Tries whether a connection can listen here, without taking a lease.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, saying why not.
    pub async fn try_listening(&self, db: &Db, settings: &ReplicaSettings) -> Result<()> {
        let id = super::new_id();
        let (beats, mut beat) = watch::channel(SILENCE);
        let own = store::channel(id);
        let hear = move |channel: &str, payload: &str| {
            if let Some(Word::Beat(number)) = Word::read(payload).filter(|_| channel == own) {
                beats.send_replace(number);
            }
        };
        let (client, connection) = step(endpoint(settings, db).listen(hear)).await?;
        let mut beside = JoinSet::new();
        beside.spawn(connection);
        step(async { store::listen(&client, id).await.map_err(broken) }).await?;
        self.try_out(db, id, &mut beat).await
    }

    /// The servers whose leases are stored, by machine and process.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be asked.
    pub async fn holders(&self, db: &Db) -> Result<Vec<String>> {
        let mut conn = db.read("lease_holders").await?;
        let leases = store::all(&mut conn).await?;
        Ok(leases.into_iter().map(|lease| lease.holder).collect())
    }

    /// Gives the lease back, when a server stops: nobody has to wait for it.
    pub async fn give_back(&self, settings: &ReplicaSettings, db: &Db) {
        let Some(lease) = self.lease_id() else {
            return;
        };
        self.lose();
        let ended = async {
            let client = endpoint(settings, db).client().await.ok()?;
            store::end(&client, lease).await.ok()
        };
        if timeout(STEP, ended).await.ok().flatten().is_none() {
            tracing::warn!("the lease could not be given back; it runs out by itself");
        }
    }

    /// Takes a lease and renews it. Returns when it is lost.
    async fn hold(&self, db: &Db, settings: &ReplicaSettings) -> Result<std::convert::Infallible> {
        let lease = LeaseRow {
            id: super::new_id(),
            process: self.process(),
            renewals: 0,
            // A tenth is left for whoever waits for it to find out that it has run out.
            length: settings.lease - settings.lease / 10,
            holder: holder(),
        };
        let (beats, mut beat) = watch::channel(SILENCE);
        let (acks, unsaid) = mpsc::channel(BACKLOG);
        let ear = Ear {
            replicas: self.clone(),
            channel: store::channel(lease.id),
            beats,
            acks,
        };
        let connecting =
            endpoint(settings, db).listen(move |channel, payload| ear.hear(channel, payload));
        let (client, connection) = step(connecting).await?;
        // Whatever runs beside ends with this function.
        let mut beside = JoinSet::new();
        beside.spawn(connection);
        let client = Arc::new(client);
        step(async { store::listen(&client, lease.id).await.map_err(broken) }).await?;
        self.try_out(db, lease.id, &mut beat).await?;

        let sent = Moment::now();
        step(async { store::begin(&client, &lease).await.map_err(broken) }).await?;
        // What was read before has no lease to vouch for it.
        self.marks().change(&super::Changes::Everything);
        self.lease().begin(lease.id, sent, lease.length);
        tracing::info!(length = ?lease.length, "holding a lease");
        beside.spawn(acknowledge(client.clone(), lease.id, unsaid));
        beside.spawn(watch_others(self.clone(), db.clone(), lease.length / 2));
        loop {
            tokio::select! {
                () = sleep(lease.length / 3) => {}
                _ = beside.join_next() => return Err(lost("The connection that listens for changes has broken.")),
            }
            let sent = Moment::now();
            let renewing = async {
                let number = store::renew(&client, lease.id).await.map_err(broken)?;
                let number = number.ok_or_else(|| {
                    lost("The lease was not renewed in time, and others have gone on without.")
                })?;
                beat.wait_for(|beat| *beat >= number)
                    .await
                    .map_err(|_| lost("The connection that listens for changes has broken."))?;
                Ok(())
            };
            tokio::select! {
                renewed = step(renewing) => renewed?,
                _ = beside.join_next() => return Err(lost("The connection that listens for changes has broken.")),
            }
            if !self.lease().extend(lease.id, sent, lease.length) {
                return Err(lost("The lease was given back."));
            }
        }
    }

    /// Sends a notification from another connection while this one is idle.
    async fn try_out(&self, db: &Db, lease: Uuid, beat: &mut watch::Receiver<i64>) -> Result<()> {
        let word = Word::Beat(TRIAL).to_string();
        store::notify(
            &mut *db.read("try_listening").await?,
            &store::channel(lease),
            word,
        )
        .await?;
        let heard = timeout(STEP, beat.wait_for(|beat| *beat >= TRIAL)).await;
        heard.ok().and_then(std::result::Result::ok).map(drop).ok_or_else(|| {
            lost("Notifications of the database do not arrive: a pooler in transaction mode swallows them. Set listen_url to the database itself.")
        })
    }
}

/// What is done with what is heard, in its order, before the next is read.
struct Ear {
    replicas: Replicas,
    channel: String,
    beats: watch::Sender<i64>,
    acks: mpsc::Sender<(Uuid, u64)>,
}

impl Ear {
    fn hear(&self, channel: &str, payload: &str) {
        if channel != self.channel {
            let said = Announcement::read(payload);
            self.replicas.marks().change(&said.changes);
            if let Some(origin) = said.origin {
                // Without room it is not acknowledged; the origin then waits for two renewals.
                let _ = self.acks.try_send((origin, said.number));
            }
            return;
        }
        match Word::read(payload) {
            Some(Word::Beat(number)) => {
                self.beats.send_replace(number);
            }
            Some(Word::Ack(lease, number)) => {
                self.replicas.waiting().acknowledged(lease, number);
            }
            None => {}
        }
    }
}

/// Sends acknowledgements: what has gathered while the last were under way goes together. Ends when they cannot be sent.
async fn acknowledge(client: Arc<Client>, lease: Uuid, mut unsaid: mpsc::Receiver<(Uuid, u64)>) {
    let mut gathered = Vec::with_capacity(AT_ONCE);
    while unsaid.recv_many(&mut gathered, AT_ONCE).await > 0 {
        let said: BTreeMap<(Uuid, u64), ()> = gathered.drain(..).map(|each| (each, ())).collect();
        let others = said.into_keys().filter(|(origin, _)| *origin != lease);
        let (channels, words): (Vec<String>, Vec<String>) = others
            .map(|(origin, number)| (store::channel(origin), Word::Ack(lease, number).to_string()))
            .unzip();
        if !channels.is_empty() && store::speak(&client, &channels, &words).await.is_err() {
            return;
        }
    }
}

/// Looks at the others' leases now and then, so that one whose holder died is gone before somebody has to wait for it.
async fn watch_others(replicas: Replicas, db: Db, every: Duration) {
    loop {
        sleep(every).await;
        if let Ok(mut conn) = db.read("other_leases").await {
            let looked = replicas
                .others()
                .look(&mut conn, replicas.process(), Moment::now())
                .await;
            if let Err(failure) = looked {
                tracing::debug!(cause = ?failure, "the leases of other servers could not be looked at");
            }
        }
    }
}

fn endpoint<'a>(settings: &'a ReplicaSettings, db: &'a Db) -> &'a Endpoint {
    settings.listen.as_ref().unwrap_or_else(|| db.endpoint())
}

fn holder() -> String {
    let host = nix::unistd::gethostname().unwrap_or_default();
    format!("{} {}", host.to_string_lossy(), std::process::id())
}

async fn step<T>(step: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(STEP, step)
        .await
        .unwrap_or_else(|_| Err(lost("The database did not answer in time.")))
}

fn broken(error: tokio_postgres::Error) -> Error {
    lost("The connection that listens for changes has broken.").because(format!("{error:?}"))
}

fn lost(message: &str) -> Error {
    Error::new(Code::ServiceUnavailable, message)
}
