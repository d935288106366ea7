//! How many statements operations on keys cost, exactly.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

/// Statements that the request costs, its sign-on among them.
async fn cost(app: &TestApp, client: &Client, document: &str, variables: Value) -> u64 {
    // Once before: the first use of a statement on a connection looks up types.
    client.data(document, variables.clone()).await;
    let before = app.app.db.statements();
    client.data(document, variables).await;
    app.app.db.statements() - before
}

#[tokio::test]
async fn reading_costs_one_statement_a_level() {
    let app = TestApp::new().await;
    for number in 0..12 {
        let (user, _) = app
            .user(&format!("user{number}"), InstanceRole::Member)
            .await;
        app.restricted(&user, &[("/a", "READ")]).await;
    }
    let admin = app.admin();
    let user = admin
        .data("{ user(by: {username: \"user3\"}) { id } }", json!({}))
        .await;
    let id = json!({"id": user["user"]["id"]});
    let one = "query($id: ID!) { user(by: {id: $id}) { username apiKeys { nodes { name } } teams { nodes { slug } } } }";
    assert_eq!(cost(&app, &admin, one, id.clone()).await, 1 + 3);
    let many = "{ users(first: 50) { nodes { username apiKeys(first: 5) { nodes { name } } } } }";
    assert_eq!(cost(&app, &admin, many, json!({})).await, 1 + 2);
    let many = "{ users(first: 50) { nodes { apiKeys(first: 5) { nodes { name } } teams(first: 5) { nodes { slug } } } } }";
    assert_eq!(cost(&app, &admin, many, json!({})).await, 1 + 3);
    let counted =
        "{ users(first: 50) { nodes { apiKeys(first: 5) { totalCount nodes { name } } } } }";
    assert_eq!(cost(&app, &admin, counted, json!({})).await, 1 + 3);
    let list = "{ apiKeys(first: 50) { nodes { name owner { username } createdBy { username } permissions { nodes { path } } } } }";
    assert_eq!(cost(&app, &admin, list, json!({})).await, 1 + 3);
}

#[tokio::test]
async fn changing_costs_one_transaction() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let generate = "mutation { generateApiKey(input: {}) { secret apiKey { id name } } }";
    // The sign-on; the policies, which are remembered under a lease alone; begin, key, audit, commit.
    assert_eq!(cost(&app, &ada, generate, json!({})).await, 3 + 4);
    let restricted = "mutation { generateApiKey(input: {permissions: [{path: \"/m\", role: \"READ\"}]}) { apiKey { id } } }";
    // The permissions' rows are one more.
    assert_eq!(cost(&app, &ada, restricted, json!({})).await, 3 + 5);
    let made = ada.data(generate, json!({})).await;
    let id = json!({"id": made["generateApiKey"]["apiKey"]["id"]});
    // The policy; the key; begin, the key locked, its facts, the change, audit, what changes announced, commit, who else is to know.
    let rotate = "mutation($id: ID!) { rotateApiKey(input: {id: $id}) { secret } }";
    assert_eq!(cost(&app, &ada, rotate, id.clone()).await, 2 + 9);
    let before = app.app.db.statements();
    ada.data(
        "mutation($id: ID!) { deleteApiKey(input: {id: $id}) { deletedApiKeyId } }",
        id,
    )
    .await;
    assert!(app.app.db.statements() - before <= 1 + 9);
}
