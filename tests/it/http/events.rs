//! Answers as a stream of events.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_query_is_one_event_and_complete() {
    let app = TestApp::new().await;
    let client = app.admin();
    let call = client
        .request("POST", "/graphql")
        .header("accept", "text/event-stream")
        .json(&json!({"query": "{ __typename }"}));
    let answer = client.send(call).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.text(),
        ":\n\nevent: next\ndata: {\"data\":{\"__typename\":\"Query\"},\"extensions\":{\"cost\":1}}\n\nevent: complete\ndata:\n\n"
    );
}

#[tokio::test]
async fn a_refused_document_is_told_by_an_event_and_other_refusals_by_the_status() {
    let app = TestApp::new().await;
    let send = async |key: &str, body: &str| {
        let client = app.with_key(key);
        let call = client
            .request("POST", "/graphql")
            .header("accept", "text/event-stream")
            .header("content-type", "application/json")
            .body(body.to_owned());
        client.send(call).await
    };
    let answer = send(&app.admin_key, r#"{"query": "{ nothing }"}"#).await;
    assert_eq!(answer.status, 200);
    let text = answer.text();
    assert!(
        text.contains("event: next\ndata: {\"errors\":[{")
            && text.ends_with("event: complete\ndata:\n\n"),
        "{text}"
    );
    assert!(text.contains("GRAPHQL_VALIDATION_FAILED"));
    assert_eq!(send(&app.admin_key, "{}").await.status, 400);
    assert_eq!(
        send("ks_wrong", r#"{"query": "{ __typename }"}"#)
            .await
            .status,
        401
    );
}
