//! Every attack against a running server, by every way in; it answers each, and is alive afterwards.

use std::time::{Duration, Instant};

use keystead::graphql::settings::Settings as ApiSettings;
use keystead::http::Settings;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::attacks;
use crate::support::{Bound, TestApp};

/// What a real server said: the status (0 if it hung up while a body was on its way), and the body.
struct Said {
    status: u16,
    body: Value,
}

async fn say(address: &str, method: &str, path: &str, body: &str) -> Said {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("a head");
    // A server may refuse a body that is too large before it has read it.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok());
    let text = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Said {
        status: status.unwrap_or(0),
        body: serde_json::from_str(text).unwrap_or_default(),
    }
}

async fn alive(address: &str, after: &str) {
    let start = Instant::now();
    let said = say(address, "GET", "/healthz", "").await;
    assert_eq!(said.status, 200, "after {after}");
    let query = json!({ "query": "{ __typename }" }).to_string();
    let said = say(address, "POST", "/graphql", &query).await;
    assert_eq!(
        said.body["data"],
        json!({ "__typename": "Query" }),
        "after {after}"
    );
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "slow after {after}"
    );
}

fn refused(said: &Said, name: &str) {
    assert!(said.body["data"].is_null(), "{name} was run");
    assert!(said.status < 500, "{name}: {}", said.status);
    if said.status != 0 && said.status != 413 {
        let code = said.body["errors"][0]["extensions"]["code"].as_str();
        let known = [
            "GRAPHQL_PARSE_FAILED",
            "GRAPHQL_VALIDATION_FAILED",
            "LIMIT_EXCEEDED",
            "BAD_REQUEST",
            "BAD_USER_INPUT",
        ];
        assert!(
            code.is_some_and(|code| known.contains(&code)),
            "{name}: {}",
            said.body
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_survives_every_attack() {
    let api = ApiSettings {
        requests_per_address: 0,
        ..ApiSettings::default()
    };
    let app = TestApp::with_settings(api, Settings::default()).await;
    let mut server = Bound::new(&app, Settings::default()).await;
    let address = server.address.to_string();
    alive(&address, "the start").await;

    for (name, text) in attacks::all() {
        let one = json!({ "query": text });
        refused(
            &say(&address, "POST", "/graphql", &one.to_string()).await,
            name,
        );
        if text.len() < 100_000 {
            let batch = json!([{ "query": "{ __typename }" }, one, one]);
            let said = say(&address, "POST", "/graphql", &batch.to_string()).await;
            for item in [1, 2] {
                let item = Said {
                    status: said.status,
                    body: said.body[item].clone(),
                };
                refused(&item, name);
            }
            over_a_socket(&server, name, &text).await;
        }
        if text.len() < 2_000 {
            let query: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let path = format!("/graphql?query={query}");
            refused(&say(&address, "GET", &path, "").await, name);
        }
        alive(&address, name).await;
    }

    for (name, body) in bodies() {
        let said = say(&address, "POST", "/graphql", &body).await;
        assert!(said.status < 500, "{name}: {}", said.status);
        alive(&address, name).await;
    }
    server.stop();
    server.stopped().await;
}

/// A refused operation is one `error`, and the socket serves on.
async fn over_a_socket(server: &Bound, name: &str, text: &str) {
    let mut socket = server.socket().await;
    socket.init(None).await;
    socket.subscribe("attack", text).await;
    let message = socket.next().await;
    assert_eq!(message["type"], "error", "{name}: {message}");
    let said = Said {
        status: 200,
        body: json!({ "errors": message["payload"] }),
    };
    refused(&said, name);
    socket.subscribe("after", "{ __typename }").await;
    let message = socket.next().await;
    assert_eq!(
        message["payload"]["data"],
        json!({ "__typename": "Query" }),
        "after {name}"
    );
}

#[tokio::test]
async fn a_variable_that_does_not_fit_names_its_field() {
    let app = TestApp::new().await;
    let create = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";
    for (input, field) in [
        (json!({ "username": 5 }), "input.username"),
        (json!({}), "input.username"),
        (json!({ "username": "ann", "role": "KING" }), "input.role"),
        (json!({ "username": "ann", "wings": 2 }), "input.wings"),
        (json!(null), "input"),
    ] {
        let (code, found, message) = app.admin().error(create, json!({ "input": input })).await;
        assert_eq!(
            (code.as_str(), found.as_str()),
            ("BAD_USER_INPUT", field),
            "{message}"
        );
    }
}

/// Attacks on what surrounds the document.
fn bodies() -> Vec<(&'static str, String)> {
    let deep = |depth: usize| attacks::nested("[", "1", "]", depth);
    let with = |variables: String| {
        format!(
            r#"{{"query": "query($x: JSON) {{ __typename }}", "variables": {{"x": {variables}}}}}"#
        )
    };
    vec![
        ("variables 100 deep", with(deep(100))),
        ("variables 100,000 deep", with(deep(100_000))),
        ("variables that do not end", with("[".repeat(100_000))),
        ("a body of brackets", "[".repeat(1_000_000)),
        ("a body of braces", "{\"a\":".repeat(200_000)),
        ("a batch in a batch", format!("[{}]", deep(120))),
        (
            "extensions 100,000 deep",
            format!(
                r#"{{"query": "{{ __typename }}", "extensions": {{"a": {}}}}}"#,
                deep(100_000)
            ),
        ),
        (
            "a batch of 100,000",
            format!("[{}]", vec!["{}"; 100_000].join(",")),
        ),
        ("a number of 100,000 digits", with("9".repeat(100_000))),
    ]
}
