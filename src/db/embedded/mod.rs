//! The private Postgres: the system's own binaries, run beside the server on a folder of ours, reached through a Unix socket that
//! nobody else can enter.
//!
//! - One server a folder: `lock` in it is held while one runs.
//! - One Postgres a cluster: what an earlier run left behind is stopped before a new one starts, and a watchdog stops ours when we
//!   die without a word.
//! - Whoever can enter the socket's folder is trusted: no passwords, no TCP.
//! - Postgres refuses to run as root, so root runs it as somebody else, on a folder that he can reach.

mod account;
mod binaries;
mod error;
mod place;
mod process;

pub use error::EmbeddedError;

use binaries::Binaries;
use place::Place;
use process::{Log, Postmaster};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_postgres::error::SqlState;

/// The superuser of every private cluster.
const USER: &str = "keystead";

/// The database that [`Embedded::start`] makes.
const DATABASE: &str = "keystead";

/// How long a start may take, the recovery from a crash included.
const PATIENCE: Duration = Duration::from_secs(180);

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Full,
    /// Everything, for speed: for tests.
    None,
}

/// A private Postgres that runs. Dropping it stops Postgres as well, without waiting.
#[derive(Debug)]
pub struct Embedded {
    postmaster: Postmaster,
    binaries: Binaries,
    durability: Durability,
    // After the postmaster: the lock is given back last.
    place: Place,
}

impl Embedded {
    /// Starts the cluster of `data_dir` (for example `.keystead`), after making it and its database `keystead` if there is none.
    /// Returns once the database answers.
    ///
    /// # Errors
    /// [`EmbeddedError`] says what is wrong and what to do.
    pub async fn start(data_dir: &Path, durability: Durability) -> Result<Embedded, EmbeddedError> {
        let data_dir = data_dir.to_owned();
        let (mut embedded, log) = blocking(move || Embedded::launch(&data_dir, durability)).await?;
        embedded.wait_until_it_answers(&log).await?;
        Ok(embedded)
    }

