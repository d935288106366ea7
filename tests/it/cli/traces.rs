//! Traces, as a collector gets them.

use super::Folder;
use super::server::Server;
use nix::sys::signal::{Signal, kill};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The trace that callers say they are in, from the specification's examples.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A collector that keeps what it gets.
struct Collector {
    address: String,
    got: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    fn new() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let got: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = got.clone();
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = kept.clone();
                std::thread::spawn(move || take(stream.unwrap(), &kept));
            }
        });
        Collector { address, got }
    }

    fn bytes(&self) -> Vec<Vec<u8>> {
        self.got.lock().unwrap().clone()
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let decode = |body: &Vec<u8>| ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        self.bytes().iter().map(decode).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let scopes = self
            .requests()
            .into_iter()
            .flat_map(|request| request.resource_spans);
        let scopes = scopes.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

/// Takes requests of one connection, to its end.
fn take(stream: TcpStream, kept: &Mutex<Vec<Vec<u8>>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut head) = (0, String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        kept.lock().unwrap().push(body);
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
        reader.get_mut().write_all(answer).unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value(attributes: &[KeyValue], name: &str) -> Value {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|attribute| attribute.value.as_ref()) {
        Some(AnyValue {
            value: Some(Any::StringValue(text)),
        }) => json!(text),
        Some(AnyValue {
            value: Some(Any::IntValue(number)),
        }) => json!(number),
        None => Value::Null,
        other => panic!("{name}: {other:?}"),
    }
}

/// Names of spans below that one, in the order of their beginning.
fn below<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    let mut found: Vec<&Span> = spans
        .iter()
        .filter(|span| span.parent_span_id == parent.span_id)
        .collect();
    found.sort_by_key(|span| span.start_time_unix_nano);
    found
}

fn names<'a>(spans: &[&'a Span]) -> Vec<&'a str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

fn serve(folder: &Path, collector: &str, more: &[(&str, &str)]) -> (Server, String) {
    let server = Server::start_with(folder, |command| {
        command
            .env("KEYSTEAD_OTLP_ENDPOINT", collector)
            .env("KEYSTEAD_LOG_FORMAT", "json")
            .env("OTEL_BSP_SCHEDULE_DELAY", "100")
            .envs(more.iter().copied());
    });
    let key = fs::read_to_string(folder.join(".keystead/admin.key")).unwrap();
    (server, key.trim().to_owned())
}

