//! Servers as processes of their own, and what is done to them.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Proxy, TestApp, database};

/// A server with a proxy of its own before the database.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    pub proxy: Proxy,
}

/// How a server is to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    On,
    /// Changes are announced to nobody.
    Off,
}

impl Process {
    pub async fn start(url: &str, protocol: Protocol) -> Process {
        Process::with(url, protocol, &[]).await
    }

    /// The same with those settings in its environment.
    pub async fn with(url: &str, protocol: Protocol, settings: &[(&str, &str)]) -> Process {
        let proxy = Proxy::before(url);
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error"])
            .env_clear()
            .env("DATABASE_URL", &proxy.url)
            .env("KEYSTEAD_REQUESTS_PER_ACTOR", "0")
            .env("KEYSTEAD_COST_PER_MINUTE", "0")
            .env("KEYSTEAD_POOL_WAIT", "2s")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if protocol == Protocol::Off {
            command.env("KEYSTEAD_TEST_WITHOUT_REVOCATION", "1");
        }
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        // The proxy runs beside.
        let address = tokio::task::spawn_blocking(move || {
            let mut banner = String::new();
            while !banner.contains("/graphql\n") {
                assert_ne!(out.read_line(&mut banner).unwrap(), 0, "it ended: {banner}");
            }
            let url = banner.split_once(" is ready: http://").unwrap().1;
            url.lines().next().unwrap().parse().unwrap()
        });
        let process = Process {
            address: address.await.unwrap(),
            child,
            proxy,
        };
        let begin = Instant::now();
        while !process.is_leased().await {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "it gets no lease"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        process
    }

    pub async fn is_leased(&self) -> bool {
        let ready = get(self.address, "/readyz").await;
        ready.is_some_and(|text| text.contains("\"lease\":true"))
    }

    /// How often a key was answered from memory.
    pub async fn hits(&self) -> u64 {
        let text = get(self.address, "/metrics").await.unwrap_or_default();
        let line = "keystead_key_memory_total{result=\"hit\"} ";
        let found = text.lines().find_map(|each| each.strip_prefix(line));
        found.and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// What it answers to a GraphQL document; `None` if it does not, in five seconds.
    pub async fn ask(&self, key: &str, document: &str) -> Option<Value> {
        ask(self.address, key, document).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill(
            Pid::from_raw(self.child.id().cast_signed()),
            Signal::SIGCONT,
        );
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A database with an administrator, and two servers on it.
pub async fn two(protocol: Protocol) -> (TestApp, [Process; 2]) {
    let url = database().await;
    let app = TestApp::with(crate::support::Setup {
        endpoint: Some(keystead::db::Endpoint::parse(&url).unwrap()),
        ..Default::default()
    })
    .await;
    let (first, second) = tokio::join!(
        Process::start(&url, protocol),
        Process::start(&url, protocol)
    );
    (app, [first, second])
}

/// Cuts every connection that listens.
pub async fn cut_listeners(app: &TestApp) {
    let client = app.app.db.endpoint().client().await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%leases%' AND query LIKE '%pg_notify%'";
    client.execute(cut, &[]).await.unwrap();
}

/// As [`Process::ask`].
pub async fn ask(address: SocketAddr, key: &str, document: &str) -> Option<Value> {
    post(address, "/graphql", key, &json!({"query": document})).await
}

/// What is answered to a JSON body; `None` if nothing is.
pub async fn post(address: SocketAddr, path: &str, key: &str, body: &Value) -> Option<Value> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: k\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    let answer = exchange(address, &format!("{head}Connection: close\r\n\r\n{body}")).await?;
    let (begin, end) = (answer.find('{')?, answer.rfind('}')?);
    serde_json::from_str(&answer[begin..=end]).ok()
}

async fn get(address: SocketAddr, path: &str) -> Option<String> {
    exchange(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: k\r\nConnection: close\r\n\r\n"),
    )
    .await
}

/// The body of the answer.
async fn exchange(address: SocketAddr, request: &str) -> Option<String> {
    let exchanged = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer.split_once("\r\n\r\n")?.1.to_owned())
    };
    let patience = Duration::from_secs(40);
    tokio::time::timeout(patience, exchanged)
        .await
        .ok()
        .flatten()
}

const LEASE: Duration = Duration::from_secs(2);

/// A new key: its id and its secret; the second server remembers it.
async fn remembered(servers: &[Process; 2], admin: &str) -> (String, String) {
    let make = "mutation { generateApiKey(input: {}) { secret apiKey { id } } }";
    let made = servers[0].ask(admin, make).await.unwrap();
    let text = |pointer: &str| made.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let (id, secret) = (
        text("/data/generateApiKey/apiKey/id"),
        text("/data/generateApiKey/secret"),
    );
    for _ in 0..2 {
        assert!(takes(&servers[1], &secret).await);
    }
    (id, secret)
}

async fn takes(server: &Process, secret: &str) -> bool {
    let answer = server.ask(secret, "{ __typename }").await.unwrap();
    answer.get("errors").is_none()
}

async fn delete(server: &Process, admin: &str, id: &str) -> Duration {
    let began = Instant::now();
    let document =
        format!("mutation {{ deleteApiKey(input: {{id: \"{id}\"}}) {{ deletedApiKeyId }} }}");
    let answer = server.ask(admin, &document).await.unwrap();
    assert!(answer.get("errors").is_none(), "{answer}");
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_is_waited_for_as_long_as_its_lease_and_wakes_without_its_memory() {
    let (app, servers) = two(Protocol::On).await;
    let admin = app.admin_key.to_string();
    let (id, secret) = remembered(&servers, &admin).await;
    servers[1].signal(Signal::SIGSTOP);
    let waited = delete(&servers[0], &admin, &id).await;
    assert!(waited < LEASE + Duration::from_millis(900), "{waited:?}");
    servers[1].signal(Signal::SIGCONT);
    assert!(!takes(&servers[1], &secret).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_listening_connection_is_cut_says_no_all_the_same() {
    let (app, servers) = two(Protocol::On).await;
    let admin = app.admin_key.to_string();
    let (id, secret) = remembered(&servers, &admin).await;
    cut_listeners(&app).await;
    let waited = delete(&servers[0], &admin, &id).await;
    assert!(waited < LEASE + Duration::from_millis(900), "{waited:?}");
    assert!(!takes(&servers[1], &secret).await);
}
