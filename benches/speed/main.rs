//! The speed of reads and of making keys, as ratios against limits measured in the same run: a constant route of the same
//! binary, and pgbench with the same statements on the same database. `cargo bench` runs it all, `cargo bench -- reads`,
//! `verify`, `limits`, `revoking`, `flood`, `sign-ins`, `scale`, `usage` or `report` a part; `docs/performance.md` has figures and says what limits each.
//!
//! `KEYSTEAD_BENCH_SECONDS` (5) is the length of one measurement, `KEYSTEAD_BENCH_USERS` (100,000) the size of the data;
//! `scale` compares `KEYSTEAD_BENCH_FEW_USERS` (10,000) with `KEYSTEAD_BENCH_MANY_USERS` (1,000,000). The data stays below
//! `target/bench/` for the next run.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark prints its figures and stops at the first fault"
)]
// The future of a document holds those of all fields of the schema, one within the other.
#![recursion_limit = "256"]

mod data;
mod flood;
mod limits;
mod load;
mod postgraphile;
mod postgres;
mod report;
mod revoking;
mod scale;
mod sign_ins;
mod statements;
mod usage;
mod verify;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keystead::db::embedded::{Durability, Embedded};
use keystead::db::ids::{Id, Kind};
use load::Measured;

const CLIENTS: usize = 32;

struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn keystead(folder: &Path, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
    command
        .env("DATABASE_URL", url)
        .env("KEYSTEAD_LOG", "warn")
        .current_dir(folder)
        .stdin(Stdio::null());
    for limit in [
        "KEYSTEAD_REQUESTS_PER_ACTOR",
        "KEYSTEAD_REQUESTS_PER_ADDRESS",
        "KEYSTEAD_COST_PER_MINUTE",
    ] {
        command.env(limit, "0");
    }
    command
}

impl Server {
    /// Sends these requests over and over from so many clients.
    async fn load(&self, clients: usize, time: Duration, requests: Vec<Vec<u8>>) -> Measured {
        let pid = Some(self.process.id());
        load::run(&self.address, pid, clients, time, Arc::new(requests)).await
    }

    /// Waits until it accepts connections.
    async fn ready(&self) {
        let begin = Instant::now();
        while tokio::net::TcpStream::connect(&self.address).await.is_err() {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "the server did not start"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Starts the server with those settings and waits for its first answer; returns how long that took.
async fn start(
    folder: &Path,
    url: &str,
    port: u16,
    settings: &[(&str, &str)],
) -> (Server, Duration) {
    let address = format!("127.0.0.1:{port}");
    let begin = Instant::now();
    let process = keystead(folder, url)
        .args(["serve", "--listen", &address])
        .envs(settings.iter().copied())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server { process, address };
    server.ready().await;
    let once = Arc::new(vec![load::get("/readyz")]);
    load::run(&server.address, None, 1, Duration::from_millis(1), once).await;
    (server, begin.elapsed())
}

const USER: &str =
    "query($id: ID!) { user(by: {id: $id}) { id username email name role enabled createdAt } }";
const NESTED: &str = "query($id: ID!) { user(by: {id: $id}) { id username apiKeys { nodes { id name prefix status } }
    teams { nodes { id slug name } } } }";
const GENERATE: &str =
    "mutation { generateApiKey(input: {expiresIn: \"P1D\"}) { apiKey { id prefix } secret } }";

fn page_query(after: &str) -> String {
    format!(
        "{{ users(first: 50, after: \"{after}\") {{ nodes {{ id username apiKeys(first: 5) {{ nodes {{ id name }} }}
         teams(first: 5) {{ nodes {{ id slug }} }} }} }} }}"
    )
}

/// A document as a request.
fn graphql(key: &str, query: &str) -> Vec<u8> {
    load::post(
        "/graphql",
        key,
        &serde_json::json!({ "query": query }).to_string(),
    )
}

/// The same about the user with that id.
fn graphql_of(key: &str, query: &str, id: &str) -> Vec<u8> {
    let id = Id::new(Kind::User, id.parse().unwrap()).to_string();
    let body = serde_json::json!({ "query": query, "variables": { "id": id } });
    load::post("/graphql", key, &body.to_string())
}

