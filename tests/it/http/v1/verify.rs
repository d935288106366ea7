//! `POST /v1/verify`: every answer there is.

use chrono::TimeDelta;
use keystead::api_keys::model::{ApiKey, NewApiKey};
use keystead::ctx::Random;
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use keystead::users::model::User;
use serde_json::{Value, json};

use super::{ask, redacted, service, verdict};
use crate::api_keys::{grant, team};
use crate::support::{Client, TestApp};

/// A key's form with a wrong checksum.
const WRONG: &str = "ks_0000000000000000000000000000000000000";

async fn key(app: &TestApp, owner: &User, new: NewApiKey) -> (ApiKey, String) {
    let new = NewApiKey {
        owner: Some(owner.id),
        ..new
    };
    let (key, client) = app.generate(new).await;
    (key, client.key().unwrap().to_owned())
}

/// Switches something by an administrator.
async fn set(app: &TestApp, kind: &str, input: Value) {
    let document = format!(
        "mutation($input: Update{kind}Input!) {{ update{kind}(input: $input) {{ __typename }} }}"
    );
    app.admin().data(&document, json!({"input": input})).await;
}

async fn code(service: &Client, body: Value) -> String {
    let answer = verdict(service, &body).await;
    assert_eq!(answer["valid"], answer["code"] == "VALID");
    answer["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_code_has_its_whole_answer() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let (ada, plain) = app.user_with_key("ada", InstanceRole::Member).await;
    grant(&app, &ada, "/models", "USE").await;
    let team_id = team(&app, "ml", &[(&ada, "ADMIN")]).await;
    let uuid = keystead::db::ids::Id::parse("id", &team_id).unwrap().uuid;
    let soon = app.ctx().now() + TimeDelta::hours(1);
    let of_team = NewApiKey {
        team: Some(uuid),
        expires_at: Some(soon),
        ..NewApiKey::default()
    };
    let (_, of_team) = key(&app, &ada, of_team).await;
    let (off, disabled) = key(&app, &ada, NewApiKey::default()).await;
    set(
        &app,
        "ApiKey",
        json!({"id": off.typed_id().to_string(), "enabled": false}),
    )
    .await;
    let (_, narrow) = app.restricted(&ada, &[("/models/gpt-4o", "USE")]).await;
    let elsewhere = NewApiKey {
        allowed_cidrs: vec!["192.0.2.0/24".parse().unwrap()],
        ..NewApiKey::default()
    };
    let (_, elsewhere) = key(&app, &ada, elsewhere).await;
    let unknown = Secret::generate_api_key(&Random::seeded(99));
    let model = |key: &str, model: &str| json!({"key": key, "privilege": "model.use", "path": format!("/models/{model}")});
    let mut answers = serde_json::Map::new();
    for (what, body) in [
        ("only whether it is good", json!({"key": plain})),
        ("what its owner holds", model(&plain, "gpt-4o")),
        (
            "what its owner does not hold",
            json!({"key": plain, "privilege": "model.edit", "path": "/models/a%20b"}),
        ),
        (
            "where nothing applies",
            json!({"key": plain, "privilege": "vm.use", "path": "/vms/100"}),
        ),
        (
            "a restricted key, within",
            model(narrow.key().unwrap(), "gpt-4o"),
        ),
        (
            "a restricted key, without",
            model(narrow.key().unwrap(), "other"),
        ),
        ("a team's key with an end", model(&of_team, "gpt-4o")),
        ("an administrator's", model(&app.admin_key, "gpt-4o")),
        ("a disabled key", model(&disabled, "gpt-4o")),
        (
            "from an address",
            json!({"key": elsewhere, "ip": "192.0.2.7"}),
        ),
        (
            "from another address",
            json!({"key": elsewhere, "ip": "198.51.100.1"}),
        ),
        ("from nobody knows where", json!({"key": elsewhere})),
        ("an unknown key", json!({"key": unknown.expose()})),
    ] {
        answers.insert(what.into(), redacted(&verdict(&service, &body).await));
    }
    app.app.clock.advance(TimeDelta::hours(1));
    let expired = verdict(&service, &model(&of_team, "gpt-4o")).await;
    answers.insert("an expired key".into(), redacted(&expired));
    insta::assert_json_snapshot!(answers);
}

#[tokio::test]
async fn switches_and_ends_of_key_owner_and_team_count_at_once() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let (ada, _) = app.user_with_key("ada", InstanceRole::Member).await;
    let team_id = team(&app, "ml", &[(&ada, "ADMIN")]).await;
    let uuid = keystead::db::ids::Id::parse("id", &team_id).unwrap().uuid;
    let new = NewApiKey {
        team: Some(uuid),
        ..NewApiKey::default()
    };
    let (made, secret) = key(&app, &ada, new).await;
    let (key_id, user_id) = (made.typed_id().to_string(), ada.typed_id().to_string());
    let ask = || code(&service, json!({"key": secret}));
    let owner = |more: Value| {
        let mut input = json!({"id": user_id, "allowTeamsWithoutAdmin": true});
        let members = input.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(ask().await, "VALID");
    for (kind, off, on, expected) in [
        (
            "ApiKey",
            json!({"id": key_id, "enabled": false}),
            json!({"id": key_id, "enabled": true}),
            "DISABLED",
        ),
        (
            "Team",
            json!({"id": team_id, "enabled": false}),
            json!({"id": team_id, "enabled": true}),
            "DISABLED",
        ),
        (
            "User",
            owner(json!({"enabled": false})),
            owner(json!({"enabled": true})),
            "DISABLED",
        ),
    ] {
        set(&app, kind, off).await;
        assert_eq!(ask().await, expected, "{kind}");
        set(&app, kind, on).await;
        assert_eq!(ask().await, "VALID", "{kind}");
    }
    set(
        &app,
        "User",
        owner(json!({"expiresAt": "2030-01-01T13:00:00Z"})),
    )
    .await;
    assert_eq!(ask().await, "VALID");
    app.app.clock.advance(TimeDelta::hours(1));
    assert_eq!(ask().await, "EXPIRED");
    set(&app, "User", owner(json!({"expiresAt": null}))).await;
    assert_eq!(ask().await, "VALID");
    app.admin()
        .data(
            "mutation($id: ID!) { deleteApiKey(input: {id: $id}) { deletedApiKeyId } }",
            json!({"id": key_id}),
        )
        .await;
    assert_eq!(ask().await, "NOT_FOUND");
}

#[tokio::test]
async fn the_answer_says_which_secret_was_used() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let (ada, _) = app.user_with_key("ada", InstanceRole::Member).await;
    let (made, old) = key(&app, &ada, NewApiKey::default()).await;
    let rotated = app
        .admin()
        .data(
            "mutation($id: ID!) { rotateApiKey(input: {id: $id, overlap: \"PT1H\"}) { secret } }",
            json!({"id": made.typed_id().to_string()}),
        )
        .await;
    let new = rotated["rotateApiKey"]["secret"].as_str().unwrap();
    let used = async |secret: &str| {
        let answer = verdict(&service, &json!({"key": secret})).await;
        [
            &answer["code"],
            &answer["secret"],
            &answer["secretExpiresAt"],
        ]
        .map(Clone::clone)
    };
    assert_eq!(
        used(new).await,
        [json!("VALID"), json!("CURRENT"), Value::Null]
    );
    let previous = [
        json!("VALID"),
        json!("PREVIOUS"),
        json!("2030-01-01T13:00:00Z"),
    ];
    assert_eq!(used(&old).await, previous);
    app.app
        .clock
        .advance(TimeDelta::hours(1) - TimeDelta::microseconds(1));
    assert_eq!(used(&old).await, previous);
    app.app.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(
        used(&old).await,
        [json!("NOT_FOUND"), Value::Null, Value::Null]
    );
    assert_eq!(
        used(new).await,
        [json!("VALID"), json!("CURRENT"), Value::Null]
    );
}

