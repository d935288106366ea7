//! Finding the system's own Postgres: in `PATH`, then where distributions and Homebrew put it.

use super::EmbeddedError;
use super::account::Account;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The oldest major version that will do.
const OLDEST: u32 = 15;

/// Where installations outside `PATH` live; `*` stands for one part of a name.
const PLACES: [&str; 8] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",
];

/// A folder with `postgres` and `initdb` in it that the account can run.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    dir: PathBuf,
    pub(super) major: u32,
    version: String,
}

impl Binaries {
    pub(super) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    fn describe(&self) -> String {
        format!("{} in {}", self.version, self.dir.display())
    }

    /// The binaries for a cluster that was made by the major version `needs`, or for a new one.
    pub(super) fn find(
        account: &Account,
        existing: Option<(u32, &Path)>,
    ) -> Result<Binaries, EmbeddedError> {
        let mut passed_over = Vec::new();
        let mut newest: Option<Binaries> = None;
        let in_path = in_path();
        for dir in in_path.iter().chain(&elsewhere()) {
            let Some(found) = probe(account, dir) else {
                continue;
            };
            match existing {
                Some((needs, _)) if found.major == needs => return Ok(found),
                None if found.major >= OLDEST && in_path.contains(dir) => return Ok(found),
                None if found.major >= OLDEST => {
                    if newest.as_ref().is_none_or(|best| found.major > best.major) {
                        newest = Some(found);
                    }
                }
                _ => passed_over.push(found.describe()),
            }
        }
        match (existing, newest) {
            (_, Some(newest)) => Ok(newest),
            (Some((needs, cluster)), None) => Err(EmbeddedError::VersionGone {
                cluster: cluster.to_owned(),
                needs,
                found: passed_over,
            }),
            (None, None) => Err(EmbeddedError::NoBinaries {
                too_old: passed_over,
            }),
        }
    }
}

fn in_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .collect()
}

fn elsewhere() -> Vec<PathBuf> {
    PLACES.iter().flat_map(|place| expand(place)).collect()
}

/// The folders that fit a pattern with one `*`.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let Some((parent, prefix)) = before.rsplit_once('/') else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut dirs: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .map(|name| PathBuf::from(format!("{parent}/{name}{after}")))
        .collect();
    dirs.sort();
    dirs
}

/// What is installed in `dir`, if it is whole and the account can run it.
fn probe(account: &Account, dir: &Path) -> Option<Binaries> {
    if !(dir.join("postgres").is_file() && dir.join("initdb").is_file()) {
        return None;
    }
    let output = account
        .command(dir.join("postgres"))
        .arg("--version")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "postgres (PostgreSQL) 18beta1"
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text
        .split_once("(PostgreSQL) ")?
        .1
        .split_whitespace()
        .next()?
        .to_owned();
    let digits = version
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(version.len());
    Some(Binaries {
        dir: dir.to_owned(),
        major: version[..digits].parse().ok()?,
        version,
    })
}