    /// The folder of the socket, for `host=`.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.place.socket_dir
    }

    /// The superuser's name.
    #[must_use]
    pub fn user(&self) -> &str {
        USER
    }

    /// A connection URL for `database`, which tokio-postgres, libpq and node-postgres understand.
    #[must_use]
    pub fn database_url(&self, database: &str) -> String {
        url(&self.place.socket_dir, database)
    }

    /// The connection URL of the database `keystead` of a private Postgres that runs in `data_dir`, for a process beside its server.
    #[must_use]
    pub fn url_of_running(data_dir: &Path) -> Option<String> {
        let text = fs::read_to_string(data_dir.join("postgres/data/postmaster.pid")).ok()?;
        // Its fifth line is the folder of the socket.
        let socket_dir = text.lines().nth(4).filter(|dir| dir.starts_with('/'))?;
        Some(url(Path::new(socket_dir), DATABASE))
    }

    /// Whether Postgres still runs; it does unless somebody killed it.
    pub fn is_running(&mut self) -> bool {
        self.postmaster.ended().is_none()
    }

    /// Starts Postgres again after it ended by itself, at the same place: it repairs what a crash left behind. Returns once the
    /// database answers.
    ///
    /// # Errors
    /// As [`Embedded::start`].
    pub async fn revive(mut self) -> Result<Embedded, EmbeddedError> {
        let (mut embedded, log) = blocking(move || {
            // The watchdog of the dead one; nobody is left for it to stop.
            self.postmaster.stop()?;
            let (postmaster, log) = spawn(&self.place, &self.binaries, self.durability)?;
            self.postmaster = postmaster;
            Ok((self, log))
        })
        .await?;
        embedded.wait_until_it_answers(&log).await?;
        Ok(embedded)
    }

    /// Stops Postgres, which ends the connections that are open, and waits until it has written everything.
    ///
    /// # Errors
    /// [`EmbeddedError::Survivor`] if even a kill did not end it.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        blocking(move || {
            self.postmaster.stop()?;
            self.place.clean();
            Ok(())
        })
        .await
    }

    fn launch(data_dir: &Path, durability: Durability) -> Result<(Embedded, Log), EmbeddedError> {
        let place = Place::settle(data_dir)?;
        let cluster = place.cluster();
        let version = major_of(&cluster)?;
        let existing = version.map(|major| (major, cluster.as_path()));
        let binaries = Binaries::find(&place.account, existing)?;
        if existing.is_none() {
            initialise(&place, &binaries, durability)?;
        }
        let (postmaster, log) = spawn(&place, &binaries, durability)?;
        let embedded = Embedded {
            postmaster,
            binaries,
            durability,
            place,
        };
        Ok((embedded, log))
    }

    async fn wait_until_it_answers(&mut self, log: &Log) -> Result<(), EmbeddedError> {
        let begin = Instant::now();
        loop {
            let error = match self.try_database().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if let Some(status) = self.postmaster.ended() {
                return Err(log.did_not_start(format!("it ended with {status}")));
            }
            let starting = error
                .code()
                .is_none_or(|code| *code == SqlState::CANNOT_CONNECT_NOW);
            if !starting {
                return Err(EmbeddedError::Database {
                    message: error
                        .as_db_error()
                        .map_or_else(|| error.to_string(), |e| e.message().to_owned()),
                });
            }
            if begin.elapsed() > PATIENCE {
                return Err(log.did_not_start(format!(
                    "it does not answer after {} seconds",
                    PATIENCE.as_secs()
                )));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Connects to the database, after making it if there is none.
    async fn try_database(&self) -> Result<(), tokio_postgres::Error> {
        match self.connect(DATABASE).await {
            Err(e) if e.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {}
            other => return other.map(drop),
        }
        let client = self.connect("postgres").await?;
        client
            .batch_execute(&format!("CREATE DATABASE {DATABASE}"))
            .await
    }

    async fn connect(
        &self,
        database: &str,
    ) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::Config::new()
            .host_path(&self.place.socket_dir)
            .user(USER)
            .dbname(database)
            .connect(tokio_postgres::NoTls)
            .await?;
        // Ends with its client.
        tokio::spawn(connection);
        Ok(client)
    }
}

/// Starts a postmaster, after stopping what an earlier one left behind.
fn spawn(
    place: &Place,
    binaries: &Binaries,
    durability: Durability,
) -> Result<(Postmaster, Log), EmbeddedError> {
    let cluster = place.cluster();
    process::clear_survivors(&cluster, &place.socket_dir)?;
    let log = Log::open(&place.log);
    let postmaster = Postmaster::spawn(
        &place.account,
        &binaries.postgres(),
        &cluster,
        &place.socket_dir,
        durability,
        &log,
    )?;
    Ok((postmaster, log))
}

fn url(socket_dir: &Path, database: &str) -> String {
    let mut url = String::from("postgresql:///");
    for byte in database.bytes() {
        if byte.is_ascii_alphanumeric() || b"_-".contains(&byte) {
            url.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    // The folder's name was chosen to need no escapes.
    let _ = write!(url, "?host={}&user={USER}", socket_dir.display());
    url
}

/// The major version that made `cluster`; none if there is no cluster.
fn major_of(cluster: &Path) -> Result<Option<u32>, EmbeddedError> {
    let path = cluster.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| {
            let source = std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("`{}` is no version", text.trim()),
            );
            EmbeddedError::io("read the version in", &path)(source)
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !cluster.exists() => Ok(None),
        Err(e) => Err(EmbeddedError::io("read", &path)(e)),
    }
}

/// Makes a cluster beside its place and then moves it there: one that was interrupted is never taken for a whole one.
fn initialise(
    place: &Place,
    binaries: &Binaries,
    durability: Durability,
) -> Result<(), EmbeddedError> {
    remove_unfinished(&place.home);
    let unfinished = place.home.join(format!("data.new.{}", std::process::id()));
    let mut command = place.account.command(binaries.initdb());
    command.arg("-D").arg(&unfinished).args([
        "--username",
        USER,
        "--auth=trust",
        "--encoding=UTF8",
        "--no-instructions",
    ]);
    command.args(locale(binaries.major));
    if durability == Durability::None {
        command.arg("--no-sync");
    }
    let output = command
        .output()
        .map_err(EmbeddedError::io("run", &binaries.initdb()))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        remove_unfinished(&place.home);
        return Err(EmbeddedError::InitFailed {
            output: String::from_utf8_lossy(&said).into_owned(),
        });
    }
    let cluster = place.cluster();
    fs::rename(&unfinished, &cluster).map_err(EmbeddedError::io("make", &cluster))
}

/// Names compare by code point, and case is that of Unicode, on every system.
fn locale(major: u32) -> &'static [&'static str] {
    if major >= 17 {
        &[
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
    } else if cfg!(target_os = "macos") {
        &["--locale=C", "--lc-ctype=UTF-8"]
    } else {
        &["--locale=C.UTF-8"]
    }
}

fn remove_unfinished(home: &Path) {
    let Ok(entries) = fs::read_dir(home) else {
        return;
    };
    for entry in entries.flatten() {
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(b"data.new.")
        {
            // One that cannot be removed costs space and is in nobody's way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EmbeddedError> + Send + 'static,
) -> Result<T, EmbeddedError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(EmbeddedError::io(
                "finish",
                Path::new("the start, which was cancelled"),
            )(std::io::ErrorKind::Interrupted.into())),
        },
    }
}
