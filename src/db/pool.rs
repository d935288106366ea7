//! The pool, and the ways to take a connection from it: [`Db::read`], [`Db::begin`] and [`Db::beginning`].

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bb8::{Pool, PooledConnection};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::{Level, Span};

use super::connect::Endpoint;
use super::failure::{Failure, Result};
use super::manager::{Manager, Trouble};
use super::tx::{Beginning, Tx};
use crate::replicas::model::Changes;
use crate::replicas::{Announced, Replicas};

/// The name of a database operation: a snake_case constant that metrics and logs carry.
pub type Op = &'static str;

/// How large the pool is and how long its users wait.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// Connections at most. 1–1,000.
    pub size: u32,
    /// How long a request waits for a connection before it is told that the database is unavailable.
    pub wait: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        PoolSettings {
            size: 16,
            wait: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
        }
    }
}

/// A handle on the database: cheap to clone, shared by all requests.
///
/// A request that stores its answer beside its effects (`Idempotency-Key`) has a handle of its own which is bound to one
/// open transaction: what it reads is then what it has written, and its transactions are savepoints.
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
    /// The transaction that this handle is bound to.
    within: Option<Arc<Mutex<Bound>>>,
}

struct Shared {
    pool: Pool<Manager>,
    trouble: Trouble,
    endpoint: Arc<Endpoint>,
    statements: Arc<AtomicU64>,
    replicas: Replicas,
}

pub(super) type Held = PooledConnection<'static, Manager>;

/// An open transaction that several operations are part of, and what those have changed that were not rolled back.
pub(super) struct Bound {
    pub(super) conn: Held,
    pub(super) changes: Changes,
}

impl Db {
    /// Opens the pool. Connections are made when they are needed; this one does not wait for the first.
    pub async fn open(endpoint: Endpoint, settings: &PoolSettings) -> Result<Db> {
        let statements = Arc::new(AtomicU64::new(0));
        let endpoint = Arc::new(endpoint);
        let trouble = Trouble::default();
        let manager = Manager {
            endpoint: endpoint.clone(),
            statement_timeout: settings.statement_timeout,
            statements: statements.clone(),
            trouble: trouble.clone(),
            read_only: Arc::default(),
        };
        let pool = Pool::builder()
            .max_size(settings.size)
            .connection_timeout(settings.wait)
            .test_on_check_out(false)
            .build(manager)
            .await
            .map_err(|error| Failure::Unavailable(error.to_string()))?;
        Ok(Db {
            shared: Arc::new(Shared {
                pool,
                trouble,
                endpoint,
                statements,
                replicas: Replicas::default(),
            }),
            within: None,
        })
    }

    /// Where the database is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// How many statements all connections of this pool have sent so far, `BEGIN` and `COMMIT` among them.
    pub fn statements(&self) -> u64 {
        self.shared.statements.load(Ordering::Relaxed)
    }

    /// Connections: (open, idle).
    pub fn connections(&self) -> (u32, u32) {
        let state = self.shared.pool.state();
        (state.connections, state.idle_connections)
    }

    /// The other servers on this database, and what has changed.
    pub fn replicas(&self) -> &Replicas {
        &self.shared.replicas
    }

    /// A connection for reading, under the operation's name.
    pub async fn read(&self, op: Op) -> Result<Conn> {
        Ok(Conn {
            guard: self.take().await?,
            op,
            since: Instant::now(),
            span: span(op),
        })
    }

    /// Begins a transaction (read committed) under the operation's name. It is rolled back unless committed.
    pub async fn begin(&self, op: Op) -> Result<Tx> {
        let mut conn = self.read(op).await?;
        AnsiTransactionManager::begin_transaction(&mut *conn).await?;
        Ok(Tx::begun(conn, self.clone()))
    }

    /// Takes a connection for a transaction whose first statement is sent together with `BEGIN`: a round trip less.
    pub async fn beginning(&self, op: Op) -> Result<Beginning> {
        let mut conn = self.read(op).await?;
        match &mut conn.guard {
            Guard::Pooled(held) => held.begins(true),
            Guard::Within(bound) => {
                AnsiTransactionManager::begin_transaction(&mut **bound.conn).await?;
            }
        }
        Ok(Beginning::new(conn, self.clone()))
    }

    /// Begins a transaction and binds a handle to it: everything done through that handle is part of it.
    ///
    /// Commit with [`Db::commit_bound`]; a handle that is dropped without rolls back.
    pub async fn bind(&self, op: Op) -> Result<Db> {
        if self.within.is_some() {
            return Err(Failure::Other(
                "a bound handle cannot be bound again".into(),
            ));
        }
        let mut conn = self.checkout().await?;
        AnsiTransactionManager::begin_transaction(&mut **conn).await?;
        metrics::counter!("keystead_db_operations_total", "op" => op).increment(1);
        Ok(Db {
            within: Some(Arc::new(Mutex::new(Bound {
                conn,
                changes: Changes::Nothing,
            }))),
            ..self.clone()
        })
    }