/// How long the server's operations on its database have taken so far, together.
async fn statement_seconds(server: &Server) -> f64 {
    let text = load::text(&server.address, &load::get("/metrics")).await;
    let sums = text
        .lines()
        .filter(|line| line.starts_with("keystead_db_operation_seconds_sum"));
    sums.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

struct Line {
    name: &'static str,
    measured: Measured,
    pgbench: f64,
    wanted: f64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [word, address] if word == verify::CONSTANT => {
            return verify::serve_constant(address).await;
        }
        [word, rest @ ..] if word == flood::SOURCE => return flood::pour(rest).await,
        _ => {}
    }
    // `cargo test --benches` and clippy pass other flags: only `cargo bench` runs it.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let wanted = |part: &str| {
        let mut named = arguments
            .iter()
            .filter(|argument| !argument.starts_with('-'))
            .peekable();
        named.peek().is_none() || named.any(|argument| argument == part)
    };
    let seconds = setting("KEYSTEAD_BENCH_SECONDS", 5);
    let users = setting("KEYSTEAD_BENCH_USERS", 100_000);
    let time = Duration::from_secs(seconds);
    println!("one measurement lasts {seconds} s; {CLIENTS} clients unless said otherwise");
    if ["reads", "verify", "limits", "revoking", "flood", "sign-ins"]
        .into_iter()
        .any(wanted)
    {
        on_one_size(users, time, wanted).await;
    }
    if wanted("usage") {
        usage::measure().await;
    }
    if wanted("scale") {
        scale::measure(time).await;
    }
    if wanted("report") {
        report::measure(time).await;
    }
}

/// Where the data of that name lies.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("target/bench/{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn on_one_size(users: u64, time: Duration, wanted: impl Fn(&str) -> bool) {
    let folder = folder(&users.to_string());
    let database = Embedded::start(&folder, Durability::Full).await.unwrap();
    let url = database.database_url("keystead");
    let (count, teams) = (users.to_string(), (users / 100).to_string());
    let seed = ["--users", &count, "--keys-per-user", "3", "--teams", &teams];
    let key = data::prepare(&folder, &url, &seed).await;
    let sample = data::sample(&url, data::SAMPLE).await;
    println!("{users} users\n");
    if wanted("reads") {
        reads(&folder, &url, &key, &sample, time).await;
    }
    if wanted("verify") {
        verify::measure(&folder, &url, &key, &sample, time).await;
    }
    if wanted("limits") {
        limits::measure(&folder, &url, &key, time).await;
    }
    if wanted("revoking") {
        revoking::measure(&folder, &url, &key).await;
    }
    if wanted("flood") {
        flood::measure(&folder, &url, &key, &sample, time).await;
    }
    if wanted("sign-ins") {
        sign_ins::measure(&folder, &url, &key, &sample, time).await;
    }
    database.stop().await.unwrap();
}

