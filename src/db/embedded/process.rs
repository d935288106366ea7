//! The server process: starting it, making sure that it never outlives us, stopping it, and dealing with one that did.

use super::account::Account;
use super::{Durability, EmbeddedError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(5);

/// How long a server may take to end after each signal, from the politest on.
const PATIENCE: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(30)),
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];

/// A log longer than this (bytes) is set aside at the next start.
const LONGEST_LOG: u64 = 8 << 20;

/// Waits on a pipe whose other end we hold. A line means that all is well; its end without one, that we died, however that came
/// about, and Postgres must go too. `postmaster.pid` says whether the process is still that Postgres; one that is just starting has
/// not written it yet.
const WATCHDOG: &str = r#"
if read -r _; then exit 0; fi
n=0
while [ $n -lt 50 ]; do
  if { read -r pid < "$1/postmaster.pid"; } 2>/dev/null && [ "$pid" = "$2" ]; then
    kill -INT "$pid"
    exit 0
  fi
  sleep 0.1
  n=$((n + 1))
done
"#;

const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    "dynamic_shared_memory_type=mmap",
    "huge_pages=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_logical_replication_workers=0",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "logging_collector=off",
    "log_destination=stderr",
    "log_line_prefix=%m [%p] ",
    "log_checkpoints=off",
    // What is stored does not belong in a log: no values of a row that broke a rule.
    "log_error_verbosity=terse",
];

/// A running server and its watchdog.
#[derive(Debug)]
pub(super) struct Postmaster {
    child: Child,
    watchdog: Child,
    ended: bool,
}

impl Postmaster {
    /// Starts the server; it does not yet answer when this returns.
    pub(super) fn spawn(
        account: &Account,
        postgres: &Path,
        cluster: &Path,
        socket_dir: &Path,
        durability: Durability,
        log: &Log,
    ) -> Result<Postmaster, EmbeddedError> {
        let mut command = account.command(postgres);
        command.arg("-D").arg(cluster).arg("-k").arg(socket_dir);
        let careless: &[&str] = match durability {
            Durability::Full => &["max_connections=100"],
            Durability::None => &[
                "max_connections=300",
                "fsync=off",
                "full_page_writes=off",
                "synchronous_commit=off",
            ],
        };
        for setting in SETTINGS.iter().chain(careless) {
            command.args(["-c", setting]);
        }
        let child = command
            .stdout(log.writer()?)
            .stderr(log.writer()?)
            // Ctrl-C goes to the terminal's process group; Postgres must outlast what we still have to write.
            .process_group(0)
            .spawn()
            .map_err(EmbeddedError::io("run", postgres))?;
        let watchdog = account
            .command("/bin/sh")
            .args(["-c", WATCHDOG, "keystead-watchdog"])
            .arg(cluster)
            .arg(child.id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match watchdog {
            Ok(watchdog) => Ok(Postmaster {
                child,
                watchdog,
                ended: false,
            }),
            Err(e) => {
                signal(child.id().cast_signed(), Signal::SIGQUIT);
                Err(EmbeddedError::io("run", Path::new("/bin/sh"))(e))
            }
        }
    }

    /// How the server ended, if it did.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        self.ended |= status.is_some();
        status
    }

    /// Stops the server and waits for its end.
    pub(super) fn stop(&mut self) -> Result<(), EmbeddedError> {
        let pid = self.child.id().cast_signed();
        for (how, patience) in PATIENCE {
            if self.ended().is_none() {
                signal(pid, how);
            }
            if wait(patience, || self.ended().is_some()) {
                self.dismiss_watchdog();
                return Ok(());
            }
        }
        Err(EmbeddedError::Survivor { pid })
    }

    fn dismiss_watchdog(&mut self) {
        if let Some(mut pipe) = self.watchdog.stdin.take() {
            // Should it be dead already, there is nothing to dismiss.
            let _ = pipe.write_all(b"\n");
        }
        let _ = self.watchdog.wait();
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if !self.ended && self.ended().is_none() {
            signal(self.child.id().cast_signed(), Signal::SIGINT);
        }
    }
}

