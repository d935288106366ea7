//! What new users are where nothing else is said.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{refusal, set, team};
use crate::support::{Client, TestApp};

const CREATE: &str = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { role memberships { nodes { role team { slug } } } } } }";

async fn made(client: &Client, input: Value) -> Value {
    let mut data = client.data(CREATE, json!({ "input": input })).await;
    data["createUser"]["user"].take()
}

#[tokio::test]
async fn new_users_are_what_the_policy_says_unless_something_else_is_said() {
    let app = TestApp::new().await;
    let blue = team(&app, "blue", json!([])).await;
    let red = team(&app, "red", json!([])).await;
    let defaults = json!({"role": "VIEWER", "memberships": [{"team": blue, "role": "ADMIN"}]});
    set(&app, json!({ "userDefaults": defaults })).await;
    let admin = app.admin();
    let nodes = |nodes: Value| json!({ "nodes": nodes });
    let usual = nodes(json!([{"role": "ADMIN", "team": {"slug": "blue"}}]));
    assert_eq!(
        made(&admin, json!({"username": "one"})).await,
        json!({"role": "VIEWER", "memberships": usual})
    );
    assert_eq!(
        made(
            &admin,
            json!({"username": "two", "role": "MEMBER", "memberships": []})
        )
        .await,
        json!({"role": "MEMBER", "memberships": nodes(json!([]))})
    );
    let said = json!([{"role": "MEMBER", "team": {"slug": "red"}}]);
    assert_eq!(
        made(
            &admin,
            json!({"username": "three", "role": null, "memberships": [{"team": red}]})
        )
        .await,
        json!({"role": "VIEWER", "memberships": nodes(said)})
    );
    // A team that is deleted is no default any more, also where the policy is remembered.
    let leased = app.replica(1, None).await;
    let first = made(&leased.admin(), json!({"username": "four"})).await;
    assert_eq!(first["memberships"], usual);
    let delete = "mutation($id: ID!) { deleteTeam(input: {id: $id}) { deletedTeamId } }";
    admin.data(delete, json!({ "id": blue })).await;
    let later = made(&leased.admin(), json!({"username": "five"})).await;
    assert_eq!(later["memberships"], nodes(json!([])));
}

#[tokio::test]
async fn a_default_gives_nobody_what_its_maker_may_not_give() {
    let app = TestApp::new().await;
    let (clerk, as_clerk) = app.user("clerk", InstanceRole::Member).await;
    crate::users::world::grant(&app, &clerk.typed_id().to_string(), "/users", &["MANAGE"]).await;
    let blue = team(&app, "blue", json!([])).await;
    set(
        &app,
        json!({"userDefaults": {"memberships": [{"team": blue}]}}),
    )
    .await;
    let told = refusal(&as_clerk, CREATE, json!({"username": "new"})).await;
    assert!(
        told.starts_with("FORBIDDEN -: By the policy new users belong to teams"),
        "{told}"
    );
    let user = made(&as_clerk, json!({"username": "new", "memberships": []})).await;
    assert_eq!(user["role"], "MEMBER");
}
