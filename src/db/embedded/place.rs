//! Where the cluster, its socket and its log live, such that both this process and the user who runs Postgres can reach them.
//!
//! ```text
//! <data_dir>/lock            held by the one Keystead that runs here
//! <data_dir>/postgres.log
//! <data_dir>/postgres/       0700, the account's; a symbolic link to /var/lib/keystead/<hash> where the account cannot reach it
//!              data/         the cluster
//!              socket/       unless its path is too long for a socket
//! ```

use super::EmbeddedError;
use super::account::Account;
use ring::digest::{SHA256, digest};
use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

/// Where root keeps clusters whose proper place is closed to the account.
const ELSEWHERE: &str = "/var/lib/keystead";

/// What Postgres calls its socket, in the folder it is given.
const SOCKET_NAME: &str = "/.s.PGSQL.5432";

/// The longest path of a Unix socket, in bytes, without the closing NUL.
const LONGEST_SOCKET: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The private Postgres's places, made and checked.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) account: Account,
    pub(super) home: PathBuf,
    pub(super) socket_dir: PathBuf,
    pub(super) log: PathBuf,
    /// Locks, released when dropped: the folder's, and the home's if that is elsewhere.
    _locks: Vec<File>,
}

impl Place {
    /// Makes `data_dir` and what belongs in it, and locks it.
    pub(super) fn settle(data_dir: &Path) -> Result<Place, EmbeddedError> {
        let data_dir = make_data_dir(data_dir)?;
        let mut locks = vec![lock(&data_dir)?];
        let pointer = data_dir.join("postgres");
        let home = existing_home(&pointer)?;
        let account = Account::choose(&home.as_deref().unwrap_or(&pointer).join("data"))?;
        let home = match home {
            Some(home) if !account.is_other() || account.reaches(&home) => home,
            Some(home) if home == pointer => rescue(&account, &data_dir, home)?,
            Some(home) => return Err(unreachable(&account, home)),
            None => make_home(&account, &data_dir, pointer)?,
        };
        if !home.starts_with(&data_dir) {
            // A copy of this folder points to the same home.
            let dir = File::open(&home).map_err(EmbeddedError::io("open", &home))?;
            try_lock(&dir, &home)?;
            locks.push(dir);
        }
        Ok(Place {
            socket_dir: make_socket_dir(&account, &home)?,
            log: data_dir.join("postgres.log"),
            account,
            home,
            _locks: locks,
        })
    }

    /// The cluster: Postgres's own data directory.
    pub(super) fn cluster(&self) -> PathBuf {
        self.home.join("data")
    }

    /// Removes the socket's folder where it was made outside the home.
    pub(super) fn clean(&self) {
        if !self.socket_dir.starts_with(&self.home) {
            // It may hold the socket of a Postgres that had to be killed; the next start takes it over.
            let _ = fs::remove_dir(&self.socket_dir);
        }
    }
}

fn make_data_dir(data_dir: &Path) -> Result<PathBuf, EmbeddedError> {
    if let Some(parent) = data_dir
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        fs::create_dir_all(parent).map_err(EmbeddedError::io("make the folder", parent))?;
    }
    match fs::DirBuilder::new().mode(0o700).create(data_dir) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(EmbeddedError::io("make the folder", data_dir)(e));
        }
        _ => {}
    }
    data_dir
        .canonicalize()
        .map_err(EmbeddedError::io("find", data_dir))
}

fn lock(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("lock");
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(EmbeddedError::io("open", &path))?;
    if let Err(e) = try_lock(&file, data_dir) {
        let mut holder = String::new();
        let pid = file
            .read_to_string(&mut holder)
            .ok()
            .and_then(|_| holder.trim().parse().ok());
        return Err(match e {
            EmbeddedError::AlreadyRunning { data_dir, .. } => {
                EmbeddedError::AlreadyRunning { data_dir, pid }
            }
            other => other,
        });
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(EmbeddedError::io("write", &path))?;
    Ok(file)
}

fn try_lock(file: &File, what: &Path) -> Result<(), EmbeddedError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(EmbeddedError::AlreadyRunning {
            data_dir: what.to_owned(),
            pid: None,
        }),
        Err(TryLockError::Error(e)) => Err(EmbeddedError::io("lock", what)(e)),
    }
}

/// The home that `pointer` is or points to, if there is one.
fn existing_home(pointer: &Path) -> Result<Option<PathBuf>, EmbeddedError> {
    let found = match fs::symlink_metadata(pointer) {
        Ok(found) => found,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(EmbeddedError::io("look at", pointer)(e)),
    };
    if !found.is_symlink() {
        return Ok(Some(pointer.to_owned()));
    }
    let target = fs::read_link(pointer).map_err(EmbeddedError::io("read the link", pointer))?;
    match target.canonicalize() {
        Ok(home) => Ok(Some(home)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            tracing::warn!(was = %target.display(), "the database cluster of this folder is gone; making a new one");
            fs::remove_file(pointer).map_err(EmbeddedError::io("remove the link", pointer))?;
            Ok(None)
        }
        Err(e) => Err(EmbeddedError::io("follow the link to", &target)(e)),
    }
}

