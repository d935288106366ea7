//! A proxy between the app and Postgres that breaks when it is told to.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use keystead::db::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// What the proxy does with what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Passes it on.
    Open,
    /// Holds it back and says nothing.
    Frozen,
    /// Closes every connection, and new ones at once.
    Cut,
}

/// On which side of a message the database is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The database never gets it.
    Before,
    /// The database gets it and does it, and its answer never arrives.
    After,
}

/// A break that is to come.
#[derive(Default)]
struct Fault {
    /// After so many messages from the app; `None`: it has come, or none is to.
    armed: Mutex<Option<(usize, Side)>>,
    /// How often there was one: connections from before the last are closed.
    broken: watch::Sender<u64>,
}

impl Fault {
    /// Counts a message from the app, and says whether this is the one.
    fn count(&self) -> Option<Side> {
        let mut armed = self.armed.lock().unwrap();
        let (left, side) = armed.as_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        let side = *side;
        *armed = None;
        Some(side)
    }

    fn close(&self) {
        self.broken.send_modify(|broken| *broken += 1);
    }
}

/// A proxy on a Unix socket in a folder of its own.
pub struct Proxy {
    pub endpoint: Endpoint,
    pub url: String,
    state: watch::Sender<State>,
    fault: Arc<Fault>,
    folder: PathBuf,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Proxy {
    /// Before a new database of the tests' Postgres.
    pub async fn new() -> Proxy {
        Proxy::before(&super::cluster::database().await)
    }

    /// Before that database.
    pub fn before(url: &str) -> Proxy {
        let (before, rest) = url.split_once("host=").unwrap();
        let (real, after) = rest.split_once('&').unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // The path of a Unix socket is short: 107 bytes.
        let folder = std::env::temp_dir().join(format!("ks-proxy-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let socket = socket_in(Path::new(real));
        let listener = UnixListener::bind(folder.join(socket.file_name().unwrap())).unwrap();
        let (state, watched) = watch::channel(State::Open);
        let fault = Arc::<Fault>::default();
        tokio::spawn(accept(listener, socket, watched, fault.clone()));
        let url = format!("{before}host={}&{after}", folder.display());
        Proxy {
            endpoint: Endpoint::parse(&url).unwrap(),
            url,
            state,
            fault,
            folder,
        }
    }

    /// Closes all connections at the message with that number, from 0, of those that the app sends from now on; new ones are taken at once.
    pub fn cut_at(&self, message: usize, side: Side) {
        *self.fault.armed.lock().unwrap() = Some((message, side));
    }

    /// Says whether the cut that was wanted has come; if not, it does not any more.
    pub fn has_cut(&self) -> bool {
        self.fault.armed.lock().unwrap().take().is_none()
    }

    /// Closes all connections and takes no new ones.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Lets connections stand, but nothing through.
    pub fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    /// Lets everything through again.
    pub fn mend(&self) {
        self.state.send_replace(State::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    names
        .into_iter()
        .find(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(".s.PGSQL.") && !name.ends_with(".lock")
        })
        .unwrap()
}

async fn accept(
    listener: UnixListener,
    real: PathBuf,
    state: watch::Receiver<State>,
    fault: Arc<Fault>,
) {
    while let Ok((client, _)) = listener.accept().await {
        if *state.borrow() == State::Cut {
            continue;
        }
        let Ok(server) = UnixStream::connect(&real).await else {
            continue;
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let swallow = Arc::new(AtomicBool::new(false));
        for (from, to, by_app) in [
            (from_client, to_server, true),
            (from_server, to_client, false),
        ] {
            let mut broken = fault.broken.subscribe();
            broken.mark_unchanged();
            let way = Way {
                by_app,
                state: state.clone(),
                fault: fault.clone(),
                swallow: swallow.clone(),
            };
            tokio::spawn(async move {
                tokio::select! {
                    () = way.carry(from, to) => {}
                    _ = broken.changed() => {}
                }
            });
        }
    }
}

/// One direction of a connection.
struct Way {
    by_app: bool,
    state: watch::Receiver<State>,
    fault: Arc<Fault>,
    /// What comes back on this connection is the answer that never arrives.
    swallow: Arc<AtomicBool>,
}

impl Way {
    async fn carry(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let read = tokio::select! {
                cut = self.state.wait_for(|state| *state == State::Cut) => {
                    drop(cut);
                    return;
                }
                read = from.read(&mut bytes) => read.unwrap_or(0),
            };
            if read == 0 {
                return;
            }
            if self.by_app {
                match self.fault.count() {
                    None => {}
                    Some(Side::Before) => return self.fault.close(),
                    Some(Side::After) => self.swallow.store(true, Ordering::SeqCst),
                }
            } else if self.swallow.load(Ordering::SeqCst) {
                return self.fault.close();
            }
            match self.state.wait_for(|state| *state != State::Frozen).await {
                Ok(state) if *state == State::Open => {}
                _ => return,
            }
            if to.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    }
}
