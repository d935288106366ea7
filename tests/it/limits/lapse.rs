//! Many reservations run out at one moment, as after a standstill: nobody waits for all of them.

use serde_json::json;

use super::Proxy;
use crate::sessions::sql;

/// As many in all.
const MANY: i64 = 4_100;

/// How many records there are.
async fn left(proxy: &Proxy) -> i64 {
    let client = proxy.app.app.db.endpoint().client().await.unwrap();
    let row = client.query_one("SELECT count(*) FROM reservations", &[]);
    row.await.unwrap().get(0)
}

#[tokio::test]
async fn what_runs_out_at_one_moment_is_charged_in_parts() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"maxParallel": 100_000, "budgets": [{"name": "ever", "maxUsd": "100"}]}))
        .await;
    proxy.reserved(json!({"usd": "0.01"})).await;
    // As if so many had been reserved, each for itself.
    let copies = format!(
        "INSERT INTO reservations (id, asker_id, api_key_id, user_id, team_id, at, expires_at, counters, requests, tokens, micros, resource)
            SELECT gen_random_uuid(), asker_id, api_key_id, user_id, team_id, at, expires_at, counters, requests, tokens, micros, resource
            FROM reservations, generate_series(2, {MANY});
        UPDATE limit_counters SET reserved = reserved * {MANY}, requests = requests * {MANY}, parallel = parallel * {MANY}"
    );
    sql(&proxy.app, &copies).await;
    assert_eq!(proxy.budget("ever").await, "0 41 59");
    proxy.later(60);
    assert_eq!(proxy.budget("ever").await, "41 0 59");

    // Whoever reserves takes its part, and the sums are right before and after.
    proxy.reserved(json!({"usd": "0.5"})).await;
    assert_eq!(left(&proxy).await, MANY - 2_000 + 1);
    assert_eq!(proxy.budget("ever").await, "41 0.5 58.5");

    let db = &proxy.app.app.db;
    let before = db.statements();
    keystead::limits::ops::lapse(db, proxy.app.app.clock.now(), true)
        .await
        .unwrap();
    assert_eq!(db.statements() - before, 3, "2,000, the rest, and a look");
    assert_eq!(left(&proxy).await, 1);
    assert_eq!(proxy.budget("ever").await, "41 0.5 58.5");
}