/// The API's reads, and the making of keys.
async fn reads(folder: &Path, url: &str, key: &str, sample: &data::Sample, time: Duration) {
    let seconds = time.as_secs();
    let (server, started) = start(folder, url, 4802, &[]).await;
    let pid = server.process.id();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = load::resident_mib(pid);

    let run = |clients: usize, requests: Vec<Vec<u8>>| server.load(clients, time, requests);
    let gql = |query: &str| graphql(key, query);

    let constant = run(CLIENTS, vec![load::get("/healthz")]).await;
    let typename = run(CLIENTS, vec![gql("{ __typename }")]).await;
    println!("{:<44}{:>9}  {:>9}", "", "req/s", "CPU µs");
    for (name, measured) in [
        ("constant route", &constant),
        ("{ __typename }, with the key looked up", &typename),
    ] {
        println!(
            "{name:<44}{:>9.0}  {:>9.0}",
            measured.per_second(),
            measured.cpu
        );
    }

    let cursors: Vec<String> = sample
        .pages
        .iter()
        .map(|page| page_query(&page.cursor))
        .collect();
    let by_id = |query: &str| {
        sample
            .users
            .iter()
            .map(|id| graphql_of(key, query, id))
            .collect::<Vec<_>>()
    };
    let id = Id::new(Kind::User, sample.users[0].parse().unwrap()).to_string();
    let statements = async |query: &str| {
        statements::of(
            url,
            key,
            &serde_json::json!({ "query": query, "variables": { "id": id } }),
        )
        .await
    };
    let nested = postgres::by_id(&statements(NESTED).await, &sample.users);
    let bench =
        |name: &str, script: &str| postgres::pgbench(folder, url, name, CLIENTS, seconds, script);
    let lines = [
        Line {
            name: "user(by: {id})",
            measured: run(CLIENTS, by_id(USER)).await,
            pgbench: bench(
                "user",
                &postgres::by_id(&statements(USER).await, &sample.users),
            ),
            wanted: 0.6,
        },
        Line {
            name: "user { apiKeys teams }",
            measured: run(CLIENTS, by_id(NESTED)).await,
            pgbench: bench("nested", &nested),
            wanted: 1.0,
        },
        Line {
            name: "users(first: 50) { apiKeys(5) teams(5) }",
            measured: run(CLIENTS, cursors.iter().map(|query| gql(query)).collect()).await,
            pgbench: bench(
                "page",
                &postgres::page(&statements(&cursors[0]).await, &sample.pages),
            ),
            wanted: 0.7,
        },
        Line {
            name: "generateApiKey",
            measured: run(CLIENTS, vec![gql(GENERATE)]).await,
            pgbench: bench(
                "generate",
                &postgres::generate(&statements(GENERATE).await, &sample.admin),
            ),
            wanted: 0.7,
        },
    ];
    println!(
        "\n{:<44}{:>9}{:>10}{:>8}{:>9}{:>10}{:>9}{:>9}",
        "", "req/s", "pgbench", "ratio", "wanted", "p50 µs", "p99 µs", "CPU µs"
    );
    for line in &lines {
        let ratio = line.measured.per_second() / line.pgbench;
        println!(
            "{:<44}{:>9.0}{:>10.0}{:>8.2}{:>9.2}{:>10}{:>9}{:>9.0}",
            line.name,
            line.measured.per_second(),
            line.pgbench,
            ratio,
            line.wanted,
            line.measured.quantile(0.5),
            line.measured.quantile(0.99),
            line.measured.cpu
        );
    }
    let loaded = load::resident_mib(pid);

    let one = run(1, vec![load::get("/healthz")]).await.quantile(0.5);
    let nothing = run(1, vec![gql("{ __typename }")]).await.quantile(0.5);
    let before = statement_seconds(&server).await;
    let measured = run(1, by_id(NESTED)).await;
    let (alone, count) = (measured.quantile(0.5), measured.requests as f64);
    // The load warms up for a fifth of its time, with the same requests.
    let within = (statement_seconds(&server).await - before) * 1e6 / (count * 1.2);
    let of_statements = 1e6 / postgres::pgbench(folder, url, "alone", 1, seconds, &nested);
    println!(
        "\none client, p50: constant route {one} µs, {{ __typename }} {nothing} µs, user {{ apiKeys teams }} {alone} µs"
    );
    println!(
        "  its three statements: {of_statements:.0} µs in pgbench, ratio {:.2}; {within:.0} µs as the server's metrics have them, ratio {:.2}; wanted at most 1.50",
        f64::from(alone) / of_statements,
        f64::from(alone) / within
    );
    let binary = std::fs::metadata(env!("CARGO_BIN_EXE_keystead")).map_or(0, |file| file.len());
    println!(
        "start with an existing database to the first answer: {} ms, wanted at most 200",
        started.as_millis()
    );
    println!(
        "resident memory: idle {idle:.0} MiB (at most 25), after the load {loaded:.0} MiB (at most 100)"
    );
    println!("binary: {:.1} MiB (at most 30)", binary as f64 / 1048576.0);
    match postgraphile::measure(url, &sample.users, time).await {
        Err(reason) => println!("PostGraphile was not measured: {reason}"),
        Ok(theirs) => {
            println!(
                "\nPostGraphile on the same database: its requests per second, ours as a multiple, wanted 3.0; its CPU, and resident memory"
            );
            for (line, theirs) in lines.iter().zip(theirs.measured) {
                println!(
                    "{:<44}{:>9.0}{:>9.1}{:>9.0} µs against {:.0}",
                    line.name,
                    theirs.per_second(),
                    line.measured.per_second() / theirs.per_second(),
                    theirs.cpu,
                    line.measured.cpu
                );
            }
            println!(
                "its resident memory after the load: {:.0} MiB",
                theirs.resident
            );
        }
    }
}
