//! `/v1`: what services and proxies ask.

mod authorize;
mod leaked;
mod malformed;
pub mod openapi;
mod proxies;
mod ratelimit;
mod rights;
mod same;
mod straight;
mod verify;

use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp};

/// A service that may verify keys. Everything that makes it one goes over the API, as an administrator would do it.
pub async fn service(app: &TestApp) -> Client {
    let admin = app.admin();
    let made = admin
        .data(
            "mutation { createUser(input: {username: \"gateway\", kind: SERVICE, apiKey: {name: \"gateway\"}}) { user { id } secret }
                createRole(input: {name: \"VERIFIER\", privileges: [\"apiKey.verify\"]}) { role { id } } }",
            json!({}),
        )
        .await;
    let id = &made["createUser"]["user"]["id"];
    admin
        .data(
            "mutation($id: ID!) { updatePermission(input: {principal: $id, path: \"/\", roles: [{role: \"VERIFIER\", propagate: false}]}) { added } }",
            json!({"id": id}),
        )
        .await;
    app.with_key(made["createUser"]["secret"].as_str().unwrap())
}

/// Asks `/v1/verify`; the answer is held against the document.
pub async fn ask(client: &Client, body: &Value) -> Answer {
    let answer = client
        .send(client.request("POST", "/v1/verify").json(body))
        .await;
    openapi::described("post", "/v1/verify", &answer);
    answer
}

/// What is answered to one question.
pub async fn verdict(client: &Client, body: &Value) -> Value {
    let answer = ask(client, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// A value with what is random in it replaced: ids, and names that are made of secrets.
pub fn redacted(value: &Value) -> Value {
    let ids = regex::Regex::new("(user|key|team|perm|rsv)_[0-9a-z]{26}").unwrap();
    // A key that was given no name is called by its prefix.
    let names = regex::Regex::new("The key ks_[0-9A-Za-z]{4} ").unwrap();
    let text = value.to_string();
    let text = ids.replace_all(&text, "${1}_[id]");
    serde_json::from_str(&names.replace_all(&text, "The key [prefix] ")).unwrap()
}
