//! Events that settle a reservation.

use serde_json::json;

use super::{counts, exact, record};
use crate::http::v1::redacted;
use crate::limits::Proxy;

const RECORD: &str = "mutation($input: RecordUsageInput!) { recordUsage(input: $input) {
    recorded repeated refused lines { line outcome error { code field message } } } }";

#[tokio::test]
async fn a_line_with_a_reservation_settles_it_once() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"budgets": [{"name": "ever", "maxUsd": "10"}]}))
        .await;
    let body = json!({"key": proxy.secret, "privilege": "apiKey.read", "path": format!("/users/{}", proxy.user), "cost": {"usd": "1", "tokens": 50}});
    let answer = crate::http::v1::verdict(&proxy.service, &body).await;
    let first = answer["reservation"].as_str().unwrap().to_owned();
    let second = proxy.reserved(json!({"usd": "2"})).await;
    let third = proxy.reserved(json!({"usd": "4"})).await;
    let events = json!([
        {"reservation": first, "tokensIn": 30, "tokensOut": 12, "tokensCached": 7, "usd": "0.5", "tags": ["chat"]},
        {"reservation": second},
        {"reservation": first, "usd": "5"},
    ]);
    let told = record(&proxy.service, events.clone()).await;
    assert_eq!(counts(&told), "2 1 0", "{told:#}");
    assert_eq!(proxy.budget("ever").await, "2.5 4 3.5");
    assert_eq!(counts(&record(&proxy.service, events).await), "0 3 0");
    // Another's, and one that was settled, over GraphQL.
    let input = json!({"input": {"reservation": third, "usd": "3", "tokensIn": 5, "tags": ["x"]}});
    let admin = proxy.app.admin();
    insta::assert_json_snapshot!(
        "anothers",
        redacted(&admin.gql(RECORD, input.clone()).await["errors"][0]["message"])
    );
    let settled = proxy.service.data(RECORD, input.clone()).await;
    insta::assert_json_snapshot!("settled", settled);
    let again = proxy.service.data(RECORD, input).await;
    assert_eq!(again["recordUsage"]["repeated"], 1);
    assert_eq!(proxy.budget("ever").await, "5.5 0 4.5");
    let client = proxy.app.app.db.endpoint().client().await.unwrap();
    assert_eq!(exact(&client).await, 3);
    let kept = "SELECT string_agg(concat_ws(' ', resource = '/', tokens, tokens_in, tokens_out, tokens_cached, micros, tags::text), E'\\n' ORDER BY id)
        FROM usage_events";
    let kept: String = client.query_one(kept, &[]).await.unwrap().get(0);
    insta::assert_snapshot!(kept);
}

#[tokio::test]
async fn what_ran_out_and_is_told_late_is_corrected_in_the_sums() {
    for charging in [true, false] {
        let setup = crate::support::Setup {
            policy: keystead::ctx::Policy {
                reservations: keystead::limits::model::Terms {
                    charging,
                    ..Default::default()
                },
                password_cost: 4,
                ..Default::default()
            },
            ..Default::default()
        };
        let proxy = Proxy::over(crate::support::TestApp::with(setup).await).await;
        proxy
            .limit(json!({"budgets": [{"name": "ever", "maxUsd": "10"}]}))
            .await;
        let late = proxy.reserved(json!({"usd": "2", "tokens": 9})).await;
        let never = proxy.reserved(json!({"usd": "1", "tokens": 4})).await;
        proxy.later(61);
        // Somebody reserves, which ends what has run out.
        let open = proxy.reserved(json!({})).await;
        let client = proxy.app.app.db.endpoint().client().await.unwrap();
        assert_eq!(exact(&client).await, if charging { 2 } else { 0 });
        proxy.later(40 * 86_400);
        let told = json!([{"reservation": late, "usd": "3", "tokensIn": 1, "tokensOut": 1, "tags": ["slow"]}]);
        assert_eq!(counts(&record(&proxy.service, told.clone()).await), "1 0 0");
        assert_eq!(counts(&record(&proxy.service, told).await), "0 1 0");
        assert_ne!(never, open);
        let spent = if charging { "4 0 6" } else { "3 0 7" };
        assert_eq!(proxy.budget("ever").await, spent);
        exact(&client).await;
    }
}

#[tokio::test]
async fn over_graphql_events_are_answered_each_by_itself() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let events = json!([
        {"id": "a", "apiKey": proxy.key, "usd": "0.5", "tokensIn": 2, "at": "2030-01-01T11:59:00Z", "tags": ["x"]},
        {"id": "b", "apiKey": proxy.key, "usd": "0.0000005"},
        {"id": "a", "apiKey": proxy.key},
    ]);
    let told = admin
        .data(RECORD, json!({"input": {"events": events}}))
        .await;
    insta::assert_json_snapshot!(told);
    let mut refused = Vec::new();
    for input in [
        json!({}),
        json!({"events": []}),
        json!({"events": [{"id": "a"}], "usd": 1}),
        json!({"events": vec![json!({"id": "a"}); 101]}),
    ] {
        let answer = admin.gql(RECORD, json!({ "input": input })).await;
        refused.push(answer["errors"][0]["message"].clone());
    }
    insta::assert_json_snapshot!("inputs", refused);
}
