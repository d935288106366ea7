//! `updateApiKey`.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{KEY, grant, redacted};
use crate::support::{Client, TestApp};

const UPDATE: &str = "mutation($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { apiKey { name restricted enabled
    allowedCidrs permissions { nodes { id path propagate role { name } } } } } }";

async fn updated(client: &Client, input: Value) -> Value {
    client.data(UPDATE, json!({"input": input})).await["updateApiKey"]["apiKey"].take()
}

#[tokio::test]
async fn what_is_absent_stays_and_null_clears() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let input = json!({"input": {"name": "k", "description": "d", "expiresIn": "P1D", "metadata": {"a": 1},
        "allowedCidrs": ["192.0.2.0/24"], "permissions": [{"path": "/m", "role": "READ"}]}});
    let made = ada
        .data(
            "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { apiKey { id } } }",
            input,
        )
        .await;
    let id = &made["generateApiKey"]["apiKey"]["id"];
    let document = format!(
        "mutation($input: UpdateApiKeyInput!) {{ updateApiKey(input: $input) {{ apiKey {{ {KEY} }} }} }}"
    );
    app.app.clock.advance(chrono::TimeDelta::minutes(1));
    let kept = ada
        .gql(&document, json!({"input": {"id": id, "enabled": false}}))
        .await;
    insta::assert_json_snapshot!("kept", redacted(kept));
    let cleared = json!({"input": {"id": id, "name": "K2", "description": null, "expiresAt": null, "metadata": null,
        "allowedCidrs": null, "permissions": null, "enabled": true}});
    insta::assert_json_snapshot!("cleared", redacted(ada.gql(&document, cleared).await));
}

#[tokio::test]
async fn a_disabled_key_keeps_its_reason_until_it_is_switched_on() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (key, _) = app.restricted(&ada, &[]).await;
    let id = key.typed_id().to_string();
    let document = "mutation($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { apiKey { enabled disabledReason } } }";
    for (input, enabled, reason) in [
        (json!({"id": id, "enabled": false}), false, Value::Null),
        (
            json!({"id": id, "disabledReason": " lost "}),
            false,
            json!("lost"),
        ),
        (json!({"id": id, "name": "other"}), false, json!("lost")),
        (
            json!({"id": id, "disabledReason": null}),
            false,
            Value::Null,
        ),
        (
            json!({"id": id, "enabled": false, "disabledReason": "found"}),
            false,
            json!("found"),
        ),
        (json!({"id": id, "enabled": true}), true, Value::Null),
    ] {
        let answer = app.admin().data(document, json!({"input": input})).await;
        let expected = json!({"enabled": enabled, "disabledReason": reason});
        assert_eq!(answer["updateApiKey"]["apiKey"], expected, "{input}");
    }
}

#[tokio::test]
async fn a_list_of_permissions_replaces_and_the_same_ones_stay_the_same_rows() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let (key, _) = app
        .restricted(&ada, &[("/a", "READ"), ("/b", "USE"), ("/c", "READ")])
        .await;
    let id = key.typed_id().to_string();
    let before = updated(&client, json!({"id": id})).await;
    let row = |answer: &Value, path: &str| {
        let nodes = answer["permissions"]["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["path"] == path).cloned()
    };
    let list = json!([{"path": "/a", "role": "READ"}, {"path": "/b", "role": "use", "propagate": false},
        {"path": "/d", "role": "EDIT"}]);
    let after = updated(&client, json!({"id": id, "permissions": list})).await;
    assert_eq!(row(&after, "/a"), row(&before, "/a"));
    assert_eq!(
        row(&after, "/b").unwrap()["id"],
        row(&before, "/b").unwrap()["id"]
    );
    assert_eq!(row(&after, "/b").unwrap()["propagate"], false);
    assert_eq!(row(&after, "/c"), None);
    assert_eq!(row(&after, "/d").unwrap()["role"]["name"], "EDIT");
    let none = updated(&client, json!({"id": id, "permissions": []})).await;
    assert_eq!(none["restricted"], true);
    assert_eq!(none["permissions"]["nodes"], json!([]));
    let lifted = updated(&client, json!({"id": id, "permissions": null})).await;
    assert_eq!(lifted["restricted"], false);
}

#[tokio::test]
async fn the_trail_keeps_what_changed_and_no_secret() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let (key, _) = app.restricted(&ada, &[("/a", "READ")]).await;
    let id = key.typed_id().to_string();
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    updated(
        &client,
        json!({"id": id, "name": "new", "permissions": null}),
    )
    .await;
    updated(&client, json!({"id": id, "name": "new"})).await;
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    client
        .data(
            "mutation($id: ID!) { rotateApiKey(input: {id: $id, overlap: \"PT1H\"}) { apiKey { id } } }",
            json!({"id": id}),
        )
        .await;
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    client
        .data(
            "mutation($id: ID!) { deleteApiKey(input: {id: $id}) { deletedApiKeyId } }",
            json!({"id": id}),
        )
        .await;
    let events = app
        .admin()
        .data(
            "query($id: ID!) { auditEvents(filter: {target: $id}) { nodes { action before after } } }",
            json!({"id": id}),
        )
        .await;
    let text = events.to_string();
    assert!(!text.contains("digest"), "{text}");
    assert!(
        !text
            .split('"')
            .any(|word| word.len() == 40 && word.starts_with("ks_")),
        "{text}"
    );
    insta::assert_json_snapshot!(events, {
        ".**.prefix" => "[prefix]",
        ".**.owner" => "[owner]",
        ".**.name" => insta::dynamic_redaction(|value, _| match value.as_str() {
            Some(name) if name.starts_with("ks_") => "[prefix]".into(),
            _ => value,
        }),
    });
}

