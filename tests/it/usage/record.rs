//! What is told of each event, and what is kept of it.

use serde_json::{Value, json};

use super::{counts, exact, post, record};
use crate::http::v1::redacted;
use crate::limits::Proxy;
use crate::support::TestApp;

async fn database(app: &TestApp) -> tokio_postgres::Client {
    app.app.db.endpoint().client().await.unwrap()
}

#[tokio::test]
async fn each_event_is_answered_by_its_number_and_a_bad_one_stops_no_other() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let (key, user) = (&proxy.key, &proxy.user);
    let events = json!([
        {"id": "a", "apiKey": key, "resource": "/models/gpt-4o", "tokensIn": 1000, "tokensOut": 200, "tokensCached": 800, "usd": "0.0123", "tags": ["prod", "chat", "prod"]},
        {"id": "b", "apiKey": key, "usd": -1},
        {"id": "a", "apiKey": key, "usd": "7"},
        {"id": "c", "user": user, "at": "2030-01-01T11:44:59.999999Z", "requests": 3, "tokens": 5, "usd": 0.5},
        7,
        {"id": "d", "user": user, "at": "2030-01-01T12:05:00Z", "resource": "/models/%7Ea", "tags": []},
        {"id": "e", "apiKey": "key_7zzzzzzzzzzzzzzzzzzzzzzzzz"},
        {"id": "f", "apiKey": key, "usd": null, "at": "2029-12-31T00:00:00+02:00", "tags": ["prod"]},
    ]);
    let first = record(&admin, events.clone()).await;
    insta::assert_json_snapshot!(redacted(&first));
    let again = record(&admin, events).await;
    assert_eq!(counts(&again), "0 5 3");
    let client = database(&proxy.app).await;
    assert_eq!(exact(&client).await, 4);
    let kept = "SELECT json_agg(json_build_object('at', at, 'resource', resource, 'requests', requests, 'tokens', tokens,
            'in', tokens_in, 'out', tokens_out, 'cached', tokens_cached, 'micros', micros, 'tags', tags, 'state', state,
            'byKey', api_key_id IS NOT NULL, 'told', asker_id IS NOT NULL) ORDER BY at, resource)::text FROM usage_events";
    let kept: String = client.query_one(kept, &[]).await.unwrap().get(0);
    insta::assert_json_snapshot!("kept", serde_json::from_str::<Value>(&kept).unwrap());
    let quarters = "SELECT json_agg(to_jsonb(q) - 'user_id' - 'api_key_id' ORDER BY slot, resource, tag)::text FROM usage_quarters q";
    let quarters: String = client.query_one(quarters, &[]).await.unwrap().get(0);
    insta::assert_json_snapshot!(
        "quarters",
        serde_json::from_str::<Value>(&quarters).unwrap()
    );
}

#[tokio::test]
async fn events_come_line_by_line_too() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let key = &proxy.key;
    let lines = format!(
        "{{\"id\": \"a\", \"apiKey\": \"{key}\"}}\r\n\n  \n{{\"id\": \"b\", \"apiKey\": \"{key}\"\n{{\"id\": \"b\", \"apiKey\": \"{key}\", \"euros\": 1}}\n{{\"id\": \"b\", \"apiKey\": \"{key}\", \"id\": \"c\"}}\n\"b\"\n\u{0}\n{{\"id\": \"a\", \"user\": \"{user}\"}}",
        user = proxy.user
    );
    let call = admin
        .request("POST", "/v1/usage")
        .header("Content-Type", "application/x-ndjson; charset=utf-8")
        .body(lines);
    let answer = admin.send(call).await;
    crate::http::v1::openapi::described("post", "/v1/usage", &answer);
    insta::assert_json_snapshot!(redacted(&answer.json()));
    let none = admin
        .request("POST", "/v1/usage")
        .header("Content-Type", "application/x-ndjson")
        .body("\n\n");
    let none = admin.send(none).await;
    insta::assert_json_snapshot!("no_lines", none.json()["errors"][0]["message"]);
}

#[tokio::test]
async fn an_id_is_its_askers_own_and_is_known_over_the_turn_of_a_month() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let other = {
        let (user, client) = proxy
            .app
            .user("other", keystead::permissions::model::InstanceRole::Admin)
            .await;
        assert_ne!(user.typed_id().to_string(), proxy.user);
        client
    };
    let event = |at: Option<&str>| json!([{"id": "same", "apiKey": proxy.key, "usd": 1, "at": at}]);
    assert_eq!(counts(&record(&admin, event(None)).await), "1 0 0");
    assert_eq!(counts(&record(&other, event(None)).await), "1 0 0");
    // 30 days and 12 hours later it is February.
    proxy.later((30 * 24 + 12) * 3_600 + 60);
    assert_eq!(counts(&record(&admin, event(None)).await), "0 1 0");
    let at = Some("2030-01-31T23:59:00Z");
    assert_eq!(counts(&record(&admin, event(at)).await), "0 1 0");
    // Ahead of the clock it counts as of now; when the clock is there, it is known.
    let ahead = |id: &str| json!([{"id": id, "apiKey": proxy.key, "at": "2030-03-01T00:02:00Z"}]);
    proxy.later(27 * 24 * 3_600 + 23 * 3_600 + 3_540);
    let told = record(&admin, ahead("ahead")).await;
    assert_eq!(counts(&told), "1 0 0", "{told:#}");
    proxy.later(600);
    assert_eq!(counts(&record(&admin, ahead("ahead")).await), "0 1 0");
    assert_eq!(counts(&record(&admin, ahead("later")).await), "1 0 0");
    // Of a month long ago the table is made when it is needed.
    let long_ago = Some("2029-02-01T00:00:00Z");
    assert_eq!(counts(&record(&admin, event(long_ago)).await), "1 0 0");
    assert_eq!(exact(&database(&proxy.app).await).await, 5);
}

#[tokio::test]
async fn a_call_has_ten_thousand_events_and_a_body_of_its_own_size() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let events = |count: usize| -> Value {
        (0..count)
            .map(|n| json!({"id": format!("{n}"), "apiKey": proxy.key, "resource": format!("/models/{}", "x".repeat(80)), "usd": "0.000001"}))
            .collect()
    };
    // More than a body may have elsewhere.
    let most = events(10_000);
    assert!(most.to_string().len() > 1024 * 1024);
    assert_eq!(counts(&record(&admin, most).await), "10000 0 0");
    let more = post(&admin, &json!({"events": events(10_001)})).await;
    assert_eq!(more.status, 400);
    assert_eq!(
        more.json()["errors"][0]["message"],
        "events has 10001 elements. It must have 1 to 10000."
    );
    assert_eq!(exact(&database(&proxy.app).await).await, 10_000);
}
