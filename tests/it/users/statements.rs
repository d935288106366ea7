//! How many statements each operation on users sends; a changing one also BEGIN and COMMIT.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::grant;
use crate::support::{Client, TestApp};

/// Statements of one request, without those that find out who is calling.
async fn count(client: &Client, app: &TestApp, document: &str, variables: Value) -> u64 {
    let before = app.app.db.statements();
    client.data(document, variables).await;
    let sent = app.app.db.statements() - before;
    let before = app.app.db.statements();
    client.data("{ __typename }", json!({})).await;
    sent - (app.app.db.statements() - before)
}

#[tokio::test]
async fn reads_and_changes_send_these() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let (hr, as_hr) = app.user("hr", InstanceRole::Member).await;
    for path in ["/users", "/teams"] {
        grant(&app, &hr.typed_id().to_string(), path, &["MANAGE"]).await;
    }
    let (ada, bob) = (ada.typed_id().to_string(), bob.typed_id().to_string());
    let make = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let members = json!([{"user": ada}, {"user": bob}]);
    let team = app
        .admin()
        .data(
            make,
            json!({"input": {"slug": "t", "name": "T", "members": members}}),
        )
        .await;
    let team = team["createTeam"]["team"]["id"].clone();
    let create =
        "mutation($input: CreateUserInput!) { createUser(input: $input) { user { username } } }";
    let update =
        "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { username } } }";
    let delete =
        "mutation($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }";
    let by_id = "query($id: ID!) { user(by: {id: $id}) { username } }";
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let in_team = "query($team: ID!) { users(filter: {team: $team}) { nodes { username } } }";
    let admin = app.admin();
    let mut found = Vec::new();
    for (case, client, document, variables) in [
        ("user by id", &admin, by_id, json!({"id": ada})),
        ("user by id, oneself", &as_ada, by_id, json!({"id": ada})),
        (
            "user by id, through a team",
            &as_ada,
            by_id,
            json!({"id": bob}),
        ),
        (
            "user by username",
            &admin,
            "{ user(by: {username: \"ada\"}) { username } }",
            json!({}),
        ),
        (
            "user by email",
            &admin,
            "{ user(by: {email: \"ada@example.com\"}) { username } }",
            json!({}),
        ),
        (
            "users",
            &admin,
            "{ users { nodes { username } } }",
            json!({}),
        ),
        (
            "users, counted",
            &admin,
            "{ users { totalCount nodes { username } } }",
            json!({}),
        ),
        (
            "users, by a member",
            &as_ada,
            "{ users { nodes { username } } }",
            json!({}),
        ),
        (
            "users of a team, by a member",
            &as_ada,
            in_team,
            json!({"team": team}),
        ),
        (
            "nodes, by a member",
            &as_ada,
            nodes,
            json!({"ids": [ada, bob, hr.typed_id().to_string()]}),
        ),
        (
            "createUser",
            &admin,
            create,
            json!({"input": {"username": "new"}}),
        ),
        (
            "createUser by a manager",
            &as_hr,
            create,
            json!({"input": {"username": "new2"}}),
        ),
        (
            "updateUser name",
            &admin,
            update,
            json!({"input": {"id": ada, "name": "A"}}),
        ),
        (
            "updateUser name by a manager",
            &as_hr,
            update,
            json!({"input": {"id": ada, "name": "B"}}),
        ),
        (
            "updateUser disabled",
            &admin,
            update,
            json!({"input": {"id": ada, "enabled": false}}),
        ),
        (
            "updateUser enabled by a manager",
            &as_hr,
            update,
            json!({"input": {"id": ada, "enabled": true}}),
        ),
        ("deleteUser", &admin, delete, json!({"input": {"id": ada}})),
        (
            "deleteUser by a manager",
            &as_hr,
            delete,
            json!({"input": {"id": bob}}),
        ),
    ] {
        found.push(format!(
            "{case}: {}",
            count(client, &app, document, variables).await
        ));
    }
    insta::assert_json_snapshot!(found);
}