#[tokio::test]
async fn nobody_widens_or_wakes_a_key_beyond_what_they_hold() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (max, manager) = app.user("max", InstanceRole::Member).await;
    grant(&app, &ada, "/models", "EDIT").await;
    grant(&app, &max, "/users", "MANAGE").await;
    grant(&app, &max, "/models", "READ").await;
    let (key, own) = app.restricted(&ada, &[("/models", "READ")]).await;
    let id = key.typed_id().to_string();
    let refused = async |client: &Client, input: Value| {
        let (code, _, message) = client.error(UPDATE, json!({"input": input})).await;
        assert_eq!(code, "FORBIDDEN", "{message}");
        message
    };
    let list = |role: &str| json!([{"path": "/models", "role": role}]);
    let said = refused(&manager, json!({"id": id, "permissions": list("EDIT")})).await;
    assert!(said.contains("/models"), "{said}");
    refused(&manager, json!({"id": id, "permissions": null})).await;
    // The key itself sees itself, but may not change itself.
    refused(&own, json!({"id": id, "name": "x"})).await;
    // What does not widen is free, and so is narrowing.
    updated(
        &manager,
        json!({"id": id, "name": "narrow", "enabled": false}),
    )
    .await;
    refused(&manager, json!({"id": id, "permissions": list("EDIT")})).await;
    updated(&manager, json!({"id": id, "enabled": true})).await;
    updated(&manager, json!({"id": id, "permissions": []})).await;
    // A wide key that sleeps is not woken by one who holds less.
    let (wide, _) = app.restricted(&ada, &[("/models", "EDIT")]).await;
    let wide = wide.typed_id().to_string();
    updated(&manager, json!({"id": wide, "enabled": false})).await;
    refused(&manager, json!({"id": wide, "enabled": true})).await;
}

#[tokio::test]
async fn a_restricted_key_does_not_lift_its_own_restriction() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (key, all) = app.restricted(&ada, &[("/", "ADMIN")]).await;
    let id = key.typed_id().to_string();
    let (code, _, message) = all
        .error(UPDATE, json!({"input": {"id": id, "permissions": null}}))
        .await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    updated(
        &all,
        json!({"id": id, "permissions": [{"path": "/", "role": "READ"}]}),
    )
    .await;
}

#[tokio::test]
async fn bad_input_is_refused() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let (bob, other) = app.user("bob", InstanceRole::Member).await;
    let (key, _) = app.restricted(&ada, &[]).await;
    let (foreign, _) = app.restricted(&bob, &[]).await;
    let id = key.typed_id().to_string();
    let cases = [
        (
            json!({"id": "key_01h455vb4pex5vsknk084sn02q"}),
            "NOT_FOUND",
            "input.id",
        ),
        (
            json!({"id": foreign.typed_id().to_string()}),
            "NOT_FOUND",
            "input.id",
        ),
        (
            json!({"id": ada.typed_id().to_string()}),
            "BAD_USER_INPUT",
            "input.id",
        ),
        (json!({"id": ""}), "BAD_USER_INPUT", "input.id"),
        (
            json!({"id": id, "name": null}),
            "BAD_USER_INPUT",
            "input.name",
        ),
        (
            json!({"id": id, "name": ""}),
            "BAD_USER_INPUT",
            "input.name",
        ),
        (
            json!({"id": id, "name": "first"}),
            "ALREADY_EXISTS",
            "input.name",
        ),
        (
            json!({"id": id, "disabledReason": "lost"}),
            "BAD_USER_INPUT",
            "input.disabledReason",
        ),
        (
            json!({"id": id, "enabled": true, "disabledReason": "lost"}),
            "BAD_USER_INPUT",
            "input.disabledReason",
        ),
        (
            json!({"id": id, "enabled": false, "disabledReason": ""}),
            "BAD_USER_INPUT",
            "input.disabledReason",
        ),
        (
            json!({"id": id, "enabled": false, "disabledReason": "a".repeat(501)}),
            "BAD_USER_INPUT",
            "input.disabledReason",
        ),
        (
            json!({"id": id, "enabled": null}),
            "BAD_USER_INPUT",
            "input.enabled",
        ),
        (
            json!({"id": id, "expiresAt": "1999-01-01T00:00:00Z"}),
            "BAD_USER_INPUT",
            "input.expiresAt",
        ),
        (
            json!({"id": id, "permissions": [{"path": "x", "role": "READ"}]}),
            "BAD_USER_INPUT",
            "input.permissions.0.path",
        ),
        (
            json!({"id": id, "metadata": "x"}),
            "BAD_USER_INPUT",
            "input.metadata",
        ),
    ];
    for (input, code, field) in cases {
        let error = client.error(UPDATE, json!({"input": input})).await;
        assert_eq!(
            (error.0.as_str(), error.1.as_str()),
            (code, field),
            "{input} {}",
            error.2
        );
    }
    assert_eq!(
        other.error(UPDATE, json!({"input": {"id": id}})).await.0,
        "NOT_FOUND"
    );
    assert_eq!(
        app.anonymous()
            .error(UPDATE, json!({"input": {"id": id}}))
            .await
            .0,
        "UNAUTHENTICATED"
    );
}
