//! Access requests: asking, deciding, and what is given.

mod ask;
mod ends;
mod faults;
mod mails;
mod review;
mod seen;

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

pub use crate::support::told;
use crate::support::{Client, TestApp};

const SHAPE: &str = "accessRequest { id status user { username } permissions { path propagate role { name } }
    membership { role team { slug } } justification until createdAt expiresAt decidedAt decidedBy { username } reason
    granted { until permissions { path propagate role { name } } membership { role team { slug } } } }";
const LIST: &str = "query($filter: AccessRequestFilter) { accessRequests(filter: $filter) { totalCount nodes { id status user { username } } } }";

async fn send(client: &Client, name: &str, input: Value) -> Value {
    let mut kind = name.to_owned();
    kind[..1].make_ascii_uppercase();
    let document =
        format!("mutation($input: {kind}Input!) {{ {name}(input: $input) {{ {SHAPE} }} }}");
    let mut answer = client.gql(&document, json!({ "input": input })).await;
    match answer["errors"].is_null() {
        true => answer["data"][name]["accessRequest"].take(),
        false => answer,
    }
}

async fn ask(client: &Client, input: Value) -> Value {
    send(client, "requestAccess", input).await
}

async fn review(client: &Client, input: Value) -> Value {
    send(client, "reviewAccessRequest", input).await
}

/// A request of that role at that path; its id.
async fn asked(client: &Client, path: &str, role: &str) -> String {
    let input =
        json!({"permissions": [{"path": path, "role": role}], "justification": "for the launch"});
    id(&ask(client, input).await)
}

fn id(request: &Value) -> String {
    let id = request["id"].as_str();
    id.unwrap_or_else(|| panic!("{request}")).to_owned()
}

async fn approve(client: &Client, id: &str) -> Value {
    review(client, json!({"id": id, "decision": "APPROVE"})).await
}

async fn deny(client: &Client, id: &str) -> Value {
    review(
        client,
        json!({"id": id, "decision": "DENY", "reason": "not this week"}),
    )
    .await
}

/// Whether that client may, asked by itself.
async fn may(client: &Client, privilege: &str, path: &str) -> bool {
    let check = "query($privilege: String!, $path: String!) { checkPermission(privilege: $privilege, path: $path) { allowed } }";
    let answer = client
        .data(check, json!({"privilege": privilege, "path": path}))
        .await;
    answer["checkPermission"]["allowed"].as_bool().unwrap()
}

/// Users: `ada`, who asks, and `boss`, who manages `/models`, with the typed id of each.
async fn people(app: &TestApp) -> ((String, Client), (String, Client)) {
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let (boss, as_boss) = app.user("boss", InstanceRole::Member).await;
    let boss = boss.typed_id().to_string();
    crate::users::world::grant(app, &boss, "/models", &["MANAGE"]).await;
    ((ada.typed_id().to_string(), as_ada), (boss, as_boss))
}

/// A team of that slug with that admin; its id.
async fn team(app: &TestApp, slug: &str, admin: &str) -> String {
    let create = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let input = json!({"input": {"slug": slug, "name": slug, "members": [{"user": admin, "role": "ADMIN"}]}});
    let data = app.admin().data(create, input).await;
    data["createTeam"]["team"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Ids of the requests that a client sees.
async fn listed(client: &Client, filter: Value) -> Vec<String> {
    let data = client.data(LIST, json!({ "filter": filter })).await;
    let list = &data["accessRequests"];
    let nodes = list["nodes"].as_array().unwrap();
    assert_eq!(list["totalCount"], nodes.len(), "{list}");
    nodes.iter().map(id).collect()
}
