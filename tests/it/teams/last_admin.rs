//! A team's last admin does not vanish unnoticed.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{REMOVE, UPDATE_MEMBER, add, grant, member, team};
use crate::support::{Client, TestApp};

const UPDATE_USER: &str = "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { enabled expiresAt } } }";
const DELETE_USER: &str =
    "mutation($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }";

async fn refused(client: &Client, document: &str, input: &Value, teams: &str) {
    let refused = client.error(document, json!({ "input": input })).await;
    assert_eq!(
        refused,
        (
            "CONFLICT".into(),
            "".into(),
            format!(
                "This would leave {teams} without an admin who can act. Make another admin first, or say \
                 allowTeamsWithoutAdmin: true."
            )
        )
    );
}

#[tokio::test]
async fn the_last_admin_is_neither_demoted_nor_removed_nor_disabled_nor_expired_nor_deleted() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let one = team(&app, "one", None).await;
    let two = team(&app, "two", None).await;
    for id in [&one, &two] {
        add(&app, id, &ada, "ADMIN").await;
        add(&app, id, &bob, "MEMBER").await;
    }
    let admin = app.admin();
    let id = ada.typed_id().to_string();
    let cases = [
        (
            UPDATE_MEMBER,
            member(&one, &ada, "MEMBER"),
            "the team 'one'",
        ),
        (REMOVE, json!({"team": two, "user": id}), "the team 'two'"),
        (
            UPDATE_USER,
            json!({"id": id, "enabled": false}),
            "the teams 'one', 'two'",
        ),
        (
            UPDATE_USER,
            json!({"id": id, "expiresAt": "2031-01-01T00:00:00Z"}),
            "the teams 'one', 'two'",
        ),
        (DELETE_USER, json!({"id": id}), "the teams 'one', 'two'"),
    ];
    for (document, input, teams) in &cases {
        refused(&admin, document, input, teams).await;
    }
    // With another admin in one of them, the other is still named.
    admin
        .data(UPDATE_MEMBER, json!({"input": member(&one, &bob, "ADMIN")}))
        .await;
    refused(&admin, DELETE_USER, &json!({"id": id}), "the team 'two'").await;
    admin
        .data(
            UPDATE_MEMBER,
            json!({"input": member(&one, &ada, "MEMBER")}),
        )
        .await;
    // It may be said.
    for (document, input, _) in &cases[1..] {
        let mut input = input.clone();
        input["allowTeamsWithoutAdmin"] = true.into();
        admin.data(document, json!({ "input": input })).await;
    }
}

#[tokio::test]
async fn an_admin_who_cannot_act_does_not_count() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let id = team(&app, "team", None).await;
    add(&app, &id, &ada, "ADMIN").await;
    add(&app, &id, &bob, "ADMIN").await;
    let admin = app.admin();
    let (ada, bob) = (ada.typed_id().to_string(), bob.typed_id().to_string());
    let until = |user: &str, end: &str| json!({"id": user, "expiresAt": end});
    // bob goes in June, so ada may not go later than that; before it she may.
    admin
        .data(
            UPDATE_USER,
            json!({"input": until(&bob, "2030-06-01T00:00:00Z")}),
        )
        .await;
    for end in ["2030-06-01T00:00:00Z", "2030-07-01T00:00:00Z"] {
        refused(&admin, UPDATE_USER, &until(&ada, end), "the team 'team'").await;
    }
    admin
        .data(
            UPDATE_USER,
            json!({"input": until(&ada, "2030-05-01T00:00:00Z")}),
        )
        .await;
    // Longer is never refused, and other changes have nothing to do with it.
    admin
        .data(
            UPDATE_USER,
            json!({"input": until(&ada, "2030-05-02T00:00:00Z")}),
        )
        .await;
    admin
        .data(UPDATE_USER, json!({"input": {"id": bob, "name": "Bob"}}))
        .await;
    app.app.clock.advance(chrono::TimeDelta::days(140));
    // In May ada has expired: bob is the last.
    refused(
        &admin,
        UPDATE_USER,
        &json!({"id": bob, "enabled": false}),
        "the team 'team'",
    )
    .await;
    refused(
        &admin,
        REMOVE,
        &json!({"team": id, "user": bob}),
        "the team 'team'",
    )
    .await;
    // She herself may go: she was of no use to it.
    admin.data(DELETE_USER, json!({"input": {"id": ada}})).await;
}

#[tokio::test]
async fn teams_that_the_actor_may_not_see_are_counted_and_not_named() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (hr, as_hr) = app.user("hr", InstanceRole::Member).await;
    grant(&app, &hr.typed_id().to_string(), "/users", &["MANAGE"]).await;
    let hidden = team(&app, "hidden", None).await;
    add(&app, &hidden, &ada, "ADMIN").await;
    let leaving = json!({"id": ada.typed_id().to_string()});
    refused(&as_hr, DELETE_USER, &leaving, "1 team that you may not see").await;
    let seen = team(&app, "seen", None).await;
    add(&app, &seen, &ada, "ADMIN").await;
    add(&app, &seen, &hr, "MEMBER").await;
    refused(
        &as_hr,
        DELETE_USER,
        &leaving,
        "the teams 'seen' and 1 that you may not see",
    )
    .await;
}
