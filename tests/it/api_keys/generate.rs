//! `generateApiKey`.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{KEY, redacted};
use crate::support::TestApp;

fn generate() -> String {
    format!(
        "mutation($input: GenerateApiKeyInput!) {{ generateApiKey(input: $input) {{ secret apiKey {{ {KEY} }} }} }}"
    )
}

#[tokio::test]
async fn a_key_is_made_with_all_its_fields() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let answer = ada
        .gql(
            &generate(),
            json!({"input": {
                "name": " CI ", "description": "builds\nand tests", "expiresIn": "P30DT12H", "metadata": {"a": [1]},
                "allowedCidrs": ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7", "192.0.2.0/24"],
                "permissions": [
                    {"path": "/models/gpt-4o", "role": "use"},
                    {"path": "/", "role": "READ", "propagate": false, "expiresAt": "2030-02-01T00:00:00Z"}]}}),
        )
        .await;
    insta::assert_json_snapshot!(redacted(answer));
}

#[tokio::test]
async fn a_key_needs_nothing_but_to_be_asked_for() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let answer = ada.data(&generate(), json!({"input": {}})).await;
    let secret = answer["generateApiKey"]["secret"].as_str().unwrap();
    let key = &answer["generateApiKey"]["apiKey"];
    assert_eq!(key["name"], secret[..7]);
    assert_eq!(key["restricted"], false);
    let viewer = app
        .with_key(secret)
        .data("{ apiKeys(filter: {restricted: false}) { totalCount nodes { name owner { username } } } }", json!({}))
        .await;
    assert_eq!(viewer["apiKeys"]["totalCount"], 2);
}
