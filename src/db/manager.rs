//! How the pool makes connections, and which ones it keeps.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bb8::ManageConnection;
use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection;

use super::connect::Endpoint;

/// Makes the pool's connections.
pub(super) struct Manager {
    pub(super) endpoint: Arc<Endpoint>,
    /// How long one statement may run.
    pub(super) statement_timeout: Duration,
    /// Counts the statements of all connections.
    pub(super) statements: Arc<AtomicU64>,
    /// Why the last attempt to connect failed; the pool itself only says that it waited in vain.
    pub(super) trouble: Trouble,
    /// When the database was last found read-only.
    pub(super) read_only: Arc<ReadOnly>,
}

/// When a connection last refused a change because it is read-only. A connection keeps what the database's settings were when it was
/// made, and leads to the server that was the primary then: only a new one finds out that changes are possible again, so those that
/// were made before are of no more use.
pub(super) struct ReadOnly {
    began: Instant,
    /// Microseconds since `began`; 0: never.
    last: AtomicU64,
}

/// So long after a refusal another one leaves those connections alone that have not refused anything themselves, in microseconds: while
/// a database stays read-only, changes that are tried must not cost the reads their connections.
const APART: u64 = 1_000_000;

impl Default for ReadOnly {
    fn default() -> Self {
        ReadOnly {
            began: Instant::now(),
            last: AtomicU64::new(0),
        }
    }
}

impl ReadOnly {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// A connection that was made at `made` has refused a change.
    fn met(&self, made: u64) {
        let now = self.now();
        let later = |last| (last == 0 || made > last && now >= last + APART).then_some(now);
        // An error says that there was nothing to change.
        let _ = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    /// Whether a connection that was made at `made` is from before a refusal.
    fn outdates(&self, made: u64) -> bool {
        made <= self.last.load(Ordering::Relaxed)
    }
}

/// What went wrong last; nothing, if the last attempt succeeded.
#[derive(Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn set(&self, what: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// What went wrong, or else what the pool said.
    pub(super) fn explain(&self, said: &str) -> String {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(what) => what.clone(),
            None => said.to_owned(),
        }
    }
}

/// A connection of the pool.
pub(super) struct Pooled {
    conn: AsyncPgConnection,
    /// Whether it has refused a change itself.
    refused: Arc<AtomicBool>,
    read_only: Arc<ReadOnly>,
    /// When it was made, as [`ReadOnly`] counts.
    made: u64,
    /// Whether `BEGIN` is on its way, beside Diesel's own account of transactions.
    begins: bool,
}

impl Pooled {
    /// Whether it is of no more use.
    pub(super) fn is_broken(&mut self) -> bool {
        self.begins
            || self.refused.load(Ordering::Relaxed)
            || self.read_only.outdates(self.made)
            || self.conn.is_broken()
    }

    /// Notes that `BEGIN` is sent, or that it was answered.
    pub(super) fn begins(&mut self, begins: bool) {
        self.begins = begins;
    }
}

impl Deref for Pooled {
    type Target = AsyncPgConnection;
    fn deref(&self) -> &AsyncPgConnection {
        &self.conn
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.conn
    }
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = ConnectionError;

    async fn connect(&self) -> Result<Pooled, ConnectionError> {
        let (refused, read_only) = (Arc::new(AtomicBool::new(false)), self.read_only.clone());
        // Before the first word: what the server is told meanwhile counts as told before.
        let made = read_only.now().max(1);
        let (noting, telling) = (refused.clone(), read_only.clone());
        let conn = self
            .endpoint
            .establish(self.statement_timeout, self.statements.clone(), move || {
                noting.store(true, Ordering::Relaxed);
                telling.met(made);
            })
            .await;
        self.trouble
            .set(conn.as_ref().err().map(ToString::to_string));
        Ok(Pooled {
            conn: conn?,
            refused,
            read_only,
            made,
            begins: false,
        })
    }

    /// Asked only if the pool tests what it gives out, and ours does not.
    async fn is_valid(&self, _conn: &mut Pooled) -> Result<(), ConnectionError> {
        Ok(())
    }

    fn has_broken(&self, conn: &mut Pooled) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}
