//! What can keep the private Postgres from running, in words for the person at the terminal.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why the private Postgres could not be started or stopped. Its `Display` is meant for people: it says what was found and what to do.
#[derive(Debug)]
pub enum EmbeddedError {
    /// No usable Postgres on this machine; holds the versions that were found and are too old.
    NoBinaries {
        /// One line for each installation passed over, for example `13.4 in /usr/lib/postgresql/13/bin`.
        too_old: Vec<String>,
    },
    /// The data was made by a major version of Postgres that is no longer installed.
    VersionGone {
        /// Where the cluster is.
        cluster: PathBuf,
        /// The major version it needs.
        needs: u32,
        /// The versions that are installed, one line each.
        found: Vec<String>,
    },
    /// Another Keystead holds the folder.
    AlreadyRunning {
        /// The folder both were given.
        data_dir: PathBuf,
        /// The process that holds it, if it said.
        pid: Option<u32>,
    },
    /// Running as root, and the machine has no user to run Postgres as.
    NoUnprivilegedUser,
    /// The folder or the cluster belongs to somebody else.
    Foreign {
        /// What belongs to somebody else.
        path: PathBuf,
        /// Its owner.
        owner: String,
    },
    /// No place was found that the user who runs Postgres can reach.
    Unreachable {
        /// The place that was tried last.
        path: PathBuf,
        /// The user who cannot reach it.
        user: String,
    },
    /// `initdb` failed; holds what it printed.
    InitFailed {
        /// Both of its outputs.
        output: String,
    },
    /// Postgres ended, or stayed silent, while it was being started.
    DidNotStart {
        /// What happened.
        why: String,
        /// The whole log.
        log: PathBuf,
        /// The end of what it wrote this time.
        tail: String,
    },
    /// A Postgres left over from an earlier run could not be stopped.
    Survivor {
        /// Its process id.
        pid: i32,
    },
    /// The folder for the socket is not safe to use.
    SocketDirectory {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Postgres runs, and refused to make or open the database.
    Database {
        /// What it answered.
        message: String,
    },
    /// The file system refused something.
    Io {
        /// What was being done, as in `make the folder`.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The answer.
        source: std::io::Error,
    },
}

impl EmbeddedError {
    /// For `map_err`: `doing` completes "could not …".
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| EmbeddedError::Io {
            doing,
            path,
            source,
        }
    }
}

const INSTALL: &str = "\
Install PostgreSQL 15 or later:
  Debian, Ubuntu:  sudo apt-get install postgresql
  Fedora:          sudo dnf install postgresql-server
  macOS:           brew install postgresql@17
or use a server that runs already:
  DATABASE_URL=postgresql://user:password@host/database keystead";

impl fmt::Display for EmbeddedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmbeddedError::NoBinaries { too_old } if too_old.is_empty() => write!(
                f,
                "Keystead keeps its data in PostgreSQL, and none is installed here (looked for `postgres` and `initdb` in PATH and in the usual folders).\n{INSTALL}"
            ),
            EmbeddedError::NoBinaries { too_old } => write!(
                f,
                "Keystead needs PostgreSQL 15 or later; only older ones are installed: {}.\n{INSTALL}",
                too_old.join(", ")
            ),
            EmbeddedError::VersionGone {
                cluster,
                needs,
                found,
            } => {
                let found = if found.is_empty() {
                    "none".to_owned()
                } else {
                    found.join(", ")
                };
                write!(
                    f,
                    "the data in {} was made by PostgreSQL {needs}, which is not installed (found: {found}).\n\
                     Install PostgreSQL {needs} (on Debian and Ubuntu: `sudo apt-get install postgresql-{needs}`), or move the folder away to begin with an empty one.",
                    cluster.display()
                )
            }
            EmbeddedError::AlreadyRunning { data_dir, pid } => {
                let who = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
                write!(
                    f,
                    "another Keystead is running in {}{who}. Stop it, or give this one a folder of its own with KEYSTEAD_DATA_DIR.",
                    data_dir.display()
                )
            }
            EmbeddedError::NoUnprivilegedUser => write!(
                f,
                "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as. \
                 Run Keystead as an ordinary user, or make one: `useradd --system postgres`."
            ),
            EmbeddedError::Foreign { path, owner } => write!(
                f,
                "{} belongs to {owner}. Run Keystead as that user, or give it another folder with KEYSTEAD_DATA_DIR.",
                path.display()
            ),
            EmbeddedError::Unreachable { path, user } => write!(
                f,
                "PostgreSQL runs as the user `{user}`, who cannot reach {}. Give Keystead a folder he can reach with KEYSTEAD_DATA_DIR, or run it as an ordinary user.",
                path.display()
            ),
            EmbeddedError::InitFailed { output } => {
                write!(
                    f,
                    "initdb could not make the database cluster. It said:\n{}",
                    output.trim_end()
                )
            }
            EmbeddedError::DidNotStart { why, log, tail } => {
                write!(
                    f,
                    "PostgreSQL did not start: {why}. The end of its log ({}):\n{}",
                    log.display(),
                    tail.trim_end()
                )
            }
            EmbeddedError::Survivor { pid } => write!(
                f,
                "a PostgreSQL of an earlier run still uses the data (process {pid}) and does not stop. Stop it with `kill -QUIT {pid}`, then start again."
            ),
            EmbeddedError::SocketDirectory { path, why } => write!(
                f,
                "{} cannot hold the socket: {why}. Remove it, or give Keystead a folder with a shorter path with KEYSTEAD_DATA_DIR.",
                path.display()
            ),
            EmbeddedError::Database { message } => {
                write!(f, "the private PostgreSQL runs, but: {message}")
            }
            EmbeddedError::Io {
                doing,
                path,
                source,
            } => {
                write!(f, "could not {doing} {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for EmbeddedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EmbeddedError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
