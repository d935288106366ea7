//! API keys through the dialect.

use keystead::api_keys::model::NewApiKey;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{DELETE_KEY, GENERATE, data, id_of, masked, refused, search, send, viewer};
use crate::support::{Client, TestApp};

async fn keys(client: &Client) -> Vec<Value> {
    let found = data(client, &viewer(), json!({})).await;
    let edges = found["viewer"]["apiKeys"]["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

async fn generate(client: &Client, description: Value) -> Value {
    let made = data(client, GENERATE, json!({"description": description})).await;
    made["result"]["apiKey"].clone()
}

#[tokio::test]
async fn a_key_s_secret_is_its_name_once() {
    let app = TestApp::new().await;
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let made = generate(&bob, json!("für Zürich 🗝")).await;
    insta::assert_json_snapshot!("generated", masked(made.clone()));
    let secret = made["name"].as_str().unwrap();
    assert_eq!(secret.len(), 40);
    let with_it = app.with_key(secret);
    assert_eq!(
        data(&with_it, &viewer(), json!({})).await["viewer"]["username"],
        "bob"
    );
    let listed = keys(&bob).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1]["id"], made["id"]);
    assert_eq!(listed[1]["description"], "für Zürich 🗝");
    let name = listed[1]["name"].as_str().unwrap();
    assert!(
        secret.starts_with(name.trim_end_matches('…')) && name.len() < 20,
        "{name}"
    );
    // Native at once.
    let native = bob
        .data(
            "{ viewer { user { apiKeys { nodes { name description } } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        native["viewer"]["user"]["apiKeys"]["nodes"][1]["name"],
        name
    );
}

#[tokio::test]
async fn names_are_unique_and_all_keys_are_listed() {
    let app = TestApp::new().await;
    let (user, bob) = app.user("bob", InstanceRole::Member).await;
    for number in 0..130 {
        let new = NewApiKey {
            owner: Some(user.id),
            description: Some(format!("number {number}")),
            ..NewApiKey::default()
        };
        app.generate(new).await;
    }
    let listed = keys(&bob).await;
    assert_eq!(listed.len(), 131);
    let names: std::collections::HashSet<&str> = listed
        .iter()
        .map(|key| key["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 131);
    assert_eq!(listed[130]["description"], "number 129");
}

#[tokio::test]
async fn without_a_description_there_is_none() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for nothing in [Value::Null, json!(""), json!("  ")] {
        assert_eq!(generate(&admin, nothing).await["description"], Value::Null);
    }
    let made = data(&admin, GENERATE, json!({})).await;
    assert_eq!(made["result"]["apiKey"]["description"], Value::Null);
}

#[tokio::test]
async fn keys_that_cannot_be_made() {
    let app = TestApp::new().await;
    let (_, viewer) = app.user("vera", InstanceRole::Viewer).await;
    let admin = app.admin();
    let told = [
        refused(&viewer, GENERATE, json!({"description": null})).await,
        refused(
            &admin,
            GENERATE,
            json!({"description": "x".repeat(100_000)}),
        )
        .await,
        refused(&admin, GENERATE, json!({"description": "\u{202e}"})).await,
        refused(&admin, GENERATE, json!({"description": 7})).await,
    ];
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(keys(&admin).await.len(), 1);
}

#[tokio::test]
async fn a_key_is_deleted_by_its_owner_or_an_admin_and_then_works_no_more() {
    let app = TestApp::new().await;
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let admin = app.admin();
    for client in [&bob, &admin] {
        let made = generate(&bob, Value::Null).await;
        let with_it = app.with_key(made["name"].as_str().unwrap());
        assert_eq!(send(&with_it, &viewer(), json!({})).await.status, 200);
        // As the client finds it: in the list of the user that it has looked up.
        let seen = data(client, &search(), json!({"query": "bob"})).await;
        let edges = &seen["users"]["edges"][0]["node"]["apiKeys"]["edges"];
        assert_eq!(edges[1]["node"]["id"], made["id"]);
        let gone = data(client, DELETE_KEY, json!({"id": made["id"]})).await;
        assert_eq!(gone, json!({"result": {"success": true}}));
        assert_eq!(send(&with_it, &viewer(), json!({})).await.status, 401);
    }
}

#[tokio::test]
async fn keys_that_cannot_be_deleted() {
    let app = TestApp::new().await;
    let (user, bob) = app.user("bob", InstanceRole::Member).await;
    let (_, carol) = app.user("carol", InstanceRole::Member).await;
    let of_bob = keys(&bob).await[0]["id"].clone();
    let admin = app.admin();
    let mut told = Vec::new();
    for (name, client, id) in [
        ("another's", &carol, of_bob),
        (
            "one that is not there",
            &admin,
            json!(id_of("ApiKey", uuid::Uuid::from_u128(1))),
        ),
        ("a user's id", &admin, json!(id_of("User", user.id))),
        ("0", &admin, json!(id_of("ApiKey", uuid::Uuid::nil()))),
        (
            "an id of Keystead's",
            &admin,
            json!(user.typed_id().to_string()),
        ),
        ("nothing", &admin, json!("")),
        ("no base64", &admin, json!("%%%")),
        ("too much", &admin, json!("x".repeat(100_000))),
        ("null", &admin, Value::Null),
    ] {
        let line = refused(client, DELETE_KEY, json!({"id": id})).await;
        told.push(format!("{name}: {line}"));
    }
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(send(&bob, &viewer(), json!({})).await.status, 200);
}
