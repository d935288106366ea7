//! One connection: address, TLS (rustls, no libpq), session settings, and the count of its statements.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::InstrumentationEvent;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{self, Asked};
use crate::error::{Code, Error, with_causes};

/// How the connection to the database is encrypted.
#[derive(Clone)]
pub enum Tls {
    /// Not at all: a Unix socket, or `sslmode=disable`.
    Never,
    /// TLS with the server's certificate checked against these roots.
    Verified(Arc<rustls::ClientConfig>),
}

/// What a connection string says.
fn read(url: &str) -> Result<(tokio_postgres::Config, Asked), String> {
    let (rest, asked) = tls::take(url)?;
    // The driver's own words may repeat what it could not read.
    let mut config: tokio_postgres::Config = rest.parse().map_err(|_| {
        "cannot be read; it must look like postgresql://user:password@host:5432/database".to_owned()
    })?;
    if asked.required {
        config.ssl_mode(SslMode::Require);
    }
    Ok((config, asked))
}

/// Where the database is and how to speak to it.
#[derive(Clone)]
pub struct Endpoint {
    config: tokio_postgres::Config,
    tls: Tls,
}

impl Endpoint {
    /// Reads a connection string (URL or keyword form, as libpq has them). `sslmode=disable` and Unix sockets use no TLS.
    /// Otherwise the server's certificate and name are checked, against the system's roots or those in `sslrootcert`; with
    /// `prefer` (the default) a server that speaks no TLS is spoken to without.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the string cannot be read; the string itself is never repeated, it may hold a password.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let bad = |reason| Error::bad_input("DATABASE_URL", format!("DATABASE_URL {reason}."));
        let (mut config, asked) = read(url).map_err(bad)?;
        if config.get_application_name().is_none() {
            config.application_name("keystead");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        let only_sockets = config
            .get_hosts()
            .iter()
            .all(|host| !matches!(host, Host::Tcp(_)));
        let tls = if only_sockets || config.get_ssl_mode() == SslMode::Disable {
            Tls::Never
        } else {
            Tls::Verified(Arc::new(tls::client(asked.roots.as_deref()).map_err(bad)?))
        };
        Ok(Endpoint { config, tls })
    }

    /// Whether a connection string can be used; nothing is connected to.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence that follows its name.
    pub fn check(url: &str) -> Result<(), String> {
        let (_, asked) = read(url)?;
        match asked.roots {
            Some(roots) => tls::client(Some(&roots)).map(|_| ()),
            None => Ok(()),
        }
    }

    /// The same server, another database.
    pub fn with_database(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(name);
        other
    }

    /// The database's name.
    pub fn database(&self) -> Option<&str> {
        self.config.get_dbname()
    }

    fn unreachable(&self, error: &tokio_postgres::Error) -> Error {
        Error::new(Code::ServiceUnavailable, "The database cannot be reached.").because(format!(
            "{}: {}",
            self.place(),
            with_causes(error)
        ))
    }

    /// Where the server is, for the log: hosts and ports, no user and no password.
    fn place(&self) -> String {
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts().iter().enumerate().map(|(i, host)| {
            let port = ports.get(i).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(dir) => dir.display().to_string(),
            }
        });
        hosts.collect::<Vec<_>>().join(", ")
    }

    /// A plain connection, for COPY and for managing databases; its task ends with the client.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the server cannot be reached or refuses.
    pub async fn client(&self) -> Result<tokio_postgres::Client, Error> {
        let (client, driven) = self.listen(|_, _| {}).await?;
        tokio::spawn(driven);
        Ok(client)
    }

    /// A plain connection and the future that drives it: it hands over every notification (channel and payload), in order, and ends with
    /// the connection.
    ///
    /// # Errors
    /// As [`Endpoint::client`].
    pub async fn listen(
        &self,
        heard: impl Fn(&str, &str) + Send + 'static,
    ) -> Result<(tokio_postgres::Client, BoxFuture<'static, ()>), Error> {
        match &self.tls {
            Tls::Never => {
                let (client, connection) = self
                    .config
                    .connect(NoTls)
                    .await
                    .map_err(|error| self.unreachable(&error))?;
                Ok((client, Box::pin(hand_over(connection, heard))))
            }
            Tls::Verified(tls) => {
                let tls = MakeRustlsConnect::new(tls.as_ref().clone());
                let (client, connection) = self
                    .config
                    .connect(tls)
                    .await
                    .map_err(|error| self.unreachable(&error))?;
                Ok((client, Box::pin(hand_over(connection, heard))))
            }
        }
    }

    /// A connection with its session settings, whose statements are counted in `statements`, and which calls `refused` when it refuses
    /// a change because it is read-only.
    pub(super) async fn establish(
        &self,
        statement_timeout: Duration,
        statements: Arc<AtomicU64>,
        refused: impl Fn() + Send + Sync + 'static,
    ) -> ConnectionResult<AsyncPgConnection> {
        let bad = |error: tokio_postgres::Error| {
            ConnectionError::BadConnection(format!("{}: {}", self.place(), with_causes(&error)))
        };
        let mut connection = match &self.tls {
            Tls::Never => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(bad)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await?
            }
            Tls::Verified(tls) => {
                let tls = MakeRustlsConnect::new(tls.as_ref().clone());
                let (client, connection) = self.config.connect(tls).await.map_err(bad)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await?
            }
        };
        // A statement is planned once, not on every use: its text varies with its conditions, so one plan fits, and planning the
        // statement that identifies a key takes longer than running it.
        connection
            .batch_execute(&format!(
                "SET statement_timeout = {0}; SET idle_in_transaction_session_timeout = {1}; SET plan_cache_mode = force_generic_plan; SET lc_messages = 'C'",
                statement_timeout.as_millis(),
                statement_timeout.as_millis() * 2,
            ))
            .await
            // `lc_messages` is the superuser's to set; where it is not allowed the server's language stays.
            .or_else(|error| match &error {
                DieselError::DatabaseError(_, info) if info.message().contains("lc_messages") => Ok(()),
                _ => Err(ConnectionError::CouldntSetupConfiguration(error)),
            })?;
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::StartQuery { .. } => {
                statements.fetch_add(1, Ordering::Relaxed);
            }
            InstrumentationEvent::FinishQuery {
                error: Some(DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _)),
                ..
            } => refused(),
            _ => {}
        });
        Ok(connection)
    }
}

/// Drives a connection until it ends.
async fn hand_over<S, T>(mut connection: Connection<S, T>, heard: impl Fn(&str, &str))
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(said) = message {
            heard(said.channel(), said.payload());
        }
    }
}
