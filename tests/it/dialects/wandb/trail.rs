//! What the audit trail says of what was done through the dialect.

use serde_json::{Value, json};

use super::{ACCOUNT, CREATE_TEAM, CREATE_USER, GENERATE, call, data};
use crate::support::{Client, TestApp};

const TRAIL: &str = "query($n: Int!) { auditEvents(first: $n) { nodes { action via actorName onBehalfOf userAgent } } }";

async fn newest(client: &Client, count: usize) -> Value {
    let trail = client.data(TRAIL, json!({"n": count})).await;
    trail["auditEvents"]["nodes"].clone()
}

#[tokio::test]
async fn the_trail_names_the_dialect() {
    let app = TestApp::new().await;
    let admin = app.admin();
    data(&admin, CREATE_USER, json!({"email": "ada@example.com"})).await;
    let told = newest(&admin, 1).await;
    assert_eq!(
        told,
        json!([{"action": "user.create", "via": "wandb", "actorName": "admin", "onBehalfOf": null, "userAgent": null}])
    );
    data(&admin, CREATE_TEAM, json!({"teamName": "research"})).await;
    data(&admin, GENERATE, json!({})).await;
    data(
        &admin,
        ACCOUNT,
        json!({"entity": "research", "description": "CI"}),
    )
    .await;
    // Many at once are written in another way than one.
    let told = newest(&admin, 7).await;
    let all: Vec<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["via"].as_str().unwrap_or("null"))
        .collect();
    assert_eq!(all, ["wandb"; 7]);
    // Keystead's own has no name.
    admin
        .data(
            "mutation { createTeam(input: {slug: \"own\", name: \"own\"}) { team { id } } }",
            json!({}),
        )
        .await;
    assert_eq!(newest(&admin, 1).await[0]["via"], Value::Null);
}

#[tokio::test]
async fn for_whom_a_service_account_works_is_recorded_and_not_believed() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let made = call(&admin, CREATE_USER, json!({"email": "ada@example.com"}))
        .header("x-wandb-username", "")
        .header("x-wandb-user-email", "grace@example.com")
        .header("use-admin-privileges", "true")
        .header("user-agent", "W&B Public Client 0.31.0");
    assert_eq!(admin.send(made).await.status, 200);
    let told = &newest(&admin, 1).await[0];
    assert_eq!(told["onBehalfOf"], "grace@example.com");
    assert_eq!(told["userAgent"], "W&B Public Client 0.31.0");
    assert_eq!(told["actorName"], "admin");
}