    /// Whether this handle is bound to a transaction.
    pub fn is_bound(&self) -> bool {
        self.within.is_some()
    }

    /// Ends the transaction of a bound handle. A commit answers as [`Tx::commit`] does.
    ///
    /// # Errors
    /// As [`Tx::commit`].
    pub async fn commit_bound(&self, commit: bool) -> Result<()> {
        let Some(bound) = &self.within else {
            return Err(Failure::Other(
                "only a bound handle has a transaction of its own".into(),
            ));
        };
        let mut bound = bound.clone().lock_owned().await;
        if commit {
            let changes = std::mem::take(&mut bound.changes);
            let announced = self.replicas().announce(&mut bound.conn, changes).await?;
            self.commit(Guard::Within(bound), announced).await
        } else {
            Ok(AnsiTransactionManager::rollback_transaction(&mut **bound.conn).await?)
        }
    }

    /// Returns when no server can answer from before anything that is committed already: what a repeated request waits for, whose first
    /// answer may still be waiting.
    ///
    /// # Errors
    /// [`Failure::Unconfirmed`] when that cannot be found out.
    pub async fn settled(&self) -> Result<()> {
        let mut conn = self.read("settle_earlier_changes").await?;
        let announced = self.replicas().ask(&mut conn).await?;
        let holders = announced.holders(&mut conn).await;
        drop(conn);
        announced.settle(holders, self).await
    }

    /// Commits, and waits until no server can answer from before what was announced.
    pub(super) async fn commit(
        &self,
        mut conn: impl DerefMut<Target = AsyncPgConnection>,
        announced: Option<Announced>,
    ) -> Result<()> {
        let committed = AnsiTransactionManager::commit_transaction(&mut *conn)
            .await
            .map_err(|error| Failure::from(error).in_commit());
        let Some(announced) = announced else {
            return committed;
        };
        announced.mark();
        committed?;
        let holders = announced.holders(&mut conn).await;
        drop(conn);
        let db = Db {
            within: None,
            ..self.clone()
        };
        announced.settle(holders, &db).await
    }

    async fn take(&self) -> Result<Guard> {
        match &self.within {
            None => Ok(Guard::Pooled(Box::new(self.checkout().await?))),
            Some(bound) => Ok(Guard::Within(bound.clone().lock_owned().await)),
        }
    }

    async fn checkout(&self) -> Result<Held> {
        let waiting = Instant::now();
        let held = loop {
            let mut held = self.shared.pool.get_owned().await.map_err(|error| {
                Failure::Unavailable(self.shared.trouble.explain(&error.to_string()))
            })?;
            // One that broke while it was idle: the pool throws it away when it comes back. Costs no round trip.
            if !held.is_broken() {
                break held;
            }
        };
        metrics::histogram!("keystead_db_pool_wait_seconds")
            .record(waiting.elapsed().as_secs_f64());
        Ok(held)
    }
}

/// The span of an operation, by its name alone (OpenTelemetry's semantic conventions for databases); none where no request is
/// traced that it could be part of.
fn span(op: Op) -> Span {
    if !tracing::span_enabled!(Level::INFO) || Span::current().is_none() {
        return Span::none();
    }
    tracing::info_span!(
        "database",
        otel.name = op,
        otel.kind = "client",
        db.system.name = "postgresql",
        db.query.summary = op
    )
}

pub(super) enum Guard {
    Pooled(Box<Held>),
    Within(OwnedMutexGuard<Bound>),
}

impl Deref for Guard {
    type Target = AsyncPgConnection;
    fn deref(&self) -> &AsyncPgConnection {
        match self {
            Guard::Pooled(held) => held,
            Guard::Within(bound) => &bound.conn,
        }
    }
}

impl DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        match self {
            Guard::Pooled(held) => held,
            Guard::Within(bound) => &mut bound.conn,
        }
    }
}

/// A connection on loan for one named operation.
pub struct Conn {
    pub(super) guard: Guard,
    op: Op,
    since: Instant,
    #[expect(dead_code, reason = "it ends with the operation")]
    span: Span,
}

impl Deref for Conn {
    type Target = AsyncPgConnection;
    fn deref(&self) -> &AsyncPgConnection {
        &self.guard
    }
}

impl DerefMut for Conn {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.guard
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        metrics::counter!("keystead_db_operations_total", "op" => self.op).increment(1);
        metrics::histogram!("keystead_db_operation_seconds", "op" => self.op)
            .record(self.since.elapsed().as_secs_f64());
    }
}
