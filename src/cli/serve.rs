//! `keystead serve`: from nothing to a server that answers, and back.

use super::admin::new_key;
use super::database::{self, Database};
use super::output::{self, Failure};
use keystead::config::{Config, Loaded};
use keystead::ctx::{Actor, RequestInfo};
use keystead::http::{self, Reserved};
use keystead::users::ops::first_admin;
use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The name of the first administrator.
const FIRST: &str = "admin";

/// How often the private Postgres is looked at.
const PULSE: Duration = Duration::from_millis(500);

/// Serves until told to stop.
pub async fn serve(loaded: Loaded) -> Result<ExitCode, Failure> {
    let traces = output::log(&loaded)?;
    let config = &loaded.config;
    let mut signals = Signals::new(config)?;
    let reserved = http::reserve(config.listen)?;
    // Nothing is lost by leaving in the middle of the start: the Postgres that was being started is stopped when it is dropped.
    let mut database = tokio::select! {
        started = database::start(config) => started?,
        () = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    let served = serve_on(&mut database, reserved, config, signals).await;
    let closed = database.close().await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    served?;
    closed?;
    Ok(ExitCode::SUCCESS)
}

async fn serve_on(
    database: &mut Database,
    reserved: Reserved,
    config: &Config,
    mut signals: Signals,
) -> Result<(), Failure> {
    let app = database.app.clone();
    for name in app.migrate().await? {
        tracing::info!(migration = name, "migrated");
    }
    let listener = reserved.listen()?;
    // Port 0 asks the system for one.
    let address = listener.local_addr()?;
    let first = if config.is_private() {
        first_key(&app, &config.data_dir).await?
    } else {
        None
    };
    let url = if config.listen.port() == 0 {
        format!("{}://{address}", config.http().scheme())
    } else {
        config.public_url()
    };
    output::print(banner(&url, first.as_ref()))?;
    tracing::info!(%address, url, "ready");
    let mut lost = None;
    let stop = async {
        tokio::select! {
            () = signals.next() => {
                tracing::info!("stopping; a second signal stops at once");
                tokio::spawn(async move {
                    signals.next().await;
                    // The watchdog stops the private Postgres.
                    std::process::exit(130);
                });
            }
            failure = database.tend() => lost = Some(failure),
        }
    };
    http::serve(vec![listener], app, config.http(), Box::pin(stop)).await?;
    if let Some(failure) = lost {
        return Err(failure);
    }
    tracing::info!("stopped");
    Ok(())
}

/// What the operator is told once.
struct First {
    key: String,
    file: PathBuf,
}

/// In an empty database: an administrator and its key, which is also written to a file that we alone may read.
async fn first_key(app: &keystead::app::App, data_dir: &Path) -> Result<Option<First>, Failure> {
    let ctx = app.ctx(Actor::Keystead, RequestInfo::default());
    let Some(admin) = first_admin(&ctx, FIRST).await? else {
        return Ok(None);
    };
    let key = new_key(&ctx, &admin, Some("first".to_owned())).await?;
    let file = data_dir.join("admin.key");
    write_private(&file, &key)
        .map_err(|e| Failure::new(format!("{} cannot be written: {e}", file.display())))?;
    Ok(Some(First { key, file }))
}

/// Writes a file that nobody else can read at any moment: made with its mode, put in place when it is whole.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("key.new");
    let _ = std::fs::remove_file(&new);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

fn banner(url: &str, first: Option<&First>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!("Keystead {version} is ready: {url}\n  the API is at {url}/graphql\n");
    if let Some(First { key, file }) = first {
        text.push_str(&format!(
            "\nThe first administrator is `{FIRST}`. Its API key, shown this once and kept in {}:\n\n    {key}\n\n",
            file.display()
        ));
    }
    text
}

/// What tells a server to stop: SIGINT, SIGTERM, and SIGHUP where that means that the terminal is gone. Otherwise SIGHUP asks for
/// certificate and key to be read again, which the listener does.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    on_terminal: bool,
    has_certificate: bool,
}

impl Signals {
    fn new(config: &Config) -> Result<Signals, Failure> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            on_terminal: std::io::stdin().is_terminal(),
            has_certificate: config.tls_certificate.is_some(),
        })
    }

    async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hangup.recv() => {
                    if self.on_terminal && !std::io::stdin().is_terminal() {
                        // It comes more than once, from the system and from the shell.
                        self.on_terminal = false;
                        return;
                    }
                    if !self.has_certificate {
                        tracing::info!("SIGHUP: there is nothing to read again, since this server has no certificate");
                    }
                }
            }
        }
    }
}

impl Database {
    /// Starts the private Postgres again whenever it ends by itself: somebody killed it, or memory ran out. Requests are answered with 503
    /// until it is back. Returns why it could not be started; never where there is none.
    async fn tend(&mut self) -> Failure {
        loop {
            let Some(private) = &mut self.private else {
                return std::future::pending().await;
            };
            if private.is_running() {
                tokio::time::sleep(PULSE).await;
                continue;
            }
            tracing::error!("the private PostgreSQL has ended; starting it again");
            if let Some(private) = self.private.take() {
                match private.revive().await {
                    Ok(private) => self.private = Some(private),
                    Err(error) => return error.into(),
                }
            }
            tracing::info!("the private PostgreSQL runs again");
        }
    }
}
