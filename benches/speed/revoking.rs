//! What it costs that a key stops working everywhere at once: `deleteApiKey` on one server, and beside a second one that has just
//! answered from its memory; and whether the second ever says yes after the answer.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Server, load, start};

/// How often a key is made, asked about and deleted.
const TRIALS: usize = 1_000;
/// The same while the second server is frozen, or its connections are cut.
const HARD_TRIALS: usize = 5;

/// The times of the deletions, in microseconds, and how often the other server said yes afterwards.
struct Trials {
    times: Vec<u32>,
    stale: usize,
}

impl Trials {
    fn print(&mut self, name: &str) {
        self.times.sort_unstable();
        let at = |share: f64| {
            self.times[((self.times.len() as f64 * share) as usize).min(self.times.len() - 1)]
        };
        println!(
            "{name:<60}{:>9}{:>10}{:>10}{:>7}",
            at(0.5),
            at(0.99),
            at(1.0),
            self.stale
        );
    }
}

async fn gql(server: &Server, key: &str, query: &str) -> serde_json::Value {
    let body = serde_json::json!({ "query": query }).to_string();
    load::ask(&server.address, &load::post("/graphql", key, &body)).await
}

async fn is_valid(server: &Server, asker: &str, secret: &str) -> bool {
    let body = serde_json::json!({ "key": secret }).to_string();
    let answer = load::ask(&server.address, &load::post("/v1/verify", asker, &body)).await;
    answer["valid"]
        .as_bool()
        .unwrap_or_else(|| panic!("{answer}"))
}

/// Makes a key, has `other` answer from memory, does `before`, deletes it on `one`, does `after`, and asks `other` again.
async fn trial(
    one: &Server,
    other: &Server,
    asker: &str,
    before: impl AsyncFn(),
    after: impl AsyncFn(),
) -> (u32, bool) {
    let made = gql(
        one,
        asker,
        "mutation { generateApiKey(input: {expiresIn: \"P1D\"}) { apiKey { id } secret } }",
    )
    .await;
    let made = &made["data"]["generateApiKey"];
    let (id, secret) = (
        made["apiKey"]["id"].as_str().unwrap(),
        made["secret"].as_str().unwrap(),
    );
    for _ in 0..2 {
        assert!(is_valid(other, asker, secret).await);
    }
    before().await;
    let begin = Instant::now();
    let deleted = gql(
        one,
        asker,
        &format!("mutation {{ deleteApiKey(input: {{id: \"{id}\"}}) {{ deletedApiKeyId }} }}"),
    )
    .await;
    let took = begin.elapsed().as_micros() as u32;
    assert!(deleted["errors"].is_null(), "{deleted}");
    after().await;
    (took, is_valid(other, asker, secret).await)
}

/// So many trials, with a pause after each in which what `before` did is got over.
async fn trials(
    (count, pause): (usize, Duration),
    one: &Server,
    other: &Server,
    asker: &str,
    before: impl AsyncFn(),
    after: impl AsyncFn(),
) -> Trials {
    let mut done = Trials {
        times: Vec::new(),
        stale: 0,
    };
    for _ in 0..count {
        let (took, stale) = trial(one, other, asker, &before, &after).await;
        done.times.push(took);
        done.stale += usize::from(stale);
        tokio::time::sleep(pause).await;
    }
    done
}

/// Measures and prints.
pub async fn measure(folder: &Path, url: &str, asker: &str) {
    let nothing = async || {};
    println!(
        "\n{:<60}{:>9}{:>10}{:>10}{:>7}",
        "deleteApiKey", "p50 µs", "p99 µs", "worst µs", "stale"
    );
    let (one, _) = start(folder, url, 4806, &[]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    trials(
        (TRIALS, Duration::ZERO),
        &one,
        &one,
        asker,
        nothing,
        nothing,
    )
    .await
    .print("one server");
    let (other, _) = start(folder, url, 4807, &[]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    trials(
        (TRIALS, Duration::ZERO),
        &one,
        &other,
        asker,
        nothing,
        nothing,
    )
    .await
    .print("two servers");

    let pid = Pid::from_raw(other.process.id() as i32);
    let freeze = async || kill(pid, Signal::SIGSTOP).unwrap();
    let thaw = async || kill(pid, Signal::SIGCONT).unwrap();
    let hard = (HARD_TRIALS, Duration::from_secs(3));
    trials(hard, &one, &other, asker, freeze, thaw)
        .await
        .print("two servers, the other frozen (a lease lasts 2 s)");

    let client = keystead::db::Endpoint::parse(url)
        .unwrap()
        .client()
        .await
        .unwrap();
    let cut = async || {
        let listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query ~* 'listen|leases'";
        client.query(listening, &[]).await.unwrap();
    };
    trials(hard, &one, &other, asker, cut, nothing)
        .await
        .print("two servers, all listening connections cut");
}
