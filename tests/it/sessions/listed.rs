//! What is told of sessions.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{PASSWORD, SIGN_IN, signed_in, user};
use crate::support::TestApp;

#[tokio::test]
async fn a_user_sees_where_it_is_signed_in() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Viewer).await;
    user(&app, "bob", InstanceRole::Member).await;
    signed_in(&app, "bob").await;
    let input =
        json!({"query": SIGN_IN, "variables": {"input": {"login": "ada", "password": PASSWORD}}});
    let call = app
        .anonymous()
        .request("POST", "/graphql")
        .from("192.0.2.7");
    let call = call.header("user-agent", "a telephone").json(&input);
    assert_eq!(app.anonymous().send(call).await.status, 200);
    app.app.clock.advance(TimeDelta::hours(1));
    let (_, ada) = signed_in(&app, "ada").await;
    app.app.clock.advance(TimeDelta::minutes(5));
    let ask = json!({"query": "{ __typename }"});
    ada.send(
        ada.request("POST", "/graphql")
            .from("2001:db8::7")
            .json(&ask),
    )
    .await;
    app.app.flush_last_used().await.unwrap();
    let list = "{ viewer { sessions { totalCount nodes { current method device createdFrom createdAt lastUsedAt lastUsedFrom expiresAt
        user { username } } } } }";
    let told = ada.data(list, json!({})).await;
    insta::assert_json_snapshot!(told["viewer"]["sessions"]);
    let pages = "query($after: String) { viewer { sessions(first: 1, after: $after) { nodes { current } pageInfo { hasNextPage endCursor } } } }";
    let one = ada.data(pages, json!({})).await;
    let page = &one["viewer"]["sessions"];
    assert_eq!(
        (&page["nodes"], &page["pageInfo"]["hasNextPage"]),
        (&json!([{"current": false}]), &json!(true))
    );
    let two = ada
        .data(pages, json!({"after": page["pageInfo"]["endCursor"]}))
        .await;
    assert_eq!(
        two["viewer"]["sessions"]["nodes"],
        json!([{"current": true}])
    );
    let last = ada
        .data("{ viewer { user { lastUsedAt } } }", json!({}))
        .await;
    assert_eq!(
        last["viewer"]["user"]["lastUsedAt"],
        Value::from("2030-01-01T13:05:00Z")
    );
}
