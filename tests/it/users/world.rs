//! What the tests of users begin with.

use serde_json::{Value, json};

use crate::support::TestApp;

/// The code of an answer's first error; `ok` without one.
pub fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("ok")
}

/// Grants roles at a path, by the administrator.
pub async fn grant(app: &TestApp, principal: &str, path: &str, roles: &[&str]) {
    let roles: Vec<Value> = roles.iter().map(|role| json!({"role": role})).collect();
    let input = json!({"principal": principal, "path": path, "roles": roles});
    app.admin()
        .data(
            "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { added removed } }",
            json!({"input": input}),
        )
        .await;
}

/// Actions and contents of the events whose target is that, oldest first.
pub async fn trail(app: &TestApp, target: &str) -> Vec<Value> {
    let found = app
        .admin()
        .data(
            "query($target: ID!) { auditEvents(first: 100, filter: {target: $target}, orderBy: {direction: ASC}) {
                nodes { action before after } } }",
            json!({"target": target}),
        )
        .await;
    found["auditEvents"]["nodes"].as_array().unwrap().clone()
}
