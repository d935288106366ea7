//! How many statements a call sends.

use serde_json::{Value, json};

use super::{counts, record};
use crate::limits::Proxy;

#[tokio::test]
async fn a_call_sends_these_however_many_events_it_has() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let team = admin
        .data(
            "mutation($user: ID!) { createTeam(input: {slug: \"t\", members: [{user: $user}]}) { team { id } } }",
            json!({"user": proxy.user}),
        )
        .await;
    let team = &team["createTeam"]["team"]["id"];
    proxy
        .limit(json!({"budgets": [{"name": "b", "maxUsd": "1"}]}))
        .await;
    let sent = async |events: Value, expected: &str| {
        let before = proxy.app.app.db.statements();
        assert_eq!(counts(&record(&admin, events).await), expected);
        proxy.app.app.db.statements() - before
    };
    let keys = |from: usize, count: usize| -> Value {
        (from..from + count)
            .map(|n| json!({"id": format!("{n}"), "apiKey": proxy.key, "usd": 1}))
            .collect()
    };
    let user = json!([{"id": "u", "user": proxy.user}]);
    let both =
        json!([{"id": "k", "apiKey": proxy.key}, {"id": "t", "user": proxy.user, "team": team}]);
    let found = [
        ("one event", sent(keys(0, 1), "1 0 0").await),
        ("a thousand", sent(keys(1, 1_000), "1000 0 0").await),
        ("the same again", sent(keys(1, 1_000), "0 1000 0").await),
        ("of a user", sent(user, "1 0 0").await),
        (
            "of a key, and of a user for a team",
            sent(both, "2 0 0").await,
        ),
        ("none that can be read", sent(json!([{}]), "0 0 1").await),
    ];
    let found: Vec<String> = found
        .iter()
        .map(|(case, count)| format!("{case}: {count}"))
        .collect();
    // With the one that finds out who is calling; the key or the user, memberships, what applies with the teams above, and one that records.
    insta::assert_snapshot!(found.join("\n"));
}

/// What the functions of the database do, each as the app calls it, on a key that has a budget and a limit by the minute.
const CALLS: [&str; 5] = [
    "SELECT usage_record(NOW, NULL, ARRAY[NOW], '{}', NOW, NOW, ARRAY[gen_random_uuid()], ARRAY[NOW], '{1}', '{1}', '{2}', '{0}', '{0}', '{0}', '{3}',
        ARRAY[gen_random_uuid()], '{null}', '{null}', '{/}', '{tag}', ARRAY[COUNTERS], COUNTING)",
    "SELECT usage_record(NOW, NULL, ARRAY[NOW], ARRAY[ID], NOW - interval '2 months', NOW, ARRAY[ID], ARRAY[NOW], '{1}', '{1}', '{2}', '{0}', '{0}', '{0}', '{3}',
        ARRAY[gen_random_uuid()], '{null}', '{null}', '{/}', '{tag}', '{}', '[]')",
    "SELECT limits_reserve(jsonb_build_object('at', NOW, 'expires_at', NOW + interval '1 minute', 'charging', true, 'counters', COUNTING, 'groups',
        jsonb_build_array(jsonb_build_object('n', 1, 'uses', array[1, 2], 'size', 1, 'ids', ARRAY[ID], 'api_key_id', gen_random_uuid(),
            'user_id', gen_random_uuid(), 'requests', 1, 'tokens', 1, 'micros', 1, 'resource', '/', 'stands', true))))",
    "SELECT limits_settle(NOW, jsonb_build_array(jsonb_build_object('id', ID), jsonb_build_object('id', gen_random_uuid())))",
    "SELECT (limits_lapse(NOW + interval '1 hour', true, '{}') IS NULL)::text",
];

#[tokio::test]
async fn no_function_scans_a_table() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"tokensPerMinute": 100, "budgets": [{"name": "b", "maxUsd": "1"}]}))
        .await;
    proxy.reserved(json!({"usd": "0.5"})).await;
    let client = proxy.app.app.db.endpoint().client().await.unwrap();
    let counting = "SELECT json_agg(json_build_object('id', c.id, 'limit_id', c.limit_id, 'budget_id', c.budget_id, 'since', c.since) ORDER BY c.id)::text,
            string_agg(c.id::text, ',') FROM limit_counters c";
    let row = client.query_one(counting, &[]).await.unwrap();
    let (counting, counters): (String, String) = (row.get(0), row.get(1));
    assert_eq!(counters.matches(',').count(), 1);
    let begin =
        "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan";
    client.batch_execute(begin).await.unwrap();
    let mut scanned = Vec::new();
    for call in CALLS {
        let call = call
            .replace("NOW", "timestamptz '2030-01-01T12:30:00Z'")
            .replace("ID]", "uuid '0197f8a0-0000-7000-8000-000000000001']")
            .replace(
                "'id', ID",
                "'id', uuid '0197f8a0-0000-7000-8000-000000000001'",
            )
            .replace("COUNTERS", &format!("'{counters}'"))
            .replace("COUNTING", &format!("jsonb '{counting}'"));
        client.batch_execute(&call).await.unwrap();
        let scans = "SELECT relname::text FROM pg_stat_xact_user_tables WHERE seq_scan > 0";
        let rows = client.query(scans, &[]).await.unwrap();
        for row in rows {
            scanned.push(format!("{} by {:.40}", row.get::<_, String>(0), call));
        }
    }
    let written = "SELECT count(*) FROM pg_stat_xact_user_tables WHERE n_tup_ins > 0";
    let written: i64 = client.query_one(written, &[]).await.unwrap().get(0);
    assert!(written > 6, "only {written} tables were written to");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert!(scanned.is_empty(), "{scanned:#?}");
}