/// Stops what an earlier run left behind in `cluster`, and removes its stale `postmaster.pid`, whose number may be anybody's by now.
/// Whoever calls this holds the folder's lock, so nobody else is starting one.
pub(super) fn clear_survivors(cluster: &Path, socket_dir: &Path) -> Result<(), EmbeddedError> {
    let pid_file = cluster.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&pid_file) else {
        return Ok(());
    };
    let leader = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse::<i32>().ok());
    let mut left = survivors(cluster, leader);
    if !left.is_empty() {
        tracing::info!(processes = ?left, "stopping the PostgreSQL of an earlier run");
    }
    for (how, patience) in PATIENCE {
        match leader.filter(|leader| left.contains(leader)) {
            Some(leader) if how == Signal::SIGINT => signal(leader, how),
            // Without their leader the others serve nobody.
            _ if how == Signal::SIGINT => left.iter().for_each(|pid| signal(*pid, Signal::SIGQUIT)),
            _ => left.iter().for_each(|pid| signal(*pid, how)),
        }
        if wait(patience, || {
            left = survivors(cluster, leader);
            left.is_empty()
        }) {
            break;
        }
    }
    if let Some(pid) = left.first() {
        return Err(EmbeddedError::Survivor { pid: *pid });
    }
    for stale in [
        pid_file,
        socket_dir.join(".s.PGSQL.5432"),
        socket_dir.join(".s.PGSQL.5432.lock"),
    ] {
        match fs::remove_file(&stale) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(EmbeddedError::io("remove", &stale)(e));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The processes of a Postgres that runs on `cluster`; elsewhere than on Linux only the leader can be recognised.
fn survivors(cluster: &Path, leader: Option<i32>) -> Vec<i32> {
    if let Ok(processes) = fs::read_dir("/proc") {
        let pids: Vec<i32> = processes
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        if !pids.is_empty() {
            return pids
                .into_iter()
                .filter(|pid| works_in(*pid, cluster))
                .collect();
        }
    }
    leader
        .into_iter()
        .filter(|pid| was_started_for(*pid, cluster))
        .collect()
}

/// A Postgres works in its cluster's folder, all its processes do; a zombie works nowhere.
fn works_in(pid: i32, cluster: &Path) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == "postgres")
        && fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster)
}

fn was_started_for(pid: i32, cluster: &Path) -> bool {
    std::process::Command::new("ps")
        .args(["-o", "args=", "-p", &pid.to_string()])
        .output()
        .is_ok_and(|output| {
            let args = String::from_utf8_lossy(&output.stdout).into_owned();
            args.contains("postgres") && args.contains(&*cluster.to_string_lossy())
        })
}

fn signal(pid: i32, how: Signal) {
    // The one error worth a thought, that there is no such process, is what the signal is for.
    let _ = kill(Pid::from_raw(pid), how);
}

fn wait(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if done() {
            return true;
        }
        if start.elapsed() >= patience {
            return false;
        }
        std::thread::sleep(STEP);
    }
}

/// The server's log, and where in it this run begins.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    begin: u64,
}

impl Log {
    pub(super) fn open(path: &Path) -> Log {
        let mut begin = fs::metadata(path).map_or(0, |found| found.len());
        if begin > LONGEST_LOG && fs::rename(path, path.with_extension("log.1")).is_ok() {
            begin = 0;
        }
        Log {
            path: path.to_owned(),
            begin,
        }
    }

    fn writer(&self) -> Result<File, EmbeddedError> {
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(EmbeddedError::io("open", &self.path))
    }

    /// An error that quotes the end of what this run wrote.
    pub(super) fn did_not_start(&self, why: String) -> EmbeddedError {
        let mut tail = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(self.begin.max(end.saturating_sub(4096))))?;
            file.read_to_end(&mut tail)
        });
        EmbeddedError::DidNotStart {
            why,
            log: self.path.clone(),
            tail: match read {
                Ok(_) => String::from_utf8_lossy(&tail).into_owned(),
                Err(e) => format!("(the log cannot be read: {e})"),
            },
        }
    }
}
