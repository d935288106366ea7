//! Who sees which users: one by one, in lists, and in counts.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::grant;
use crate::support::{Client, TestApp};

async fn seen(client: &Client) -> Vec<String> {
    let found = client
        .data(
            "{ users(first: 100, orderBy: {field: USERNAME}) { totalCount nodes { username } } }",
            json!({}),
        )
        .await;
    let nodes = found["users"]["nodes"].as_array().unwrap();
    assert_eq!(found["users"]["totalCount"], nodes.len());
    nodes
        .iter()
        .map(|node| node["username"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn lists_and_counts_hold_whom_one_may_read() {
    let app = TestApp::new().await;
    let mut people = Vec::new();
    for name in ["ada", "bob", "cid", "dan"] {
        people.push(app.user(name, InstanceRole::Member).await);
    }
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    let (_, viewer) = app.user("vic", InstanceRole::Viewer).await;
    let id = |index: usize| people[index].0.typed_id().to_string();
    let as_ada = &people[0].1;
    let all = ["ada", "admin", "bob", "cid", "dan", "eve", "vic"];
    assert_eq!(seen(&app.admin()).await, all);
    assert_eq!(seen(&auditor).await, all);
    assert_eq!(seen(&viewer).await, ["vic"]);
    assert_eq!(seen(as_ada).await, ["ada"]);
    grant(&app, &id(0), &format!("/users/{}", id(1)), &["READ"]).await;
    assert_eq!(seen(as_ada).await, ["ada", "bob"]);
    // All but one.
    grant(&app, &id(0), "/users", &["READ"]).await;
    grant(&app, &id(0), &format!("/users/{}", id(2)), &["NO_ACCESS"]).await;
    assert_eq!(
        seen(as_ada).await,
        ["ada", "admin", "bob", "dan", "eve", "vic"]
    );
    // Through a team that both belong to.
    let make = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let members = json!([{"user": id(1)}, {"user": id(2)}]);
    app.admin()
        .data(
            make,
            json!({"input": {"slug": "t", "name": "T", "members": members}}),
        )
        .await;
    assert_eq!(seen(&people[1].1).await, ["bob", "cid"]);
    let (code, ..) = app
        .anonymous()
        .error("{ users { totalCount } }", json!({}))
        .await;
    assert_eq!(code, "UNAUTHENTICATED");
}

#[tokio::test]
async fn whom_one_may_not_see_does_not_exist() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let (bob, as_bob) = app.user("bob", InstanceRole::Member).await;
    let document = "query($id: ID!, $unknown: ID!, $name: String!, $email: String!) {
        id: user(by: {id: $id}) { username } name: user(by: {username: $name}) { username }
        email: user(by: {email: $email}) { username } node(id: $id) { id } nodes(ids: [$id, $unknown]) { id }
        search: users(filter: {search: $name}) { totalCount } }";
    let of_bob = json!({"id": bob.typed_id().to_string(), "unknown": "user_7zzzzzzzzzzzzzzzzzzzzzzzzz", "name": "BOB",
        "email": "Bob@Example.com"});
    let nothing = json!({"id": null, "name": null, "email": null, "node": null, "nodes": [null, null], "search": {"totalCount": 0}});
    assert_eq!(as_ada.data(document, of_bob.clone()).await, nothing);
    let found = as_bob.data(document, of_bob.clone()).await;
    for name in ["id", "name", "email"] {
        assert_eq!(found[name]["username"], json!("bob"));
    }
    assert_eq!(found["search"]["totalCount"], json!(1));
    // A member of one team sees the other, in every way.
    let make = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let members =
        json!([{"user": ada.typed_id().to_string()}, {"user": bob.typed_id().to_string()}]);
    app.admin()
        .data(
            make,
            json!({"input": {"slug": "t", "name": "T", "members": members}}),
        )
        .await;
    let found = as_ada.data(document, of_bob).await;
    assert_eq!(found["email"]["username"], json!("bob"));
    assert_ne!(found["node"], Value::Null);
    assert_eq!(found["nodes"][1], Value::Null);
}
