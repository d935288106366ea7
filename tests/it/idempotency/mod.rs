//! `Idempotency-Key`, over HTTP.

mod concurrency;
mod replay;
mod secrets;

use serde_json::{Value, json};

use crate::support::{Answer, Client};

const CREATE: &str =
    "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id username
    auditEvents { totalCount nodes { action } } } } }";

/// Sends a mutation under a key.
async fn send(client: &Client, key: &str, document: &str, variables: Value) -> Answer {
    let call = client
        .request("POST", "/graphql")
        .header("idempotency-key", key)
        .json(&json!({"query": document, "variables": variables}));
    client.send(call).await
}

fn named(username: &str) -> Value {
    json!({"input": {"username": username}})
}