/// Makes a new home: in `data_dir` if the account can reach it there.
fn make_home(
    account: &Account,
    data_dir: &Path,
    pointer: PathBuf,
) -> Result<PathBuf, EmbeddedError> {
    account.make_dir(&pointer)?;
    if within_reach(account, data_dir, &pointer)? {
        return Ok(pointer);
    }
    fs::remove_dir(&pointer).map_err(EmbeddedError::io("remove", &pointer))?;
    let home = free_name(data_dir)?;
    account.make_dir(&home)?;
    if !account.reaches(&home) {
        return Err(unreachable(account, home));
    }
    symlink(&home, &pointer).map_err(EmbeddedError::io("make the link", &pointer))?;
    tracing::info!(
        home = %home.display(),
        "the user {} runs PostgreSQL and cannot reach this folder; the data is kept elsewhere",
        account.name
    );
    Ok(home)
}

/// Brings back within reach a home whose folder was closed or moved below a closed one.
fn rescue(account: &Account, data_dir: &Path, home: PathBuf) -> Result<PathBuf, EmbeddedError> {
    if within_reach(account, data_dir, &home)? {
        return Ok(home);
    }
    let refuge = free_name(data_dir)?;
    // Fails where the refuge is on another file system.
    fs::rename(&home, &refuge).map_err(|_| unreachable(account, home.clone()))?;
    symlink(&refuge, &home).map_err(EmbeddedError::io("make the link", &home))?;
    if !account.reaches(&refuge) {
        return Err(unreachable(account, refuge));
    }
    tracing::info!(home = %refuge.display(), "moved the data to where the user {} can reach it", account.name);
    Ok(refuge)
}

fn within_reach(account: &Account, data_dir: &Path, home: &Path) -> Result<bool, EmbeddedError> {
    if !account.is_other() || account.reaches(home) {
        return Ok(true);
    }
    account.let_pass(data_dir)?;
    Ok(account.reaches(home))
}

fn unreachable(account: &Account, path: PathBuf) -> EmbeddedError {
    EmbeddedError::Unreachable {
        path,
        user: account.name.clone(),
    }
}

/// A name below [`ELSEWHERE`] that no other folder has. One that is taken belongs to a folder of the same name that was deleted,
/// and may hold data that somebody misses.
fn free_name(data_dir: &Path) -> Result<PathBuf, EmbeddedError> {
    let base = Path::new(ELSEWHERE);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(base)
        .map_err(EmbeddedError::io("make the folder", base))?;
    let hash = short_hash(data_dir);
    let first = base.join(&hash);
    if !first.exists() {
        return Ok(first);
    }
    tracing::warn!(
        old = %first.display(),
        "an older cluster of a folder of this name is left; remove it if nobody needs it"
    );
    (2..1000)
        .map(|n| base.join(format!("{hash}-{n}")))
        .find(|path| !path.exists())
        .ok_or_else(|| {
            EmbeddedError::io("find a free name in", base)(std::io::ErrorKind::AlreadyExists.into())
        })
}

fn short_hash(path: &Path) -> String {
    digest(&SHA256, path.as_os_str().as_bytes()).as_ref()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The socket's folder: in the home, or in a folder with a short name where the path would be too long, or has characters that
/// settings and URLs give a meaning to.
fn make_socket_dir(account: &Account, home: &Path) -> Result<PathBuf, EmbeddedError> {
    let usual = home.join("socket");
    if fits(&usual) {
        account.make_dir(&usual)?;
        return Ok(usual);
    }
    let hash = short_hash(home);
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .map(|dir| Path::new(&dir).join(format!("keystead-{hash}")))
        .filter(|dir| !account.is_other() && fits(dir) && account.make_dir(dir).is_ok());
    let short =
        runtime.unwrap_or_else(|| PathBuf::from(format!("/tmp/keystead-{}-{hash}", account.uid)));
    account.make_dir(&short)?;
    check_private(account, &short)?;
    Ok(short)
}

fn fits(dir: &Path) -> bool {
    let bytes = dir.as_os_str().as_bytes();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"/._-".contains(b);
    dir.is_absolute()
        && bytes.len() + SOCKET_NAME.len() <= LONGEST_SOCKET
        && bytes.iter().all(plain)
}

/// In `/tmp` anybody can make a folder, or a link, of any name.
fn check_private(account: &Account, dir: &Path) -> Result<(), EmbeddedError> {
    let found = fs::symlink_metadata(dir).map_err(EmbeddedError::io("look at", dir))?;
    let why = if !found.is_dir() {
        "it is not a folder"
    } else if found.uid() != account.uid {
        "it belongs to somebody else"
    } else if found.mode() & 0o077 != 0 {
        "others may enter it"
    } else {
        return Ok(());
    };
    Err(EmbeddedError::SocketDirectory {
        path: dir.to_owned(),
        why: why.to_owned(),
    })
}
