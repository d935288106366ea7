//! Two at once under one key, in one process and in two; and what a request that never ends leaves.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::{CREATE, named, send};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_have_one_effect_and_the_same_answer() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for round in 0..5 {
        let name = format!("user{round}");
        let answers = join_all((0..8).map(|_| send(&admin, &name, CREATE, named(&name)))).await;
        let first = &answers[0];
        assert_eq!(
            first.json()["data"]["createUser"]["user"]["username"],
            name.as_str()
        );
        for answer in &answers {
            assert_eq!(answer.text(), first.text());
        }
    }
    let trail = "{ auditEvents(filter: {action: \"user.create\"}) { totalCount } }";
    let answer = admin.data(trail, json!({})).await;
    // The first administrator's, and one for each round.
    assert_eq!(answer["auditEvents"]["totalCount"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_waits_for_the_first() {
    let app = TestApp::new().await;
    let admin = app.admin();
    // Another process has taken the key and not yet ended; then it fails.
    let mut other = app.app.db.endpoint().client().await.unwrap();
    let claim = "INSERT INTO idempotency_keys (actor_id, key, fingerprint, created_at)
        SELECT id, 'one', sha256('x'), '2030-01-01T12:00:00Z' FROM users WHERE username = 'admin'";
    let transaction = other.transaction().await.unwrap();
    transaction.execute(claim, &[]).await.unwrap();
    let waiting = tokio::spawn(async move { send(&admin, "one", CREATE, named("ada")).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    transaction.rollback().await.unwrap();
    let answer = waiting.await.unwrap();
    assert_eq!(
        answer.json()["data"]["createUser"]["user"]["username"],
        "ada"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_dropped_is_rolled_back_and_its_connection_is_not_used_again() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let before = app.app.db.connections();
    for attempt in 0..20 {
        let sending = send(&admin, "one", CREATE, named("ada"));
        let _ = tokio::time::timeout(Duration::from_millis(attempt), sending).await;
    }
    let answer = send(&admin, "one", CREATE, named("ada")).await;
    assert_eq!(
        answer.json()["data"]["createUser"]["user"]["username"],
        "ada",
        "{}",
        answer.text()
    );
    let users = admin.data("{ users { totalCount } }", json!({})).await;
    assert_eq!(users["users"]["totalCount"], 2);
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let client = app.app.db.endpoint().client().await.unwrap();
    let open: i64 = client.query_one(idle, &[]).await.unwrap().get(0);
    assert_eq!(
        open,
        0,
        "connections before: {before:?}, after: {:?}",
        app.app.db.connections()
    );
}
