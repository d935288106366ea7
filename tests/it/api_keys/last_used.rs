//! When keys and users were last used.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

async fn call(client: &Client, ip: &str) {
    let call = client
        .request("POST", "/graphql")
        .json(&json!({"query": "{ __typename }"}))
        .from(ip);
    assert_eq!(client.send(call).await.status, 200);
}

async fn seen(app: &TestApp, id: &str) -> Value {
    let found = app
        .admin()
        .data(
            "query($id: ID!) { user(by: {id: $id}) { lastUsedAt apiKeys { nodes { lastUsedAt lastUsedFrom updatedAt } } } }",
            json!({"id": id}),
        )
        .await;
    found["user"].clone()
}

#[tokio::test]
async fn uses_are_noted_without_a_statement_and_stored_together() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let id = ada.typed_id().to_string();
    app.app.clock.advance(TimeDelta::seconds(1));
    call(&client, "192.0.2.1").await;
    let statements = app.app.db.statements();
    app.app.clock.advance(TimeDelta::seconds(1));
    call(&client, "::ffff:192.0.2.2").await;
    assert_eq!(app.app.db.statements() - statements, 1, "only the sign-on");
    assert_eq!(seen(&app, &id).await["lastUsedAt"], json!(null));

    let statements = app.app.db.statements();
    // Ada's key, and the administrator's that has just looked.
    assert_eq!(app.app.flush_last_used().await.unwrap(), 2);
    assert_eq!(
        app.app.db.statements() - statements,
        2,
        "one for keys, one for users"
    );
    assert_eq!(
        seen(&app, &id).await,
        json!({"lastUsedAt": "2030-01-01T12:00:02Z", "apiKeys": {"nodes": [
            {"lastUsedAt": "2030-01-01T12:00:02Z", "lastUsedFrom": "192.0.2.2", "updatedAt": "2030-01-01T12:00:00Z"}]}})
    );
}

#[tokio::test]
async fn what_is_stored_never_goes_back() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let id = ada.typed_id().to_string();
    app.app.clock.advance(TimeDelta::seconds(5));
    call(&client, "192.0.2.1").await;
    app.app.flush_last_used().await.unwrap();
    app.app.clock.advance(TimeDelta::seconds(-3));
    call(&client, "192.0.2.9").await;
    app.app.flush_last_used().await.unwrap();
    let user = seen(&app, &id).await;
    assert_eq!(user["lastUsedAt"], "2030-01-01T12:00:05Z");
    assert_eq!(user["apiKeys"]["nodes"][0]["lastUsedFrom"], "192.0.2.1");
}

#[tokio::test]
async fn one_use_a_minute_is_stored_and_each_from_another_address() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let (id, began) = (ada.typed_id().to_string(), app.app.clock.now());
    for (seconds, ip, user, key) in [
        (0, "192.0.2.1", "12:00:00Z", "12:00:00Z"),
        (59, "192.0.2.1", "12:00:00Z", "12:00:00Z"),
        (60, "192.0.2.1", "12:01:00Z", "12:01:00Z"),
        // Whoever has found the key is seen at once.
        (61, "192.0.2.2", "12:01:00Z", "12:01:01Z"),
        (62, "192.0.2.2", "12:01:00Z", "12:01:01Z"),
    ] {
        let passed = TimeDelta::seconds(seconds) - (app.app.clock.now() - began);
        app.app.clock.advance(passed);
        call(&client, ip).await;
        app.app.flush_last_used().await.unwrap();
        let seen = seen(&app, &id).await;
        let at = |time: &str| json!(format!("2030-01-01T{time}"));
        assert_eq!(seen["lastUsedAt"], at(user), "after {seconds} s");
        let node = &seen["apiKeys"]["nodes"][0];
        assert_eq!(node["lastUsedAt"], at(key), "after {seconds} s");
        assert_eq!(node["lastUsedFrom"], ip, "after {seconds} s");
    }
}

#[tokio::test]
async fn a_refused_key_was_not_used_and_a_deleted_one_is_no_trouble() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (key, client) = app.restricted(&ada, &[]).await;
    call(&client, "192.0.2.1").await;
    keystead::api_keys::ops::delete(&app.ctx(), key.id)
        .await
        .unwrap();
    let answer = client.gql("{ __typename }", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.app.flush_last_used().await.unwrap();
    assert_eq!(app.app.flush_last_used().await.unwrap(), 0);
}
