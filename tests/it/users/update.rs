//! `updateUser`.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{code, grant, trail};
use crate::support::TestApp;

const UPDATE: &str = "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user {
    username email name givenName familyName kind role enabled expiresAt comment metadata hasPassword createdAt updatedAt } } }";

#[tokio::test]
async fn absent_keeps_and_null_clears() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let id = ada.typed_id().to_string();
    let mut answers = Vec::new();
    for changes in [
        json!({}),
        json!({"username": "Ada.L", "email": "al@example.com", "name": "Ada", "givenName": "A", "familyName": "L",
            "role": "VIEWER", "enabled": false, "expiresAt": "2031-01-01T00:00:00Z", "comment": "a\nb", "metadata": {"a": null}}),
        json!({"enabled": true}),
        json!({"email": null, "name": null, "givenName": null, "familyName": null, "expiresAt": null, "comment": null,
            "metadata": null}),
    ] {
        app.app.clock.advance(chrono::TimeDelta::minutes(1));
        let mut input = changes;
        input["id"] = id.clone().into();
        answers.push(app.admin().gql(UPDATE, json!({ "input": input })).await);
    }
    insta::assert_json_snapshot!(answers);
    insta::assert_json_snapshot!(trail(&app, &id).await);
}

#[tokio::test]
async fn each_input_has_its_rule() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    app.user("bob", InstanceRole::Member).await;
    let id = ada.typed_id().to_string();
    let mut found = Vec::new();
    for changes in [
        json!({"username": null}),
        json!({"username": ""}),
        json!({"username": "BOB"}),
        json!({"username": "a b"}),
        json!({"email": ""}),
        json!({"email": "Bob@Example.com"}),
        json!({"email": "no address"}),
        json!({"name": ""}),
        json!({"givenName": "a\u{202e}b"}),
        json!({"familyName": "f".repeat(201)}),
        json!({"comment": "\u{0}"}),
        json!({"role": null}),
        json!({"role": "ROOT"}),
        json!({"enabled": null}),
        json!({"enabled": "yes"}),
        json!({"expiresAt": "2030-01-01T12:00:00Z"}),
        json!({"expiresAt": "1999-01-01T00:00:00Z"}),
        json!({"expiresAt": "+300000-01-01T00:00:00Z"}),
        json!({"expiresAt": "tomorrow"}),
        json!({"metadata": 7}),
        json!({"id": "user_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"id": "key_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"id": "ada"}),
        json!({"id": ""}),
        json!({"id": null}),
        json!({"surname": "x"}),
    ] {
        let mut input = json!({ "id": id });
        for (name, value) in changes.as_object().unwrap() {
            input[name] = value.clone();
        }
        let (code, field, message) = app.admin().error(UPDATE, json!({ "input": input })).await;
        found.push(format!("{code} {field}: {message}"));
    }
    insta::assert_json_snapshot!(found);
    assert_eq!(trail(&app, &id).await.len(), 1);
}

#[tokio::test]
async fn only_who_may_write_a_user_changes_it() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let (hr, as_hr) = app.user("hr", InstanceRole::Member).await;
    let (_, stranger) = app.user("fay", InstanceRole::Member).await;
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    let id = ada.typed_id().to_string();
    let hr = hr.typed_id().to_string();
    grant(&app, &hr, "/users", &["MANAGE"]).await;
    let input = json!({"input": {"id": id, "name": "New"}});
    for (client, expected) in [
        (app.anonymous(), "UNAUTHENTICATED"),
        (stranger, "NOT_FOUND"),
        (auditor, "FORBIDDEN"),
        (as_ada, "FORBIDDEN"),
    ] {
        let (code, _, message) = client.error(UPDATE, input.clone()).await;
        assert_eq!(code, expected, "{message}");
    }
    as_hr.data(UPDATE, input).await;
    // Nobody makes a user more than they are, and an administrator is changed by administrators.
    let mut found = Vec::new();
    for role in ["ADMIN", "AUDITOR"] {
        found.push(
            as_hr
                .error(UPDATE, json!({"input": {"id": id, "role": role}}))
                .await,
        );
    }
    let boss = app
        .user("boss", InstanceRole::Admin)
        .await
        .0
        .typed_id()
        .to_string();
    found.push(
        as_hr
            .error(
                UPDATE,
                json!({"input": {"id": boss, "email": "hr@example.org"}}),
            )
            .await,
    );
    insta::assert_json_snapshot!(found);
    as_hr
        .data(UPDATE, json!({"input": {"id": id, "role": "VIEWER"}}))
        .await;
    as_hr
        .data(UPDATE, json!({"input": {"id": id, "role": "MEMBER"}}))
        .await;
}

#[tokio::test]
async fn a_user_that_is_disabled_or_has_expired_cannot_sign_in() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let id = ada.typed_id().to_string();
    let ask = "{ users { totalCount } }";
    let change = async |changes: Value| {
        let mut input = changes;
        input["id"] = id.clone().into();
        app.admin().data(UPDATE, json!({ "input": input })).await;
    };
    assert_eq!(code(&as_ada.gql(ask, json!({})).await), "ok");
    change(json!({"enabled": false})).await;
    assert_eq!(code(&as_ada.gql(ask, json!({})).await), "UNAUTHENTICATED");
    change(json!({"enabled": true, "expiresAt": "2030-01-01T13:00:00Z"})).await;
    assert_eq!(code(&as_ada.gql(ask, json!({})).await), "ok");
    app.app.clock.advance(chrono::TimeDelta::minutes(61));
    assert_eq!(code(&as_ada.gql(ask, json!({})).await), "UNAUTHENTICATED");
    change(json!({"expiresAt": null})).await;
    assert_eq!(code(&as_ada.gql(ask, json!({})).await), "ok");
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let found = admin
        .data("{ user(by: {username: \"admin\"}) { id } }", json!({}))
        .await;
    let id = found["user"]["id"].as_str().unwrap().to_owned();
    let delete =
        "mutation($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }";
    let cases = [
        (UPDATE, json!({"id": id, "role": "MEMBER"})),
        (UPDATE, json!({"id": id, "enabled": false})),
        (
            UPDATE,
            json!({"id": id, "expiresAt": "2031-01-01T00:00:00Z"}),
        ),
        (delete, json!({"id": id})),
    ];
    let expected = (
        "CONFLICT".to_owned(),
        String::new(),
        "'admin' is the last administrator who can act. Make another one first.".to_owned(),
    );
    for (document, input) in &cases {
        assert_eq!(
            admin.error(document, json!({ "input": input })).await,
            expected
        );
    }
    // One who cannot act does not help.
    let (bob, as_bob) = app.user("bob", InstanceRole::Admin).await;
    let bob = bob.typed_id().to_string();
    admin
        .data(UPDATE, json!({"input": {"id": bob, "enabled": false}}))
        .await;
    for (document, input) in &cases {
        assert_eq!(
            admin.error(document, json!({ "input": input })).await,
            expected
        );
    }
    admin
        .data(UPDATE, json!({"input": {"id": bob, "enabled": true}}))
        .await;
    for (document, input) in &cases[1..] {
        as_bob.data(document, json!({ "input": input })).await;
    }
}
