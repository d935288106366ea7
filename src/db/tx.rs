//! Transactions: how they begin, and what committing means.

use std::ops::{Deref, DerefMut};

use diesel::connection::{TransactionDepthChange, TransactionManagerStatus};
use diesel_async::{
    AnsiTransactionManager, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
};
use futures_util::future::join;

use super::failure::{Failure, Result};
use super::pool::{Conn, Db, Guard};
use crate::replicas::model::{Changes, Tag};

/// A connection on which a transaction is going to begin. Dropped before [`Beginning::done`], nobody can know whether it has: the pool
/// throws the connection away.
pub struct Beginning {
    conn: Conn,
    db: Db,
}

impl Deref for Beginning {
    type Target = AsyncPgConnection;
    fn deref(&self) -> &AsyncPgConnection {
        &self.conn
    }
}

/// What became of `BEGIN`.
#[must_use]
pub struct Begun(Result<()>);

impl Beginning {
    pub(super) fn new(conn: Conn, db: Db) -> Self {
        Beginning { conn, db }
    }

    /// Sends `BEGIN`, and behind it without waiting what `first` sends over this connection.
    pub async fn with<T>(&self, first: impl Future<Output = T>) -> (Begun, T) {
        let begin = async {
            // Part of a bound handle's transaction: it has begun already.
            if matches!(self.conn.guard, Guard::Within(_)) {
                return Ok(());
            }
            let mut conn: &AsyncPgConnection = self;
            Ok(conn.batch_execute("BEGIN").await?)
        };
        // In this order: the first poll of each sends.
        let (begun, first) = join(begin, first).await;
        (Begun(begun), first)
    }

    /// The transaction, if it has begun.
    ///
    /// # Errors
    /// What `BEGIN` failed with. Look at this before the first statement's own: without a transaction it stands for itself.
    pub fn done(mut self, begun: Begun) -> Result<Tx> {
        begun.0?;
        if let Guard::Pooled(held) = &mut self.conn.guard {
            held.begins(false);
            let status = AnsiTransactionManager::transaction_manager_status_mut(&mut ****held);
            if let TransactionManagerStatus::Valid(status) = status {
                status.change_transaction_depth(TransactionDepthChange::IncreaseDepth)?;
            }
        }
        Ok(Tx::begun(self.conn, self.db))
    }
}

/// An open transaction. Dropped without [`Tx::commit`], it is rolled back.
pub struct Tx {
    conn: Option<Conn>,
    changes: Changes,
    db: Db,
}

impl Tx {
    pub(super) fn begun(conn: Conn, db: Db) -> Self {
        Tx {
            conn: Some(conn),
            changes: Changes::Nothing,
            db,
        }
    }

    /// Names what this transaction changes of all that the answer about a key depends on, also where it turns out to change nothing:
    /// another request may have made the same change, and not every server may know yet. What is new to all need not be named.
    pub fn touch(&mut self, tags: impl IntoIterator<Item = Tag>) {
        self.changes.add(tags);
    }

    /// Commits. Where something was [touched](Tx::touch), every server knows of it when this returns. A transaction that is part of a
    /// bound handle's leaves that to [`Db::commit_bound`].
    ///
    /// # Errors
    /// What Postgres refused did not take effect; [`Failure::Unsettled`] if the connection broke and nobody knows;
    /// [`Failure::Unconfirmed`] if it took effect and not every server is known to know.
    pub async fn commit(mut self) -> Result<()> {
        let (db, changes) = (self.db.clone(), std::mem::take(&mut self.changes));
        if let Some(Guard::Within(bound)) = self.conn.as_mut().map(|conn| &mut conn.guard) {
            AnsiTransactionManager::commit_transaction(&mut **bound.conn).await?;
            bound.changes.merge(changes);
            self.conn = None;
            return Ok(());
        }
        let announced = db.replicas().announce(&mut self, changes).await?;
        match self.conn.take() {
            Some(conn) => db.commit(conn, announced).await,
            None => Err(Failure::Other("the transaction has ended".into())),
        }
    }

    fn conn(&self) -> &Conn {
        self.conn
            .as_ref()
            .expect("a transaction holds its connection until it ends")
    }
}

impl Deref for Tx {
    type Target = AsyncPgConnection;
    fn deref(&self) -> &AsyncPgConnection {
        self.conn()
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        self.conn
            .as_mut()
            .expect("a transaction holds its connection until it ends")
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(mut conn) = self.conn.take() else {
            return;
        };
        // Without a runtime (at shutdown) the connection closes, which rolls back as well.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = AnsiTransactionManager::rollback_transaction(&mut *conn).await;
            });
        }
    }
}
