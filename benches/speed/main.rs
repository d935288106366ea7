//! The speed of reads and of making keys, as ratios against limits measured in the same run: a constant route of the same
//! binary, and pgbench with the same statements on the same database. `cargo bench` runs it; `docs/performance.md` has
//! figures and says what limits each.
//!
//! `KEYSTEAD_BENCH_SECONDS` (5) is the length of one measurement, `KEYSTEAD_BENCH_USERS` (100,000) the size of the data. The data
//! stays below `target/bench/` for the next run.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark prints its figures and stops at the first fault"
)]

mod load;
mod postgres;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keystead::api_keys::model::NewApiKey;
use keystead::app::App;
use keystead::ctx::{Actor, RequestInfo};
use keystead::db::Endpoint;
use keystead::db::embedded::{Durability, Embedded};
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

/// Starts the server and waits for its first answer; returns how long that took.
async fn start(folder: &Path, url: &str, port: u16) -> (Server, Duration) {
    let address = format!("127.0.0.1:{port}");
    let begin = Instant::now();
    let process = keystead(folder, url)
        .args(["serve", "--listen", &address])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while tokio::net::TcpStream::connect(&address).await.is_err() {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "the server did not start"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let server = Server { process, address };
    let once = Arc::new(vec![load::get("/readyz")]);
    load::run(&server.address, None, 1, Duration::from_millis(1), once).await;
    (server, begin.elapsed())
}

struct Line {
    name: &'static str,
    measured: Measured,
    pgbench: f64,
    wanted: f64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test --benches` and clippy pass other flags: only `cargo bench` runs it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let seconds = setting("KEYSTEAD_BENCH_SECONDS", 5);
    let users = setting("KEYSTEAD_BENCH_USERS", 100_000);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("target/bench/{users}"));
    std::fs::create_dir_all(&folder).unwrap();
    let time = Duration::from_secs(seconds);

    let database = Embedded::start(&folder, Durability::Full).await.unwrap();
    let url = database.database_url("keystead");
    let key = prepare(&folder, &url, users).await;
    let sample = sample(&url).await;
    let (server, started) = start(&folder, &url, 4802).await;
    let pid = server.process.id();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = load::resident_mib(pid);

    let run = |clients: usize, requests: Vec<Vec<u8>>| {
        load::run(
            &server.address,
            Some(pid),
            clients,
            time,
            Arc::new(requests),
        )
    };
    let gql = |query: &str| {
        load::post(
            "/graphql",
            &key,
            &serde_json::json!({ "query": query }).to_string(),
        )
    };
    let with_id = |query: &str, id: &str| {
        let typed = keystead::db::ids::Id::new(keystead::db::ids::Kind::User, id.parse().unwrap())
            .to_string();
        load::post(
            "/graphql",
            &key,
            &serde_json::json!({ "query": query, "variables": { "id": typed } }).to_string(),
        )
    };

    println!(
        "one measurement lasts {seconds} s; {users} users; {CLIENTS} clients unless said otherwise\n"
    );
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

    let ids = postgres::any_of(&sample.users);
    let bench =
        |name: &str, script: &str| postgres::pgbench(&folder, &url, name, CLIENTS, seconds, script);
    const USER: &str =
        "query($id: ID!) { user(by: {id: $id}) { id username email name role enabled createdAt } }";
    const NESTED: &str = "query($id: ID!) { user(by: {id: $id}) { id username apiKeys { nodes { id name prefix status } }
        teams { nodes { id slug name } } } }";
    let page = |after: &str| {
        format!(
            "{{ users(first: 50, after: \"{after}\") {{ nodes {{ id username apiKeys(first: 5) {{ nodes {{ id name }} }}
             teams(first: 5) {{ nodes {{ id slug }} }} }} }} }}"
        )
    };
    let cursors: Vec<String> = sample.cursors.iter().map(|after| page(after)).collect();
    let lines = [
        Line {
            name: "user(by: {id})",
            measured: run(CLIENTS, sample.users.iter().map(|id| with_id(USER, id)).collect()).await,
            pgbench: bench("user", &postgres::script(&[postgres::USER], &ids)),
            wanted: 0.6,
        },
        Line {
            name: "user { apiKeys teams }",
            measured: run(CLIENTS, sample.users.iter().map(|id| with_id(NESTED, id)).collect()).await,
            pgbench: bench("nested", &postgres::script(&[postgres::USER, postgres::KEYS, postgres::TEAMS], &ids)),
            wanted: 1.0,
        },
        Line {
            name: "users(first: 50) { apiKeys(5) teams(5) }",
            measured: run(CLIENTS, cursors.iter().map(|query| gql(query)).collect()).await,
            pgbench: bench("page", &postgres::page_script(&sample.pages)),
            wanted: 0.7,
        },
        Line {
            name: "generateApiKey",
            measured: run(
                CLIENTS,
                vec![gql("mutation { generateApiKey(input: {expiresIn: \"P1D\"}) { apiKey { id prefix } secret } }")],
            )
            .await,
            pgbench: bench("generate", &sample.generate),
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

    let alone = run(
        1,
        sample.users.iter().map(|id| with_id(NESTED, id)).collect(),
    )
    .await;
    let statements = postgres::pgbench(
        &folder,
        &url,
        "alone",
        1,
        seconds,
        &postgres::script(&[postgres::USER, postgres::KEYS, postgres::TEAMS], &ids),
    );
    println!(
        "\none client, user {{ apiKeys teams }}: p50 {} µs; its three statements in pgbench {:.0} µs; ratio {:.2}, wanted at most 1.50",
        alone.quantile(0.5),
        1e6 / statements,
        f64::from(alone.quantile(0.5)) / (1e6 / statements)
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
    drop(server);
    database.stop().await.unwrap();
}

/// Fills the database the first time, and returns a key of an administrator.
async fn prepare(folder: &Path, url: &str, users: u64) -> String {
    let marker = folder.join("bench.key");
    if let Ok(key) = std::fs::read_to_string(&marker) {
        return key;
    }
    let app = App::builder(Endpoint::parse(url).unwrap())
        .build()
        .await
        .unwrap();
    app.migrate().await.unwrap();
    let ctx = app.ctx(Actor::Keystead, RequestInfo::default());
    let admin = keystead::users::ops::first_admin(&ctx, "admin")
        .await
        .unwrap()
        .unwrap();
    let new = NewApiKey {
        owner: Some(admin.id),
        ..NewApiKey::default()
    };
    let (_, secret) = keystead::api_keys::ops::generate(&ctx, new).await.unwrap();
    let (users, teams) = (users.to_string(), (users / 100).to_string());
    let done = keystead(folder, url)
        .args([
            "seed",
            "--users",
            &users,
            "--keys-per-user",
            "3",
            "--teams",
            &teams,
        ])
        .status()
        .unwrap();
    assert!(done.success(), "seeding failed");
    std::fs::write(&marker, secret.expose()).unwrap();
    secret.expose().to_owned()
}

struct Sample {
    users: Vec<String>,
    cursors: Vec<String>,
    pages: Vec<Vec<String>>,
    generate: String,
}

/// Random users, and pages that begin behind some of them.
async fn sample(url: &str) -> Sample {
    let endpoint = keystead::db::Endpoint::parse(url).unwrap();
    let client = endpoint.client().await.unwrap();
    client.batch_execute("ANALYZE").await.unwrap();
    let text = |row: &tokio_postgres::Row| row.get::<_, String>(0);
    let users: Vec<String> = client
        .query(
            &format!(
                "SELECT id::text FROM users ORDER BY md5(id::text) LIMIT {}",
                postgres::SAMPLE
            ),
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(text)
        .collect();
    let (mut cursors, mut pages) = (Vec::new(), Vec::new());
    for id in users.iter().take(50) {
        let at: chrono::DateTime<chrono::Utc> = client
            .query_one("SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM users WHERE id = $1::text::uuid", &[id])
            .await
            .unwrap()
            .get::<_, String>(0)
            .parse()
            .unwrap();
        cursors.push(
            keystead::db::pages::Cursor::time(at, id.parse().unwrap()).encode("users:createdAt"),
        );
        let page = client
            .query(
                "SELECT id::text FROM users WHERE (created_at, id) > ((SELECT created_at FROM users WHERE id = $1::text::uuid), $1::text::uuid)
                 ORDER BY created_at, id LIMIT 50",
                &[id],
            )
            .await
            .unwrap();
        pages.push(page.iter().map(text).collect());
    }
    let admin: String = text(
        &client
            .query_one("SELECT id::text FROM users WHERE username = 'admin'", &[])
            .await
            .unwrap(),
    );
    let generate = format!(
        "\\set n random(1, 2000000000)\nBEGIN;\nINSERT INTO api_keys (id, owner_id, name, digest, prefix, enabled, restricted,
         allowed_cidrs, expires_at, metadata, created_by, created_at, updated_at) VALUES (gen_random_uuid(), '{admin}',
         'bench ' || :n || ' ' || clock_timestamp(), sha256((:n || clock_timestamp()::text)::bytea), 'ks_Ab3d…', true, false, '{{}}',
         now() + interval '1 day', '{{}}', '{admin}', now(), now());\nINSERT INTO audit_events (id, at, actor_id, actor_name,
         action, target, paths, within, after, request_id) VALUES (gen_random_uuid(), now(), '{admin}', 'admin', 'apiKey.create', 'key_bench', '{{/users}}', '{{/,/users}}',
         '{{\"name\": \"bench\"}}', 'bench');\nCOMMIT;\n"
    );
    let generate = generate
        .split(";\n")
        .map(|line| {
            if line.starts_with('\\') {
                line.replacen('\n', "\u{0}", 1)
                    .replace('\n', " ")
                    .replace('\u{0}', "\n")
            } else {
                line.replace('\n', " ")
            }
        })
        .collect::<Vec<_>>()
        .join(";\n");
    Sample {
        users,
        cursors,
        pages,
        generate,
    }
}
