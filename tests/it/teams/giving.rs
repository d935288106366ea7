//! Nobody hands out more than they hold: through memberships, parents, and teams that are switched on.

use keystead::permissions::model::InstanceRole;
use keystead::users::model::User;
use serde_json::{Value, json};

use super::world::{ADD, DELETE, REMOVE, UPDATE, UPDATE_MEMBER, add, grant, member, team};
use crate::support::{Client, TestApp};

/// Somebody who may write every team and read every user, and holds nothing else.
async fn manager(app: &TestApp) -> (User, Client) {
    let (user, client) = app.user("manager", InstanceRole::Member).await;
    let id = user.typed_id().to_string();
    grant(app, &id, "/teams", &["MANAGE"]).await;
    grant(app, &id, "/users", &["READ"]).await;
    (user, client)
}

async fn lacks(client: &Client, document: &str, input: Value, what: &str) {
    let (code, _, message) = client.error(document, json!({ "input": input })).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "FORBIDDEN",
            format!("Nobody can hand out more than they hold: you lack {what}.").as_str()
        )
    );
}

#[tokio::test]
async fn a_member_gains_what_the_team_and_those_above_it_hold() {
    let app = TestApp::new().await;
    let (who, manager) = manager(&app).await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let top = team(&app, "top", None).await;
    let below = team(&app, "below", Some(&top)).await;
    grant(&app, &top, "/models", &["USE"]).await;
    let adding = member(&below, &ada, "MEMBER");
    lacks(&manager, ADD, adding.clone(), "*.read at /models").await;
    // A member of it already, but of lesser reach.
    grant(&app, &who.typed_id().to_string(), "/models", &["READ"]).await;
    lacks(&manager, ADD, adding.clone(), "*.use at /models").await;
    grant(&app, &who.typed_id().to_string(), "/models", &["USE"]).await;
    manager.data(ADD, json!({ "input": adding })).await;
}

#[tokio::test]
async fn a_role_in_the_team_is_a_right_too() {
    let app = TestApp::new().await;
    let (who, manager) = app.user("manager", InstanceRole::Member).await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let id = team(&app, "team", None).await;
    let path = format!("/teams/{id}");
    app.admin()
        .data(
            "mutation { createRole(input: {name: \"WRITER\", privileges: [\"team.read\", \"team.write\", \"user.read\"]}) { role { name } } }",
            json!({}),
        )
        .await;
    let manager_id = who.typed_id().to_string();
    grant(&app, &manager_id, &path, &["WRITER"]).await;
    grant(&app, &manager_id, "/users", &["READ"]).await;
    manager
        .data(ADD, json!({"input": member(&id, &ada, "MEMBER")}))
        .await;
    let promoting = member(&id, &ada, "ADMIN");
    lacks(
        &manager,
        UPDATE_MEMBER,
        promoting.clone(),
        &format!("apiKey.read at {path}"),
    )
    .await;
    grant(&app, &manager_id, &path, &["MANAGE"]).await;
    manager
        .data(UPDATE_MEMBER, json!({ "input": promoting }))
        .await;
}

#[tokio::test]
async fn a_new_parent_gives_its_rights_to_every_member_below() {
    let app = TestApp::new().await;
    let (who, manager) = manager(&app).await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let strong = team(&app, "strong", None).await;
    let middle = team(&app, "middle", None).await;
    let leaf = team(&app, "leaf", Some(&middle)).await;
    add(&app, &leaf, &ada, "MEMBER").await;
    grant(&app, &strong, "/models", &["USE"]).await;
    let moving = json!({"id": middle, "parent": strong});
    lacks(&manager, UPDATE, moving.clone(), "*.read at /models").await;
    // Where nobody is below, nobody gains.
    let empty = team(&app, "empty", None).await;
    manager
        .data(UPDATE, json!({"input": {"id": empty, "parent": strong}}))
        .await;
    grant(&app, &who.typed_id().to_string(), "/models", &["USE"]).await;
    manager.data(UPDATE, json!({ "input": moving })).await;
}

#[tokio::test]
async fn a_team_that_is_switched_on_gives_what_it_holds() {
    let app = TestApp::new().await;
    let (who, manager) = manager(&app).await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let id = team(&app, "team", None).await;
    app.admin()
        .data(UPDATE, json!({"input": {"id": id, "enabled": false}}))
        .await;
    grant(&app, &id, "/models", &["USE"]).await;
    manager
        .data(ADD, json!({"input": member(&id, &ada, "MEMBER")}))
        .await;
    let enabling = json!({"id": id, "enabled": true});
    lacks(&manager, UPDATE, enabling.clone(), "*.read at /models").await;
    grant(&app, &who.typed_id().to_string(), "/models", &["USE"]).await;
    manager.data(UPDATE, json!({ "input": enabling })).await;
}

/// A team may take away; who leaves it, or sees it go, gets that back.
#[tokio::test]
async fn what_a_team_hides_is_handed_out_by_whoever_takes_it_away() {
    let app = TestApp::new().await;
    let (who, manager) = manager(&app).await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let giving = team(&app, "giving", None).await;
    let hiding = team(&app, "hiding", None).await;
    let child = team(&app, "child", Some(&hiding)).await;
    add(&app, &giving, &ada, "MEMBER").await;
    add(&app, &child, &ada, "MEMBER").await;
    grant(&app, &giving, "/", &["USE"]).await;
    grant(&app, &hiding, "/models", &["NO_ACCESS"]).await;
    let what = "*.read at /models";
    let leaving = json!({"team": child, "user": ada.typed_id().to_string()});
    lacks(&manager, REMOVE, leaving.clone(), what).await;
    lacks(&manager, UPDATE, json!({"id": child, "parent": null}), what).await;
    lacks(
        &manager,
        UPDATE,
        json!({"id": child, "enabled": false}),
        what,
    )
    .await;
    lacks(&manager, DELETE, json!({"id": child}), what).await;
    grant(&app, &who.typed_id().to_string(), "/models", &["USE"]).await;
    manager
        .data(UPDATE, json!({"input": {"id": child, "enabled": false}}))
        .await;
    manager.data(REMOVE, json!({ "input": leaving })).await;
}

#[tokio::test]
async fn enabling_a_user_gives_what_its_teams_hold() {
    let app = TestApp::new().await;
    let (who, manager) = manager(&app).await;
    grant(&app, &who.typed_id().to_string(), "/users", &["MANAGE"]).await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let id = team(&app, "team", None).await;
    add(&app, &id, &ada, "MEMBER").await;
    grant(&app, &id, "/models", &["USE"]).await;
    let update =
        "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { enabled } } }";
    let ada = ada.typed_id().to_string();
    manager
        .data(update, json!({"input": {"id": ada, "enabled": false}}))
        .await;
    let enabling = json!({"id": ada, "enabled": true});
    lacks(&manager, update, enabling, "*.read at /models").await;
}
