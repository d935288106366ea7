//! `/v1/verify`: from memory beside a constant route that reads the same body, and without memory beside pgbench.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Json;
use axum::routing::post;
use axum::serve::ListenerExt;
use serde::Deserialize;

use super::data::Sample;
use super::load::{self, Measured};
use super::{CLIENTS, Server, postgres, start, statements};

/// The word by which this program, started again, is the constant route.
pub const CONSTANT: &str = "constant-route";

#[derive(Deserialize)]
#[allow(
    dead_code,
    reason = "the route reads them and answers the same whatever they are"
)]
struct Body {
    key: String,
    privilege: Option<String>,
    path: Option<String>,
    ip: Option<String>,
}

/// Serves the constant route for ever: it reads the body of a check and answers what a good key gets.
pub async fn serve_constant(address: &str) {
    const ANSWER: &str = r#"{"valid":true,"code":"VALID","message":null,"key":"key_01kg9b7hf5fapbk9smxvs0arzk","owner":"user_01kg9b7hf5fapbk9smxvs0arzk","team":null,"expiresAt":null,"secret":"CURRENT","secretExpiresAt":null,"decidedBy":null}"#;
    let answer = async |Json(_): Json<Body>| ([("content-type", "application/json")], ANSWER);
    let routes = axum::Router::new().route("/v1/verify", post(answer));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    // Otherwise answers that follow one another closely wait for each other's acknowledgement.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    axum::serve(listener, routes).await.unwrap();
}

/// One check of each key.
pub fn checks(asker: &str, keys: &[String]) -> Vec<Vec<u8>> {
    keys.iter()
        .map(|key| {
            let body = serde_json::json!({ "key": key, "privilege": "model.use", "path": "/models/gpt-4o" });
            load::post("/v1/verify", asker, &body.to_string())
        })
        .collect()
}

/// Starts the constant route in a process of its own.
pub async fn constant() -> Server {
    let address = "127.0.0.1:4804".to_owned();
    let process = Command::new(std::env::current_exe().unwrap())
        .args([CONSTANT, &address])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server { process, address };
    server.ready().await;
    server
}

/// Measures both and prints the ratios.
pub async fn measure(folder: &Path, url: &str, asker: &str, sample: &Sample, time: Duration) {
    let seconds = time.as_secs();
    let requests = checks(asker, &sample.keys);
    let constant = constant().await.load(CLIENTS, time, requests.clone()).await;
    let run = async |memory: &str, clients: usize| {
        let (server, _) = start(folder, url, 4805, &[("KEYSTEAD_AUTH_CACHE_SIZE", memory)]).await;
        // The lease that memory needs is taken within moments.
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.load(clients, time, requests.clone()).await
    };
    let hit = run("64MiB", CLIENTS).await;
    let miss = run("0", CLIENTS).await;
    let alone = run("0", 1).await;

    let identify = statements::identifying(url, &sample.keys[0]).await;
    let digests: Vec<String> = sample
        .digests
        .iter()
        .map(|digest| format!("\\x{digest}"))
        .collect();
    let digest = postgres::any_of(&digests, "bytea");
    let script = postgres::read_script(&[identify], digests.len(), |_, _| {
        format!("ARRAY[{digest}]")
    });
    let theirs = postgres::pgbench(folder, url, "identify", CLIENTS, seconds, &script);
    let theirs_alone = postgres::pgbench(folder, url, "identify", 1, seconds, &script);

    println!(
        "\n{:<44}{:>9}{:>10}{:>8}{:>9}{:>10}{:>9}{:>9}",
        "/v1/verify", "req/s", "beside", "ratio", "wanted", "p50 µs", "p99 µs", "CPU µs"
    );
    let line = |name: &str, measured: &Measured, beside: f64, wanted: &str| {
        println!(
            "{name:<44}{:>9.0}{beside:>10.0}{:>8.2}{wanted:>9}{:>10}{:>9}{:>9.0}",
            measured.per_second(),
            measured.per_second() / beside,
            measured.quantile(0.5),
            measured.quantile(0.99),
            measured.cpu
        );
    };
    line(
        "constant route that reads the same body",
        &constant,
        constant.per_second(),
        "",
    );
    line(
        "from memory, beside the constant route",
        &hit,
        constant.per_second(),
        "0.85",
    );
    line("without memory, beside pgbench", &miss, theirs, "1.00");
    line(
        "without memory, one client, beside pgbench",
        &alone,
        theirs_alone,
        "",
    );
    println!(
        "from memory, p99 as a multiple of the constant route's: {:.2}, wanted at most 1.50",
        f64::from(hit.quantile(0.99)) / f64::from(constant.quantile(0.99))
    );
}
