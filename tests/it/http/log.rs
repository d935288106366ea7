//! The log: one line for each request, and no secret in any.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use keystead::http::Settings;
use serde_json::{Value, json};

use crate::support::{Bound, Call, TestApp};

/// Everything that is written, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// With one subscriber alone, `tracing` asks the thread that first reaches a line whether anybody wants it, and keeps the
/// answer: that may be another test's thread, where nobody listens.
static ANOTHER: LazyLock<tracing::Dispatch> =
    LazyLock::new(|| tracing::Dispatch::new(tracing_subscriber::registry()));

/// Keeps this thread's log, of every level, while the guard lives. The runtime of these tests has one thread.
fn keep() -> (Kept, tracing::subscriber::DefaultGuard) {
    LazyLock::force(&ANOTHER);
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    (kept, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn no_secret_is_ever_in_the_log() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, Settings::default()).await;
    let (log, guard) = keep();
    let key = app.admin_key.to_string();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("admin:{key}"));
    let password = "correct horse battery staple";
    let client = app.anonymous();
    let post = |authorization: String, body: Value| {
        Call::new("POST", "/graphql")
            .header("authorization", &authorization)
            .json(&body)
    };
    let bearer = format!("Bearer {key}");
    let create = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";
    let made =
        json!({"query": create, "variables": {"input": {"username": "ada", "password": password}}});
    let inline = json!({"query": format!("mutation {{ createUser(input: {{username: \"bob\", password: \"{password}\"}}) {{ user {{ id }} }} }}")});
    let too_short = json!({"query": create, "variables": {"input": {"username": "eve", "password": "hunter2"}}});
    let asked = json!({"query": "query($by: ApiKeyBy!) { apiKey(by: $by) { id } }", "variables": {"by": {"secret": key}}});
    let asked_inline =
        json!({"query": format!("{{ apiKey(by: {{secret: \"{key}\"}}) {{ id }} }}")});
    let mistaken = json!({"query": format!("{{ user(by: {{username: \"{key}\"}}) {{ id }} }}"), "operationName": key});
    for call in [
        post(bearer.clone(), made),
        post(bearer.clone(), inline),
        post(bearer.clone(), too_short),
        post(bearer.clone(), asked),
        post(bearer.clone(), asked_inline),
        post(bearer.clone(), mistaken),
        post(format!("Basic {basic}"), json!({"query": "{ __typename }"})),
        post(format!("Digest {key}"), json!({"query": "{ __typename }"})),
        post(format!("{bearer}x"), json!({"query": "{ __typename }"})),
        Call::new("GET", &format!("/graphql?query=%7B__typename%7D&key={key}"))
            .header("authorization", &bearer),
        post(
            bearer.clone(),
            json!({"query": format!("query {key} {{ __typename }}")}),
        ),
        Call::new("GET", &format!("/{key}/{key}")),
        Call::new("POST", "/v1/verify")
            .header("authorization", &bearer)
            .json(&json!({"key": key})),
        Call::new("POST", "/v1/verify")
            .header("authorization", &bearer)
            .json(&json!({"key": format!("{key}x"), (key.as_str()): 1})),
        Call::new("GET", "/v1/authorize").header("x-api-key", &key),
        Call::new("GET", "/v1/authorize").header("x-api-key", &format!("{key}x")),
        Call::new("GET", &format!("/v1/authorize/{key}?privilege={key}"))
            .header("authorization", &bearer),
        Call::new("POST", "/graphql")
            .header("authorization", &bearer)
            .header("content-type", "application/json")
            .body(format!("{{\"query\": \"{key}")),
    ] {
        client.send(call).await;
    }
    let mut socket = server.socket().await;
    socket.init(Some(&key)).await;
    socket.subscribe("1", "{ viewer { id } }").await;
    socket.next().await;
    let mut socket = server.socket().await;
    socket
        .send(json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {key}x")}}))
        .await;
    socket.closed().await;
    drop(guard);
    let text = log.text();
    assert!(
        text.lines()
            .filter(|line| line.contains("\"message\":\"request\""))
            .count()
            >= 16
    );
    for secret in [
        key.as_str(),
        &key[3..20],
        basic.as_str(),
        password,
        "hunter2",
    ] {
        let leak = text.lines().find(|line| line.contains(secret));
        assert!(leak.is_none(), "a secret is in the log: {leak:?}");
    }
}

#[tokio::test]
async fn a_request_is_one_line_with_all_that_one_looks_for() {
    let app = TestApp::new().await;
    let client = app.admin();
    let call = client
        .request("POST", "/graphql")
        .from("192.0.2.7")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .json(&json!({"query": "query Mine { users(first: 1) { totalCount } }"}));
    let (log, guard) = keep();
    client.send(call).await;
    let others = [
        "",
        "00-0-0-0",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    ];
    for (number, other) in others.into_iter().enumerate() {
        let call = Call::new("GET", "/healthz")
            .header("traceparent", other)
            .header("x-request-id", &format!("other-{number}"));
        client.send(call).await;
    }
    drop(guard);
    let text = log.text();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["message"] == "request")
        .collect();
    assert_eq!(lines.len(), 4);
    for other in &lines[1..] {
        assert_eq!(other["trace_id"], Value::Null, "{other}");
    }
    let line = &lines[0];
    assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(line["method"], "POST");
    assert_eq!(line["path"], "/graphql");
    assert_eq!(line["operation"], "users");
    assert_eq!(line["name"], "Mine");
    assert_eq!(line["status"], 200);
    assert_eq!(line["code"], "");
    assert_eq!(line["request_id"], "test-request");
    assert_eq!(line["ip"], "192.0.2.7");
    assert!(line["actor"].as_str().unwrap().starts_with("user_"));
    assert!(line["duration_ms"].is_number() && line["cost"].is_number());
}

#[tokio::test]
async fn what_is_counted_can_be_read() {
    let app = TestApp::new().await;
    let client = app.admin();
    client
        .post(&json!({"query": "{ users(first: 1) { totalCount } }"}))
        .await;
    client.post(&json!({"query": "{ nothing }"})).await;
    client.send(client.request("GET", "/v1/authorize")).await;
    client.send(client.request("GET", "/v1/verify")).await;
    let answer = client.send(client.request("GET", "/metrics")).await;
    assert!(
        answer
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    let text = answer.text();
    for line in [
        "keystead_requests_total{operation=\"users\",code=\"\"}",
        "keystead_requests_total{operation=\"\",code=\"GRAPHQL_VALIDATION_FAILED\"}",
        "keystead_guard_refusals_total{code=\"GRAPHQL_VALIDATION_FAILED\",limit=\"\"}",
        "keystead_request_seconds_bucket{operation=\"users\",",
        "keystead_db_connections{state=\"open\"}",
        "keystead_db_statements_total",
        "keystead_db_operations_total{op=",
        "keystead_check_seconds_bucket{route=\"authorize\",le=\"0.000025\"}",
        "keystead_check_seconds_count{route=\"authorize\"}",
        "keystead_check_seconds_count{route=\"verify\"}",
        "# HELP keystead_check_seconds ",
        "# HELP keystead_requests_total ",
        "# HELP keystead_db_connections ",
        "# HELP keystead_request_seconds ",
    ] {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
}
