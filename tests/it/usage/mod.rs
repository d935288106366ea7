//! Usage: what is recorded, and that everything which is told of it is the sum of it.

mod counting;
mod exact;
mod malformed;
mod record;
mod report;
mod rights;
mod servers;
mod settle;
mod statements;
mod upkeep;

use serde_json::{Value, json};

use crate::http::v1::openapi;
use crate::support::{Answer, Client};

/// Posts a body to `/v1/usage`; the answer is held against the document.
pub async fn post(client: &Client, body: &Value) -> Answer {
    let call = client.request("POST", "/v1/usage").json(body);
    let answer = client.send(call).await;
    openapi::described("post", "/v1/usage", &answer);
    answer
}

/// Records events that can be read; answers with what is told of each.
pub async fn record(client: &Client, events: Value) -> Value {
    let answer = post(client, &json!({ "events": events })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// `recorded repeated refused`.
pub fn counts(answer: &Value) -> String {
    format!(
        "{} {} {}",
        answer["recorded"], answer["repeated"], answer["refused"]
    )
}

/// The ways to add events up: each of the rollups, and what counters of budgets have.
const SUMS: [(&str, &str, &str); 6] = [
    (
        "usage_quarters",
        "date_bin('15 minutes', at, 'epoch')",
        "user_id, api_key_id, team_id, resource",
    ),
    (
        "usage_days",
        "date_trunc('day', at, 'UTC')",
        "user_id, api_key_id, team_id, resource",
    ),
    (
        "usage_months",
        "date_trunc('month', at, 'UTC')",
        "user_id, api_key_id, team_id, resource",
    ),
    (
        "usage_team_quarters",
        "date_bin('15 minutes', at, 'epoch')",
        "team_id, resource",
    ),
    (
        "usage_team_days",
        "date_trunc('day', at, 'UTC')",
        "team_id, resource",
    ),
    (
        "usage_team_months",
        "date_trunc('month', at, 'UTC')",
        "team_id, resource",
    ),
];

const MEASURES: [&str; 6] = [
    "requests",
    "tokens",
    "tokens_in",
    "tokens_out",
    "tokens_cached",
    "micros",
];

/// Panics unless every rollup, and the counter of every budget, is the sum of the events that count. Answers with how many there are.
pub async fn exact(client: &tokio_postgres::Client) -> i64 {
    for (table, slot, columns) in SUMS {
        let sums: Vec<String> = MEASURES
            .iter()
            .map(|measure| format!("sum({measure})::bigint"))
            .collect();
        let of_events = format!(
            "SELECT {slot}, {columns}, t.tag, count(*), {} FROM usage_events CROSS JOIN unnest(array_append(tags, '')) AS t (tag)
             WHERE state <> 'RELEASED' GROUP BY {slot}, {columns}, t.tag",
            sums.join(", ")
        );
        let kept = format!(
            "SELECT slot, {columns}, tag, events, {} FROM {table} WHERE events <> 0",
            MEASURES.join(", ")
        );
        let differing = format!(
            "WITH a AS ({of_events}), b AS ({kept}), d AS ((TABLE a EXCEPT TABLE b) UNION ALL (TABLE b EXCEPT TABLE a))
             SELECT d::text FROM d"
        );
        let rows = client.query(&differing, &[]).await.unwrap();
        let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(rows.is_empty(), "{table} is not the sum: {rows:#?}");
    }
    let wrong = "SELECT c.id::text, c.spent, s.spent FROM limit_counters c CROSS JOIN LATERAL (
            SELECT coalesce(sum(micros), 0)::bigint AS spent FROM usage_events
            WHERE state <> 'RELEASED' AND c.id = ANY(counters) AND at >= c.since) s
        WHERE c.budget_id IS NOT NULL AND c.spent <> s.spent";
    let rows = client.query(wrong, &[]).await.unwrap();
    let rows: Vec<(String, i64, i64)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    assert!(rows.is_empty(), "what was spent is not the sum: {rows:?}");
    let count = "SELECT count(*) FROM usage_events WHERE state <> 'RELEASED'";
    client.query_one(count, &[]).await.unwrap().get(0)
}
