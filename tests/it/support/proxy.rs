//! A proxy between the app and Postgres that breaks when it is told to.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

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

/// A proxy on a Unix socket in a folder of its own.
pub struct Proxy {
    pub endpoint: Endpoint,
    pub url: String,
    state: watch::Sender<State>,
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
        tokio::spawn(accept(listener, socket, watched));
        let url = format!("{before}host={}&{after}", folder.display());
        Proxy {
            endpoint: Endpoint::parse(&url).unwrap(),
            url,
            state,
            folder,
        }
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

async fn accept(listener: UnixListener, real: PathBuf, state: watch::Receiver<State>) {
    while let Ok((client, _)) = listener.accept().await {
        if *state.borrow() == State::Cut {
            continue;
        }
        let Ok(server) = UnixStream::connect(&real).await else {
            continue;
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::spawn(carry(from_client, to_server, state.clone()));
        tokio::spawn(carry(from_server, to_client, state.clone()));
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            cut = state.wait_for(|state| *state == State::Cut) => {
                drop(cut);
                return;
            }
            read = from.read(&mut bytes) => read.unwrap_or(0),
        };
        if read == 0 {
            return;
        }
        match state.wait_for(|state| *state != State::Frozen).await {
            Ok(state) if *state == State::Open => {}
            _ => return,
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
