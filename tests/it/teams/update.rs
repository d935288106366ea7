//! `updateTeam`: fields, rights, refusals.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{add, grant, team, trail};
use crate::support::TestApp;

const UPDATE: &str = "mutation($input: UpdateTeamInput!) { updateTeam(input: $input) { team {
    slug name description parent { slug } enabled metadata createdAt updatedAt } } }";

#[tokio::test]
async fn absent_keeps_and_null_clears() {
    let app = TestApp::new().await;
    let parent = team(&app, "parent", None).await;
    let other = team(&app, "other", None).await;
    let id = team(&app, "platform", Some(&parent)).await;
    let mut answers = Vec::new();
    for changes in [
        json!({}),
        json!({"description": "Runs it.", "metadata": {"a": 1}, "enabled": false, "name": " Plat\u{0065}\u{0301}form "}),
        json!({"slug": "plat", "parent": other}),
        json!({"description": null, "metadata": null, "parent": null}),
    ] {
        app.app.clock.advance(chrono::TimeDelta::minutes(1));
        let mut input = changes;
        input["id"] = id.clone().into();
        answers.push(app.admin().gql(UPDATE, json!({ "input": input })).await);
    }
    insta::assert_json_snapshot!(answers);
    insta::assert_json_snapshot!(trail(&app, &id).await, {
        "[].before.parent" => "[parent]", "[].after.parent" => "[parent]"
    });
}

#[tokio::test]
async fn what_must_be_cannot_be_null_and_rules_hold_as_when_it_is_made() {
    let app = TestApp::new().await;
    team(&app, "taken", None).await;
    let id = team(&app, "platform", None).await;
    let mut found = Vec::new();
    for changes in [
        json!({"slug": null}),
        json!({"name": null}),
        json!({"enabled": null}),
        json!({"slug": ""}),
        json!({"slug": "TAKEN"}),
        json!({"slug": "a b"}),
        json!({"name": ""}),
        json!({"name": "a\u{2066}b"}),
        json!({"description": "d".repeat(2001)}),
        json!({"metadata": "text"}),
        json!({"parent": ""}),
        json!({"parent": "user_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"parent": "team_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"id": "team_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"id": "key_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"id": ""}),
        json!({"id": null}),
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
async fn a_teams_admin_changes_it_and_its_member_does_not() {
    let app = TestApp::new().await;
    let (ada, as_admin) = app.user("ada", InstanceRole::Member).await;
    let (bob, as_member) = app.user("bob", InstanceRole::Member).await;
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    let (_, stranger) = app.user("fay", InstanceRole::Member).await;
    let id = team(&app, "platform", None).await;
    add(&app, &id, &ada, "ADMIN").await;
    add(&app, &id, &bob, "MEMBER").await;
    let input = json!({"input": {"id": id, "name": "New"}});
    for (client, expected) in [
        (app.anonymous(), "UNAUTHENTICATED"),
        (stranger, "NOT_FOUND"),
        (auditor, "FORBIDDEN"),
        (as_member, "FORBIDDEN"),
    ] {
        let (code, _, message) = client.error(UPDATE, input.clone()).await;
        assert_eq!(code, expected, "{message}");
    }
    let changed = as_admin.data(UPDATE, input).await;
    assert_eq!(changed["updateTeam"]["team"]["name"], json!("New"));
}

#[tokio::test]
async fn a_new_parent_must_be_the_actors_to_write() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let id = team(&app, "platform", None).await;
    let parent = team(&app, "parent", None).await;
    add(&app, &id, &ada, "ADMIN").await;
    let input = json!({"input": {"id": id, "parent": parent}});
    let (code, field, _) = as_ada.error(UPDATE, input.clone()).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("NOT_FOUND", "input.parent")
    );
    add(&app, &parent, &ada, "MEMBER").await;
    let (code, _, message) = as_ada.error(UPDATE, input.clone()).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    grant(
        &app,
        &ada.typed_id().to_string(),
        &format!("/teams/{parent}"),
        &["MANAGE"],
    )
    .await;
    let moved = as_ada.data(UPDATE, input.clone()).await;
    assert_eq!(
        moved["updateTeam"]["team"]["parent"]["slug"],
        json!("parent")
    );
    // What is no change needs no right.
    grant(
        &app,
        &ada.typed_id().to_string(),
        &format!("/teams/{parent}"),
        &[],
    )
    .await;
    as_ada.data(UPDATE, input).await;
    let away = json!({"input": {"id": id, "parent": null}});
    let moved = as_ada.data(UPDATE, away).await;
    assert_eq!(moved["updateTeam"]["team"]["parent"], Value::Null);
}