#[tokio::test]
async fn a_hundred_checks_share_one_statement_and_keep_their_order() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let mut keys = Vec::new();
    for number in 0..20 {
        let (user, key) = app
            .user_with_key(&format!("user{number}"), InstanceRole::Member)
            .await;
        keys.push((user.typed_id().to_string(), key));
    }
    let checks: Vec<Value> = (0..100)
        .map(|number| match number % 25 {
            20 => json!({"key": WRONG}),
            place if place > 20 => json!({"key": keys[0].1, "privilege": "a.read", "path": "/a"}),
            place => json!({"key": keys[place].1}),
        })
        .collect();
    let body = json!({"checks": checks});
    assert!(super::openapi::takes("/v1/verify", &body));
    ask(&service, &body).await;
    let before = app.app.db.statements();
    let answer = ask(&service, &body).await;
    // The service's own key, and all of theirs.
    assert_eq!(app.app.db.statements() - before, 2);
    let results = answer.json()["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), 100);
    for (number, result) in results.iter().enumerate() {
        let (code, owner) = match number % 25 {
            20 => ("NOT_FOUND", Value::Null),
            place if place > 20 => ("FORBIDDEN", json!(keys[0].0)),
            place => ("VALID", json!(keys[place].0)),
        };
        assert_eq!(
            (&result["code"], &result["owner"]),
            (&json!(code), &owner),
            "{number}"
        );
    }
    // What stands beside the list holds for each that says nothing else.
    let body = json!({"key": keys[3].1, "checks": [{}, {"key": keys[4].1}]});
    let results = ask(&service, &body).await.json();
    assert_eq!(results["results"][0]["owner"], keys[3].0);
    assert_eq!(results["results"][1]["owner"], keys[4].0);
}

#[tokio::test]
async fn a_wrong_checksum_costs_no_statement_and_a_verified_key_was_used() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let (ada, _) = app.user_with_key("ada", InstanceRole::Member).await;
    let (made, secret) = key(&app, &ada, NewApiKey::default()).await;
    let wrong = json!({"key": WRONG});
    assert_eq!(code(&service, wrong.clone()).await, "NOT_FOUND");
    let before = app.app.db.statements();
    assert_eq!(code(&service, wrong).await, "NOT_FOUND");
    // The service's own key.
    assert!(app.app.db.statements() - before <= 1);
    app.app.flush_last_used().await.unwrap();
    let used = "query($id: ID!) { apiKey(by: {id: $id}) { lastUsedAt lastUsedFrom } }";
    let id = json!({"id": made.typed_id().to_string()});
    let found = app.admin().data(used, id.clone()).await;
    assert_eq!(
        found["apiKey"],
        json!({"lastUsedAt": null, "lastUsedFrom": null})
    );
    code(&service, json!({"key": secret, "ip": "2001:db8::7"})).await;
    app.app.flush_last_used().await.unwrap();
    let found = app.admin().data(used, id).await;
    let expected = json!({"lastUsedAt": "2030-01-01T12:00:00Z", "lastUsedFrom": "2001:db8::7"});
    assert_eq!(found["apiKey"], expected);
}
