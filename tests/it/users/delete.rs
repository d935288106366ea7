//! `deleteUser`.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{code, grant, trail};
use crate::support::TestApp;

const DELETE: &str =
    "mutation($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }";

#[tokio::test]
async fn a_user_goes_with_its_keys_memberships_and_permissions_and_the_trail_stays() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let id = ada.typed_id().to_string();
    grant(&app, &id, "/models", &["USE"]).await;
    let team = admin
        .data(
            "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }",
            json!({"input": {"slug": "t", "name": "T", "members": [{"user": id}]}}),
        )
        .await;
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let answer = admin.gql(DELETE, json!({"input": {"id": id}})).await;
    assert_eq!(
        answer,
        json!({"data": {"deleteUser": {"deletedUserId": id}}})
    );
    let left = admin
        .data(
            "query($team: ID!, $id: ID!) { user(by: {id: $id}) { id } node(id: $id) { id } apiKeys { totalCount }
                permissions { totalCount } team(by: {id: $team}) { members { totalCount } } }",
            json!({"team": team["createTeam"]["team"]["id"], "id": id}),
        )
        .await;
    assert_eq!(
        left,
        json!({"user": null, "node": null, "apiKeys": {"totalCount": 1}, "permissions": {"totalCount": 0},
            "team": {"members": {"totalCount": 0}}})
    );
    assert_eq!(
        code(&as_ada.gql("{ users { totalCount } }", json!({})).await),
        "UNAUTHENTICATED"
    );
    let trail = trail(&app, &id).await;
    assert!(
        trail
            .iter()
            .any(|event| event["action"] == json!("user.create"))
    );
    let last = trail.last().unwrap();
    assert_eq!(last["action"], json!("user.delete"));
    assert_eq!(last["before"]["username"], json!("ada"));
    assert_eq!(last["after"], Value::Null);
    // The name is free again.
    app.user("ada", InstanceRole::Member).await;
}

#[tokio::test]
async fn only_who_may_write_a_user_deletes_it() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let (hr, as_hr) = app.user("hr", InstanceRole::Member).await;
    let (_, stranger) = app.user("fay", InstanceRole::Member).await;
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    let (boss, _) = app.user("boss", InstanceRole::Admin).await;
    let id = ada.typed_id().to_string();
    grant(&app, &hr.typed_id().to_string(), "/users", &["MANAGE"]).await;
    let input = json!({"input": {"id": id}});
    for (client, expected) in [
        (app.anonymous(), "UNAUTHENTICATED"),
        (stranger, "NOT_FOUND"),
        (auditor, "FORBIDDEN"),
        (as_ada, "FORBIDDEN"),
    ] {
        let (code, _, message) = client.error(DELETE, input.clone()).await;
        assert_eq!(code, expected, "{message}");
    }
    let (code, _, message) = as_hr
        .error(
            DELETE,
            json!({"input": {"id": boss.typed_id().to_string()}}),
        )
        .await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    for (wrong, expected) in [
        ("", "BAD_USER_INPUT"),
        ("ada", "BAD_USER_INPUT"),
        ("team_7zzzzzzzzzzzzzzzzzzzzzzzzz", "BAD_USER_INPUT"),
        ("user_7zzzzzzzzzzzzzzzzzzzzzzzzz", "NOT_FOUND"),
        ("user_8zzzzzzzzzzzzzzzzzzzzzzzzz", "BAD_USER_INPUT"),
        ("USER_7zzzzzzzzzzzzzzzzzzzzzzzzz", "BAD_USER_INPUT"),
    ] {
        let (code, field, message) = as_hr.error(DELETE, json!({"input": {"id": wrong}})).await;
        assert_eq!(
            (code.as_str(), field.as_str()),
            (expected, "input.id"),
            "{message}"
        );
    }
    as_hr.data(DELETE, input.clone()).await;
    let (code, ..) = as_hr.error(DELETE, input).await;
    assert_eq!(code, "NOT_FOUND");
}
