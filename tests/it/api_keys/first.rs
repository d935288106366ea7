//! `createUser` with the user's first key.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{KEY, grant, redacted, team};
use crate::support::TestApp;

const CREATE: &str = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } apiKey { id } secret } }";

#[tokio::test]
async fn user_and_key_are_made_together() {
    let app = TestApp::new().await;
    let ml = team(&app, "ml", &[]).await;
    let document = format!(
        "mutation($input: CreateUserInput!) {{ createUser(input: $input) {{ user {{ username teams {{ nodes {{ slug }} }} }}
            secret apiKey {{ {KEY} }} }} }}"
    );
    let input = json!({"input": {"username": "ci", "kind": "SERVICE", "memberships": [{"team": ml, "role": "ADMIN"}],
        "apiKey": {"name": "deploy", "expiresIn": "P1Y", "team": ml, "permissions": [{"path": "/", "role": "READ"}]}}});
    let answer = app.admin().gql(&document, input).await;
    let secret = answer["data"]["createUser"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    insta::assert_json_snapshot!(redacted(answer));
    let seen = app
        .with_key(&secret)
        .data("{ apiKeys { nodes { name } } }", json!({}))
        .await;
    assert_eq!(seen["apiKeys"]["nodes"][0]["name"], "deploy");
}

#[tokio::test]
async fn both_or_neither() {
    let app = TestApp::new().await;
    let before = app
        .admin()
        .data(
            "{ users { totalCount } auditEvents { totalCount } }",
            json!({}),
        )
        .await;
    for key in [
        json!({"name": ""}),
        json!({"expiresIn": "P1D", "expiresAt": "2031-01-01T00:00:00Z"}),
        json!({"permissions": [{"path": "/m", "role": "NONE"}]}),
        json!({"team": "team_01h455vb4pex5vsknk084sn02q"}),
    ] {
        let input = json!({"input": {"username": "ci", "kind": "SERVICE", "apiKey": key}});
        let (_, field, message) = app.admin().error(CREATE, input).await;
        assert!(field.starts_with("input.apiKey."), "{field} {message}");
    }
    let after = app
        .admin()
        .data(
            "{ users { totalCount } auditEvents { totalCount } }",
            json!({}),
        )
        .await;
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_maker_of_users_gives_keys_only_with_the_right_and_within_its_own() {
    let app = TestApp::new().await;
    let (max, manager) = app.user("max", InstanceRole::Member).await;
    grant(&app, &max, "/users", "MANAGE").await;
    let made = manager
        .data(CREATE, json!({"input": {"username": "bob", "apiKey": {}}}))
        .await;
    assert!(made["createUser"]["secret"].is_string());
    let plain = manager
        .data(CREATE, json!({"input": {"username": "eve"}}))
        .await;
    assert_eq!(plain["createUser"]["secret"], json!(null));
    assert_eq!(plain["createUser"]["apiKey"], json!(null));
    // With `user.write` alone no key.
    app.admin()
        .data(
            "mutation { createRole(input: {name: \"HR\", privileges: [\"user.read\", \"user.write\"]}) { role { id } } }",
            json!({}),
        )
        .await;
    let (hr, clerk) = app.user("helga", InstanceRole::Member).await;
    grant(&app, &hr, "/users", "HR").await;
    let (code, _, message) = clerk
        .error(CREATE, json!({"input": {"username": "joe", "apiKey": {}}}))
        .await;
    assert_eq!(code, "FORBIDDEN");
    assert!(message.contains("apiKey.write"), "{message}");
    clerk
        .data(CREATE, json!({"input": {"username": "joe"}}))
        .await;
}
