//! For those who run Keystead: is it alive, is it ready, what does it count.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::timeout;

use super::{Server, answer};
use crate::db::migrate;
use crate::error::{Code, Error};

/// `/healthz`: the process answers. It says nothing about the database: restarting Keystead would not mend that.
pub async fn alive() -> Response {
    json(StatusCode::OK, r#"{"status":"ok"}"#.into())
}

/// `/readyz`: the database answers and has this version's schema. It also says whether a lease is held; without one the server is
/// ready all the same, and asks the database more often.
pub async fn ready(State(server): State<Server>) -> Response {
    if *server.stopping.borrow() {
        return json(
            StatusCode::SERVICE_UNAVAILABLE,
            r#"{"status":"stopping"}"#.into(),
        );
    }
    let looked = timeout(PATIENCE, migrate::pending(&server.app.db)).await;
    match looked.unwrap_or_else(|_| Err(silent())) {
        Ok(pending) if pending.is_empty() => {
            let lease = server.app.db.replicas().holds_lease();
            let body = serde_json::json!({"status": "ok", "lease": lease});
            json(StatusCode::OK, body.to_string())
        }
        Ok(pending) => {
            let body = serde_json::json!({"status": "migrations pending", "pending": pending});
            json(StatusCode::SERVICE_UNAVAILABLE, body.to_string())
        }
        Err(error) => answer::plain(
            StatusCode::SERVICE_UNAVAILABLE,
            Error::new(Code::ServiceUnavailable, error.message)
                .because(error.cause.unwrap_or_default()),
        ),
    }
}

/// A probe that hangs says less than one that fails.
const PATIENCE: Duration = Duration::from_secs(2);

fn silent() -> Error {
    Error::new(
        Code::ServiceUnavailable,
        format!(
            "The database has not answered for {} seconds.",
            PATIENCE.as_secs()
        ),
    )
}

/// `/metrics`: counters for Prometheus.
pub async fn metrics(State(server): State<Server>) -> Response {
    let Some(recorder) = recorder().filter(|_| server.settings.metrics) else {
        let error = Error::new(Code::NotFound, "Metrics are switched off here.");
        return answer::plain(StatusCode::NOT_FOUND, error);
    };
    let (open, idle) = server.app.db.connections();
    metrics::gauge!("keystead_db_connections", "state" => "open").set(f64::from(open));
    metrics::gauge!("keystead_db_connections", "state" => "idle").set(f64::from(idle));
    metrics::counter!("keystead_db_statements_total").absolute(server.app.db.statements());
    let memory = server.app.authenticator.memory();
    metrics::counter!("keystead_key_memory_total", "result" => "hit").absolute(memory.hits);
    metrics::counter!("keystead_key_memory_total", "result" => "miss").absolute(memory.misses);
    metrics::counter!("keystead_key_memory_total", "result" => "nobody").absolute(memory.refusals);
    metrics::gauge!("keystead_key_memory_keys").set(memory.keys as f64);
    metrics::gauge!("keystead_key_memory_bytes").set(memory.bytes as f64);
    let held = server.app.db.replicas().holds_lease();
    metrics::gauge!("keystead_lease_held").set(f64::from(u8::from(held)));
    recorder.run_upkeep();
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        recorder.render(),
    )
        .into_response()
}

fn json(status: StatusCode, body: String) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        body,
    )
        .into_response()
}

/// Seconds, from a cached answer to one that is too slow.
const BUCKETS: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// The same for what is mostly answered from memory.
const SHORT: [f64; 12] = [
    0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.1, 1.0, 5.0,
];

/// What `# HELP` says of each metric.
fn describe() {
    for (name, text) in [
        (
            "keystead_requests_total",
            "Operations by what they ask for first and by the code of their first error",
        ),
        (
            "keystead_guard_refusals_total",
            "Documents refused before they ran, by code and by the limit they exceeded",
        ),
        (
            "keystead_checks_total",
            "Answers of /v1/verify and /v1/authorize by code",
        ),
        (
            "keystead_db_operations_total",
            "Operations on the database by name",
        ),
        (
            "keystead_db_statements_total",
            "Statements sent to the database, BEGIN and COMMIT among them",
        ),
        (
            "keystead_key_memory_total",
            "Look-ups of keys in memory by result",
        ),
        (
            "keystead_sign_ins_total",
            "Passwords that were tried, by result: right, wrong, throttled",
        ),
        (
            "keystead_second_factors_total",
            "Codes that were shown beside a password, by result: right, wrong",
        ),
    ] {
        metrics::describe_counter!(name, text);
    }
    for (name, text) in [
        (
            "keystead_db_connections",
            "Connections of the pool by state",
        ),
        (
            "keystead_lease_held",
            "1 while this process may answer from memory",
        ),
        ("keystead_key_memory_keys", "Keys that are remembered"),
        (
            "keystead_key_memory_bytes",
            "Bytes that the remembered keys take",
        ),
    ] {
        metrics::describe_gauge!(name, text);
    }
    for (name, text) in [
        ("keystead_request_seconds", "How long operations took"),
        (
            "keystead_check_seconds",
            "How long it took to answer about keys, by route: authorize, verify",
        ),
        (
            "keystead_db_operation_seconds",
            "How long operations on the database held a connection, by name",
        ),
        (
            "keystead_db_pool_wait_seconds",
            "How long operations waited for a connection",
        ),
        (
            "keystead_revocation_wait_seconds",
            "How long changes waited for other servers to hear of them",
        ),
        (
            "keystead_password_hash_seconds",
            "How long hashing a password took, with the time before its turn",
        ),
    ] {
        metrics::describe_histogram!(name, text);
    }
}

/// The recorder of this process, installed when first asked for; `None` if another one is installed.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let handle = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)
                .ok()?
                .set_buckets_for_metric(Matcher::Full("keystead_check_seconds".into()), &SHORT)
                .ok()?
                .install_recorder()
                .ok()?;
            describe();
            Some(handle)
        })
        .as_ref()
}
