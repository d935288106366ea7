//! Ingesting usage events over HTTP, by one process in batches, beside a bare `COPY` of the same rows.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::SinkExt;
use keystead::db::Endpoint;
use keystead::db::embedded::{Durability, Embedded};
use keystead::db::ids::{Id, Kind};
use serde_json::json;

use super::{data, folder, load, setting, start};

/// Events of one call.
const BATCH: usize = 10_000;
/// Calls that are under way at once.
const LANES: usize = 3;
/// Keys that are used, and resources.
const KEYS: usize = 200;
const RESOURCES: usize = 4;

/// Where the server runs.
const PORT: u16 = 4_821;

/// Measures both, alternately, and prints the ratio.
pub async fn measure() {
    let batches = usize::try_from(setting("KEYSTEAD_BENCH_BATCHES", 60)).unwrap();
    let folder = folder("usage");
    let database = Embedded::start(&folder, Durability::Full).await.unwrap();
    let url = database.database_url("keystead");
    let seed = ["--users", "1000", "--keys-per-user", "1", "--teams", "50"];
    let admin = data::prepare(&folder, &url, &seed).await;
    let client = Endpoint::parse(&url).unwrap().client().await.unwrap();
    let keys = format!("SELECT id::text FROM api_keys ORDER BY md5(id::text) LIMIT {KEYS}");
    let keys: Vec<String> = client
        .query(&keys, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| Id::new(Kind::ApiKey, row.get::<_, String>(0).parse().unwrap()).to_string())
        .collect();
    let (server, _) = start(&folder, &url, PORT, &[]).await;
    let pid = server.process.id();
    println!(
        "\nusage: {batches} calls of {BATCH} events, {LANES} at once; {KEYS} keys, {RESOURCES} resources, one tag; and COPY of the same rows"
    );
    println!(
        "{:<44}{:>10}{:>10}{:>8}{:>9}{:>14}",
        "", "events/s", "COPY/s", "ratio", "wanted", "CPU µs/event"
    );
    for (name, limited) in [
        ("no limits", false),
        ("a budget of each key and of its owner", true),
    ] {
        if limited {
            limit(&server.address, &admin, &keys).await;
        }
        let run = format!("{name} {}", std::process::id());
        let requests = Arc::new(requests(&admin, &keys, &run, batches));
        client.batch_execute("CHECKPOINT").await.unwrap();
        let cpu = load::cpu_seconds(pid);
        let begin = Instant::now();
        let next = Arc::new(AtomicUsize::new(0));
        let lanes: Vec<_> = (0..LANES)
            .map(|_| {
                let (address, requests, next) =
                    (server.address.clone(), requests.clone(), next.clone());
                tokio::spawn(async move {
                    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let answer = load::text(&address, request).await;
                        let whole = format!("{{\"recorded\":{BATCH},\"repeated\":0,\"refused\":0,");
                        assert!(answer.starts_with(&whole), "{:.300}", answer);
                    }
                })
            })
            .collect();
        for lane in lanes {
            lane.await.unwrap();
        }
        let events = (batches * BATCH) as f64;
        let ours = events / begin.elapsed().as_secs_f64();
        let cpu = (load::cpu_seconds(pid) - cpu) * 1e6 / events;
        let theirs = copied(&client, batches * BATCH).await;
        println!(
            "{name:<44}{ours:>10.0}{theirs:>10.0}{:>8.2}{:>9.2}{cpu:>14.1}",
            ours / theirs,
            0.3
        );
    }
    drop(server);
    database.stop().await.unwrap();
}

/// Sets a budget of each key, and of the owner of each.
async fn limit(address: &str, admin: &str, keys: &[String]) {
    for key in keys {
        let find = format!("{{ apiKey(by: {{id: \"{key}\"}}) {{ owner {{ id }} }} }}");
        let found = load::ask(address, &super::graphql(admin, &find)).await;
        let owner = found["data"]["apiKey"]["owner"]["id"].as_str().unwrap();
        for subject in [format!("apiKey: \"{key}\""), format!("user: \"{owner}\"")] {
            let set = format!(
                "mutation {{ updateLimits(input: {{subject: {{{subject}}}, budgets: [{{name: \"b\", maxUsd: \"1000000\"}}]}}) {{ changed }} }}"
            );
            let told = load::ask(address, &super::graphql(admin, &set)).await;
            assert!(told["errors"].is_null(), "{told}");
        }
    }
}

/// A call for each batch.
fn requests(admin: &str, keys: &[String], run: &str, batches: usize) -> Vec<Vec<u8>> {
    let event = |number: usize| {
        json!({
            "id": format!("{run} {number}"), "apiKey": keys[number * 7 % keys.len()],
            "resource": format!("/models/gpt-{}", number % RESOURCES), "tokensIn": number % 4_000, "tokensOut": number % 700,
            "usd": format!("0.{:06}", number % 90_000), "tags": ["chat"],
        })
    };
    (0..batches)
        .map(|batch| {
            let mut body = Vec::with_capacity(BATCH * 200);
            for number in batch * BATCH..(batch + 1) * BATCH {
                writeln!(body, "{}", event(number)).unwrap();
            }
            let mut request = format!(
                "POST /v1/usage HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-ndjson\r\nauthorization: Bearer {admin}\r\n\
                 content-length: {}\r\n\r\n",
                body.len()
            )
            .into_bytes();
            request.append(&mut body);
            request
        })
        .collect()
}

/// Copies the newest rows into a table of the same columns without an index; answers with rows a second.
async fn copied(client: &tokio_postgres::Client, rows: usize) -> f64 {
    client
        .batch_execute(
            "DROP TABLE IF EXISTS bench_copied; CREATE TABLE bench_copied (LIKE usage_events); CHECKPOINT",
        )
        .await
        .unwrap();
    let newest =
        format!("COPY (SELECT * FROM usage_events ORDER BY at DESC LIMIT {rows}) TO STDOUT");
    let out = client.copy_out(&newest).await.unwrap();
    let pieces: Vec<Bytes> = futures_util::TryStreamExt::try_collect(out).await.unwrap();
    let mut blocks: Vec<Vec<u8>> = vec![Vec::with_capacity(1 << 17)];
    for piece in pieces {
        match blocks.last_mut() {
            Some(last) if last.len() < 1 << 16 => last.extend_from_slice(&piece),
            _ => blocks.push(piece.to_vec()),
        }
    }
    let begin = Instant::now();
    let copying = client
        .copy_in("COPY bench_copied FROM STDIN")
        .await
        .unwrap();
    let mut copying = std::pin::pin!(copying);
    for block in blocks {
        copying.send(Bytes::from(block)).await.unwrap();
    }
    let copied = copying.finish().await.unwrap();
    assert_eq!(copied, rows as u64);
    let rate = copied as f64 / begin.elapsed().as_secs_f64();
    client
        .batch_execute("DROP TABLE bench_copied")
        .await
        .unwrap();
    rate
}