#[test]
fn a_request_is_traced_with_its_guard_and_its_statements_and_without_a_secret() {
    let folder = Folder::new("traces");
    let collector = Collector::new();
    let (server, key) = serve(folder.path(), &collector.address, &[]);
    let headers = format!(
        "Authorization: Bearer {key}\r\ntraceparent: 00-{TRACE}-{PARENT}-01\r\nX-Request-Id: traced-1\r\nUser-Agent: test {key}\r\n"
    );
    let password = "correct horse battery staple";
    let create = json!({
        "query": "mutation Make($input: CreateUserInput!) { createUser(input: $input) { user { id teams { totalCount } } } }",
        "variables": {"input": {"username": "ada", "password": password}},
    });
    let answer = server.post(&headers, &create);
    assert!(
        answer["data"]["createUser"]["user"]["id"].is_string(),
        "{answer}"
    );
    // Not traced: the caller says so.
    let unsampled = format!(
        "Authorization: Bearer {key}\r\ntraceparent: 00-{TRACE}-{PARENT}-00\r\nX-Request-Id: not-traced\r\n"
    );
    server.post(
        &unsampled,
        &json!({"query": "query Unsampled { roles { name } }"}),
    );
    // A trace of its own.
    let secret = json!({
        "query": "query($key: String!) { apiKey(by: {secret: $key}) { id } }",
        "variables": {"key": key},
    });
    let own = format!("Authorization: Bearer {key}\r\nX-Request-Id: own\r\n");
    assert!(server.post(&own, &secret)["data"]["apiKey"]["id"].is_string());
    let refused = json!({"query": format!("query {key} {{ nothing(of: \"{password}\") }}")});
    server.post(&own, &refused);
    kill(server.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(server.end().0, Some(0));

    let spans = collector.spans();
    let root = |id: &str| {
        spans
            .iter()
            .find(|span| value(&span.attributes, "keystead.request_id") == id)
            .unwrap_or_else(|| panic!("no span of {id}: {spans:#?}"))
    };
    let request = root("traced-1");
    assert_eq!(request.name, "POST /graphql");
    assert_eq!(
        (hex(&request.trace_id), hex(&request.parent_span_id)),
        (TRACE.into(), PARENT.into())
    );
    // SPAN_KIND_SERVER.
    assert_eq!(request.kind, 2);
    for (name, expected) in [
        ("http.request.method", json!("POST")),
        ("http.route", json!("/graphql")),
        ("http.response.status_code", json!(200)),
        ("url.scheme", json!("http")),
        ("url.path", json!("/graphql")),
        ("network.protocol.version", json!("1.1")),
        ("client.address", json!("127.0.0.1")),
        ("user_agent.original", json!("test ks_…")),
        ("error.type", Value::Null),
    ] {
        assert_eq!(value(&request.attributes, name), expected, "{name}");
    }
    let steps = below(&spans, request);
    assert_eq!(names(&steps), ["identify_api_keys", "guard", "mutation"]);
    let mutation = steps[2];
    assert_eq!(
        value(&mutation.attributes, "graphql.operation.type"),
        "mutation"
    );
    assert_eq!(
        value(&mutation.attributes, "graphql.operation.name"),
        "Make"
    );
    let statements = below(&spans, mutation);
    assert_eq!(
        names(&statements)[..3],
        // The policies are not remembered yet.
        ["limit_policy", "policy", "create_user"],
        "{:?}",
        names(&statements)
    );
    for statement in statements.iter().chain(&steps[..1]) {
        // SPAN_KIND_CLIENT.
        assert_eq!(statement.kind, 3);
        assert_eq!(value(&statement.attributes, "db.system.name"), "postgresql");
        assert_eq!(
            value(&statement.attributes, "db.query.summary"),
            statement.name.as_str()
        );
        assert_eq!(hex(&statement.trace_id), TRACE);
        assert!(statement.start_time_unix_nano >= request.start_time_unix_nano);
        assert!(statement.end_time_unix_nano <= request.end_time_unix_nano);
    }
    let own = root("own");
    assert!(own.parent_span_id.is_empty() && hex(&own.trace_id) != TRACE);
    let refusals = spans.iter().filter(|span| span.name == "guard");
    let codes: Vec<Value> = refusals
        .map(|span| value(&span.attributes, "error.type"))
        .collect();
    assert!(
        codes.contains(&json!("GRAPHQL_VALIDATION_FAILED")),
        "{codes:?}"
    );
    assert!(
        !spans
            .iter()
            .any(|span| value(&span.attributes, "keystead.request_id") == "not-traced")
    );
    // What runs beside requests is in no trace.
    let alone = spans
        .iter()
        .filter(|span| span.parent_span_id.is_empty() && span.kind != 2);
    assert_eq!(names(&alone.collect::<Vec<_>>()), Vec::<&str>::new());

    let resource = collector.requests()[0].resource_spans[0]
        .resource
        .clone()
        .unwrap();
    assert_eq!(value(&resource.attributes, "service.name"), "keystead");
    for body in collector.bytes() {
        let text = String::from_utf8_lossy(&body).into_owned();
        for secret in [&key[..], &key[8..24], password, "createUser(", "SELECT"] {
            assert!(!text.contains(secret), "{secret} is in a trace: {text}");
        }
    }
    let log = Server::log(folder.path());
    let line = |id: &str| -> Value {
        let lines = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .into_iter()
            .find(|line| line["request_id"] == id)
            .unwrap()
    };
    assert_eq!(line("traced-1")["trace_id"], TRACE);
    assert_eq!(line("not-traced")["trace_id"], TRACE);
    assert_eq!(line("own")["trace_id"], hex(&own.trace_id));
}

#[test]
fn only_the_share_that_is_asked_for_is_traced() {
    let folder = Folder::new("traces-share");
    let collector = Collector::new();
    let (server, key) = serve(
        folder.path(),
        &collector.address,
        &[("KEYSTEAD_OTLP_SAMPLE", "0")],
    );
    let headers = format!("Authorization: Bearer {key}\r\n");
    let asked = json!({"query": "{ roles { name } }"});
    server.post(&headers, &asked);
    let sampled = format!("{headers}traceparent: 00-{TRACE}-{PARENT}-01\r\n");
    server.post(&sampled, &asked);
    kill(server.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(server.end().0, Some(0));
    let spans = collector.spans();
    assert!(!spans.is_empty());
    assert!(
        spans.iter().all(|span| hex(&span.trace_id) == TRACE),
        "{spans:#?}"
    );
}

#[test]
fn a_collector_that_is_gone_costs_a_warning_and_no_request() {
    let folder = Folder::new("traces-gone");
    // A port that nobody listens on, and one that takes connections and never answers.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let (server, key) = serve(folder.path(), &address, &[]);
    let headers = format!("Authorization: Bearer {key}\r\n");
    for _ in 0..5 {
        let began = Instant::now();
        let answer = server.post(
            &headers,
            &json!({"query": "{ viewer { user { username } } }"}),
        );
        assert_eq!(answer["data"]["viewer"]["user"]["username"], "admin");
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
        std::thread::sleep(Duration::from_millis(150));
    }
    kill(server.pid(), Signal::SIGTERM).unwrap();
    let began = Instant::now();
    assert_eq!(server.end().0, Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    let log = Server::log(folder.path());
    let told = log
        .lines()
        .filter(|line| line.contains("the collector does not take traces"));
    assert_eq!(told.count(), 1, "{log}");
}
