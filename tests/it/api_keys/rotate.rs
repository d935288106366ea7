//! `rotateApiKey`.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{KEY, redacted};
use crate::support::{Client, TestApp};

const ROTATE: &str = "mutation($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { secret apiKey { prefix } } }";

async fn rotate(client: &Client, input: Value) -> String {
    let answer = client.data(ROTATE, json!({"input": input})).await;
    let secret = answer["rotateApiKey"]["secret"].as_str().unwrap();
    assert_eq!(
        answer["rotateApiKey"]["apiKey"]["prefix"],
        format!("{}…", &secret[..7])
    );
    secret.to_owned()
}

async fn works(app: &TestApp, secret: &str) -> bool {
    let answer = app
        .with_key(secret)
        .gql("{ users { totalCount } }", json!({}))
        .await;
    answer.get("errors").is_none()
}

/// A key of ada's and its secret.
async fn key(ada: &Client) -> (String, String) {
    let made = ada
        .data(
            "mutation { generateApiKey(input: {name: \"k\"}) { secret apiKey { id } } }",
            json!({}),
        )
        .await;
    let made = &made["generateApiKey"];
    (
        made["apiKey"]["id"].as_str().unwrap().to_owned(),
        made["secret"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn without_overlap_the_old_secret_ends_at_once() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let (id, old) = key(&ada).await;
    let new = rotate(&ada, json!({"id": id})).await;
    assert_ne!(old, new);
    assert!(works(&app, &new).await);
    assert!(!works(&app, &old).await);
}

#[tokio::test]
async fn both_secrets_work_until_the_overlap_ends() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let (id, old) = key(&ada).await;
    let document = format!(
        "mutation($input: RotateApiKeyInput!) {{ rotateApiKey(input: $input) {{ secret apiKey {{ {KEY} }} }} }}"
    );
    app.app.clock.advance(TimeDelta::minutes(5));
    let input =
        json!({"input": {"id": id, "overlap": "PT1H", "expiresAt": "2030-02-01T00:00:00Z"}});
    let answer = ada.gql(&document, input).await;
    let new = answer["data"]["rotateApiKey"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    insta::assert_json_snapshot!(redacted(answer));
    assert!(works(&app, &old).await && works(&app, &new).await);
    let found = ada
        .data(
            "query($by: ApiKeyBy!) { apiKey(by: $by) { id } }",
            json!({"by": {"secret": old}}),
        )
        .await;
    assert_eq!(found["apiKey"]["id"], id);

    app.app
        .clock
        .advance(TimeDelta::hours(1) - TimeDelta::microseconds(1));
    assert!(works(&app, &old).await && works(&app, &new).await);
    app.app.clock.advance(TimeDelta::microseconds(1));
    assert!(!works(&app, &old).await);
    assert!(works(&app, &new).await);
    let asked = "query($old: String!, $id: ID!) { bySecret: apiKey(by: {secret: $old}) { id } byId: apiKey(by: {id: $id}) {
        previousSecretExpiresAt } }";
    let found = ada.data(asked, json!({"old": old, "id": id})).await;
    assert_eq!(
        found,
        json!({"bySecret": null, "byId": {"previousSecretExpiresAt": null}})
    );
}

#[tokio::test]
async fn rotating_again_during_an_overlap_ends_the_older_secret() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let (id, first) = key(&ada).await;
    let second = rotate(&ada, json!({"id": id, "overlap": "P7D"})).await;
    let third = rotate(&ada, json!({"id": id, "overlap": "PT1M"})).await;
    assert!(!works(&app, &first).await);
    assert!(works(&app, &second).await && works(&app, &third).await);
    app.app.clock.advance(TimeDelta::minutes(1));
    assert!(!works(&app, &second).await && works(&app, &third).await);
}

#[tokio::test]
async fn two_rotations_at_once_follow_one_another() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let (id, first) = key(&ada).await;
    let input = json!({"id": id, "overlap": "PT1H"});
    let (one, two) = tokio::join!(rotate(&ada, input.clone()), rotate(&ada, input));
    assert!(!works(&app, &first).await);
    assert!(works(&app, &one).await && works(&app, &two).await);
}

#[tokio::test]
async fn bad_input_is_refused() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let (id, secret) = key(&ada).await;
    let unknown = "key_01h455vb4pex5vsknk084sn02q";
    let cases = [
        (json!({"id": ""}), "BAD_USER_INPUT", "input.id"),
        (
            json!({"id": "user_01h455vb4pex5vsknk084sn02q"}),
            "BAD_USER_INPUT",
            "input.id",
        ),
        (json!({"id": unknown}), "NOT_FOUND", "input.id"),
        (
            json!({"id": id, "overlap": "P9999Y"}),
            "BAD_USER_INPUT",
            "input.overlap",
        ),
        (
            json!({"id": id, "expiresAt": "2029-01-01T00:00:00Z"}),
            "BAD_USER_INPUT",
            "input.expiresAt",
        ),
    ];
    for (input, code, field) in cases {
        let error = ada.error(ROTATE, json!({"input": input})).await;
        assert_eq!(
            (error.0.as_str(), error.1.as_str()),
            (code, field),
            "{input} {}",
            error.2
        );
    }
    let answer = ada
        .gql(ROTATE, json!({"input": {"id": id, "overlap": "one hour"}}))
        .await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
        "{answer}"
    );
    assert!(works(&app, &secret).await);
}

#[tokio::test]
async fn who_takes_over_a_key_must_hold_what_it_holds() {
    let app = TestApp::new().await;
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let (manager, max) = app.user("max", InstanceRole::Member).await;
    let (_, viewer) = app.user("vera", InstanceRole::Viewer).await;
    let (id, _) = key(&ada).await;
    super::grant(&app, &user, "/models", "USE").await;
    super::grant(&app, &manager, "/users", "MANAGE").await;
    let input = json!({"input": {"id": id}});
    let (code, _, message) = max.error(ROTATE, input.clone()).await;
    assert_eq!(code, "FORBIDDEN");
    assert!(message.contains("/models"), "{message}");
    assert_eq!(viewer.error(ROTATE, input.clone()).await.0, "NOT_FOUND");
    assert_eq!(
        app.anonymous().error(ROTATE, input.clone()).await.0,
        "UNAUTHENTICATED"
    );
    // Once he holds it too, he may.
    super::grant(&app, &manager, "/models", "EDIT").await;
    rotate(&max, json!({"id": id})).await;
}
