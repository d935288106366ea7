//! `deleteTeam`.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{DELETE, add, grant, team, trail};
use crate::support::TestApp;

#[tokio::test]
async fn a_team_goes_with_all_that_is_its_own() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let id = team(&app, "platform", None).await;
    add(&app, &id, &ada, "ADMIN").await;
    grant(&app, &id, "/models", &["USE"]).await;
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let answer = app.admin().gql(DELETE, json!({"input": {"id": id}})).await;
    assert_eq!(
        answer,
        json!({"data": {"deleteTeam": {"deletedTeamId": id}}})
    );
    let left = as_ada
        .data(
            "{ user(by: {username: \"ada\"}) { memberships { totalCount } } teams { totalCount } }",
            json!({}),
        )
        .await;
    assert_eq!(left["user"]["memberships"]["totalCount"], json!(0));
    assert_eq!(left["teams"]["totalCount"], json!(0));
    let rows = app
        .admin()
        .data("{ permissions { totalCount } }", json!({}))
        .await;
    assert_eq!(rows["permissions"]["totalCount"], json!(0));
    let trail = trail(&app, &id).await;
    let mut last = trail.iter().rev();
    let mut is_last = |action: &str| {
        let event = last.next().unwrap();
        assert_eq!(event["action"], json!(action));
        assert_eq!(event["after"], Value::Null);
    };
    is_last("teamMember.remove");
    is_last("team.delete");
    let again = app
        .admin()
        .error(DELETE, json!({"input": {"id": id}}))
        .await;
    assert_eq!(again.0, "NOT_FOUND");
}

#[tokio::test]
async fn a_team_with_children_stays() {
    let app = TestApp::new().await;
    let id = team(&app, "platform", None).await;
    let child = team(&app, "child", Some(&id)).await;
    let refused = app
        .admin()
        .error(DELETE, json!({"input": {"id": id}}))
        .await;
    assert_eq!(
        refused,
        (
            "CONFLICT".into(),
            "".into(),
            "There are teams below 'platform'. Delete them first, or give them another parent."
                .into()
        )
    );
    for id in [child, id] {
        app.admin().data(DELETE, json!({"input": {"id": id}})).await;
    }
}

#[tokio::test]
async fn only_who_may_write_a_team_deletes_it() {
    let app = TestApp::new().await;
    let (ada, as_admin) = app.user("ada", InstanceRole::Member).await;
    let (bob, as_member) = app.user("bob", InstanceRole::Member).await;
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    let (_, stranger) = app.user("fay", InstanceRole::Member).await;
    let id = team(&app, "platform", None).await;
    add(&app, &id, &ada, "ADMIN").await;
    add(&app, &id, &bob, "MEMBER").await;
    let input = json!({"input": {"id": id}});
    for (client, expected) in [
        (app.anonymous(), "UNAUTHENTICATED"),
        (stranger, "NOT_FOUND"),
        (auditor, "FORBIDDEN"),
        (as_member, "FORBIDDEN"),
    ] {
        let (code, _, message) = client.error(DELETE, input.clone()).await;
        assert_eq!(code, expected, "{message}");
    }
    for wrong in ["", "platform", "user_7zzzzzzzzzzzzzzzzzzzzzzzzz"] {
        let (code, field, _) = as_admin
            .error(DELETE, json!({"input": {"id": wrong}}))
            .await;
        assert_eq!(
            (code.as_str(), field.as_str()),
            ("BAD_USER_INPUT", "input.id")
        );
    }
    as_admin.data(DELETE, input).await;
}
