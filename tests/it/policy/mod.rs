//! The policy for new users and for keys.

mod defaults;
mod every_way;
mod keys;
mod manage;

use serde_json::{Value, json};

use crate::support::{Client, TestApp, told};

const UPDATE: &str =
    "mutation($input: UpdatePolicyInput!) { updatePolicy(input: $input) { changed policy {
    userDefaults { role memberships { role team { slug } } }
    apiKeys { personalKeyMakers teamKeyMakers requiredFields maxLifetimeSeconds maxPerUser } } } }";
const GENERATE: &str = "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { apiKey { id expiresAt } } }";

/// Changes the policy, as an administrator.
async fn set(app: &TestApp, input: Value) -> Value {
    let mut data = app.admin().data(UPDATE, json!({ "input": input })).await;
    data["updatePolicy"].take()
}

/// A refusal on a line: code, field and message.
async fn refusal(client: &Client, document: &str, input: Value) -> String {
    told(&client.gql(document, json!({ "input": input })).await)
}

/// A team of that slug with these members; its id.
async fn team(app: &TestApp, slug: &str, members: Value) -> String {
    let create = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let input = json!({"input": {"slug": slug, "name": slug, "members": members}});
    let data = app.admin().data(create, input).await;
    data["createTeam"]["team"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}
