//! Keystead as a subgraph: only where the setting says so, and with the rights of who asks.

use keystead::db::ids::{Id, Kind};
use keystead::graphql::settings::Settings;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use crate::support::TestApp;

async fn subgraph() -> TestApp {
    let settings = Settings {
        federation: true,
        ..Settings::default()
    };
    TestApp::with_settings(settings, keystead::http::Settings::default()).await
}

fn global(user: uuid::Uuid) -> String {
    Id::new(Kind::User, user).to_string()
}

const ENTITIES: &str = "query ($known: [_Any!]!) {
    _entities(representations: $known) { __typename ... on User { id username } }
}";

#[tokio::test]
async fn without_the_setting_there_is_no_trace_of_it() {
    let app = TestApp::new().await;
    let (code, ..) = app.admin().error("{ _service { sdl } }", json!({})).await;
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED");
    let shown = app
        .admin()
        .data(
            "{ __schema { queryType { fields { name } } types { name } } }",
            json!({}),
        )
        .await
        .to_string();
    assert!(shown.contains("\"users\""));
    for name in ["_service", "_entities", "_Any", "_Entity", "_Service"] {
        assert!(!shown.contains(&format!("\"{name}\"")), "{name} is shown");
    }
}

#[tokio::test]
async fn the_schema_of_a_subgraph_has_the_keys_of_its_entities() {
    let app = subgraph().await;
    let answer = app
        .anonymous()
        .data("{ _service { sdl } }", json!({}))
        .await;
    let sdl = answer["_service"]["sdl"].as_str().unwrap();
    for line in [
        "type User implements Node @key(fields: \"id\") {",
        "type Team implements Node @key(fields: \"id\") {",
        "type ApiKey implements Node @key(fields: \"id\") {",
        "type PageInfo @shareable {",
        "directive @oneOf on INPUT_OBJECT",
    ] {
        assert!(sdl.lines().any(|other| other == line), "no line {line}");
    }
    assert!(sdl.contains("extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\""));
    assert!(!sdl.contains("_entities"));
}

#[tokio::test]
async fn entities_come_in_the_order_asked_for_and_null_where_there_is_none() {
    let app = subgraph().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let known = |id: String| json!({"__typename": "User", "id": id});
    let absent = global(uuid::Uuid::nil());
    let answer = app
        .admin()
        .data(
            ENTITIES,
            json!({"known": [known(global(bob.id)), known(absent), known(global(ada.id))]}),
        )
        .await;
    assert_eq!(
        answer["_entities"],
        json!([
            {"__typename": "User", "id": global(bob.id), "username": "bob"},
            null,
            {"__typename": "User", "id": global(ada.id), "username": "ada"},
        ])
    );
}

#[tokio::test]
async fn what_one_may_not_see_does_not_exist_here_either() {
    let app = subgraph().await;
    let (ada, asking) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let known = json!({"known": [
        {"__typename": "User", "id": global(ada.id)},
        {"__typename": "User", "id": global(bob.id)},
    ]});
    let answer = asking.data(ENTITIES, known.clone()).await;
    assert_eq!(answer["_entities"][0]["username"], "ada");
    assert!(answer["_entities"][1].is_null());

    let (code, ..) = app.anonymous().error(ENTITIES, known).await;
    assert_eq!(code, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_representation_that_makes_no_sense_is_refused_in_words() {
    let app = subgraph().await;
    for (known, field) in [
        (
            json!({"__typename": "Role", "id": "role_00000000000000000000000000"}),
            "representations.__typename",
        ),
        (
            json!({"__typename": "User", "id": "team_00000000000000000000000000"}),
            "representations.id",
        ),
        (
            json!({"__typename": "User", "id": "nonsense"}),
            "representations.id",
        ),
    ] {
        let (code, at, _) = app.admin().error(ENTITIES, json!({"known": [known]})).await;
        assert_eq!((code.as_str(), at.as_str()), ("BAD_USER_INPUT", field));
    }
    for known in [
        json!({"id": "user_1"}),
        json!({"__typename": "User"}),
        json!(3),
    ] {
        let (code, ..) = app.admin().error(ENTITIES, json!({"known": [known]})).await;
        assert_eq!(code, "BAD_USER_INPUT", "{known}");
    }
    let many = vec![json!({"__typename": "User", "id": "user_1"}); 1_001];
    let (code, at, _) = app.admin().error(ENTITIES, json!({"known": many})).await;
    assert_eq!(
        (code.as_str(), at.as_str()),
        ("BAD_USER_INPUT", "representations")
    );
}
