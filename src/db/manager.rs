//! How the pool makes connections, and which ones it keeps.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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
    /// Whether it has refused a change because it is read-only. A connection keeps what the database's settings were when it was made,
    /// and leads to the server that was the primary then: only a new one finds out that changes are possible again.
    refused: Arc<AtomicBool>,
}

impl Pooled {
    /// Whether it is of no more use.
    pub(super) fn is_broken(&mut self) -> bool {
        self.refused.load(Ordering::Relaxed) || self.conn.is_broken()
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
        let refused = Arc::new(AtomicBool::new(false));
        let made = self
            .endpoint
            .establish(
                self.statement_timeout,
                self.statements.clone(),
                refused.clone(),
            )
            .await;
        self.trouble
            .set(made.as_ref().err().map(ToString::to_string));
        Ok(Pooled {
            conn: made?,
            refused,
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
