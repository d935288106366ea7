//! As whom Postgres runs. It refuses root, so root lends it to somebody without rights; everybody else runs it himself.

use super::EmbeddedError;
use nix::unistd::{Uid, User};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whom root may lend Postgres to, best first. `nobody` is shared with others, hence the last.
const CANDIDATES: [&str; 4] = ["postgres", "_postgres", "keystead", "nobody"];

/// The user Postgres and its tools run as.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) name: String,
    /// Whether that is somebody else than the user of this process.
    switch: bool,
}

impl Account {
    /// The account for a cluster: the owner of the one that exists at `cluster`, else the best there is.
    pub(super) fn choose(cluster: &Path) -> Result<Account, EmbeddedError> {
        let me = Uid::effective();
        let owner = match fs::symlink_metadata(cluster) {
            Ok(found) => Some(Uid::from_raw(found.uid())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(EmbeddedError::io("look at", cluster)(e)),
        };
        match owner {
            Some(owner) if me.is_root() && !owner.is_root() => {
                Account::of(owner)?.ok_or(EmbeddedError::NoUnprivilegedUser)
            }
            Some(owner) if owner != me || owner.is_root() => Err(EmbeddedError::Foreign {
                path: cluster.to_owned(),
                owner: name_of(owner),
            }),
            None if me.is_root() => CANDIDATES
                .iter()
                .find_map(|name| User::from_name(name).ok().flatten())
                .filter(|user| !user.uid.is_root())
                .map(|user| Account::new(user, me))
                .ok_or(EmbeddedError::NoUnprivilegedUser),
            _ => Ok(Account::of(me)?.unwrap_or_else(|| Account {
                uid: me.as_raw(),
                gid: nix::unistd::Gid::effective().as_raw(),
                name: me.to_string(),
                switch: false,
            })),
        }
    }

    fn of(uid: Uid) -> Result<Option<Account>, EmbeddedError> {
        let user = User::from_uid(uid).map_err(|e| {
            EmbeddedError::io("look up a user in", Path::new("/etc/passwd"))(e.into())
        })?;
        Ok(user.map(|user| Account::new(user, Uid::effective())))
    }

    fn new(user: User, me: Uid) -> Account {
        Account {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            name: user.name,
            switch: user.uid != me,
        }
    }

    /// A command that runs as this account, in `/`, without the settings (`PGDATA`, `LC_ALL`, …) and the terminal of its caller.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir("/").stdin(Stdio::null());
        for kept in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.env("LC_ALL", "C").env("TZ", "UTC");
        if self.switch {
            // Setting the user of a child also drops root's supplementary groups.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes a folder that this account alone may enter, if there is none.
    pub(super) fn make_dir(&self, path: &Path) -> Result<(), EmbeddedError> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => self.give(path),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(e) => Err(EmbeddedError::io("make the folder", path)(e)),
        }
    }

    /// Gives `path` to this account. A symbolic link is never followed: what lies below may belong to somebody without rights.
    fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.switch {
            lchown(path, Some(self.uid), Some(self.gid))
                .map_err(EmbeddedError::io("change the owner of", path))?;
        }
        Ok(())
    }

    /// Lets this account pass through `path`, a folder of root's, to what lies below, and see nothing in it.
    pub(super) fn let_pass(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.switch {
            lchown(path, None, Some(self.gid))
                .map_err(EmbeddedError::io("change the group of", path))?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o710))
                .map_err(EmbeddedError::io("change the mode of", path))?;
        }
        Ok(())
    }

    /// Whether the account differs from the user of this process, so that reaching things is in doubt.
    pub(super) fn is_other(&self) -> bool {
        self.switch
    }

    /// Whether this account can really enter `dir` and make a file there, found out by doing so.
    pub(super) fn reaches(&self, dir: &Path) -> bool {
        self.command("/bin/sh")
            .args(["-c", "cd \"$1\" && : > .reached && rm .reached", "sh"])
            .arg(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

fn name_of(uid: Uid) -> String {
    match User::from_uid(uid) {
        Ok(Some(user)) => format!("the user `{}`", user.name),
        _ => format!("the user with id {uid}"),
    }
}
