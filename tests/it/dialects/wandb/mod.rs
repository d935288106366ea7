//! The dialect of wandb, over HTTP as its client speaks it. tests/clients/wandb drives the client itself.

mod accounts;
mod contract;
mod keys;
mod organizations;
mod refusals;
mod registries;
mod statements;
mod teams;
mod trail;
mod users;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Answer, Call, Client, TestApp};

const PATH: &str = "/wandb/graphql";

const USER: &str = "fragment U on User { id name username email admin flags entity deletedAt
    apiKeys { edges { node { id name description } } } teams { edges { node { name } } } }";
const GENERATE: &str = "mutation GenerateApiKey($description: String) {
    result: generateApiKey(input: {description: $description}) { apiKey { id name description } } }";
const DELETE_KEY: &str =
    "mutation DeleteApiKey($id: String!) { result: deleteApiKey(input: {id: $id}) { success } }";
const CREATE_USER: &str = "mutation CreateUserFromAdmin($email: String!, $admin: Boolean) {
    result: createUser(input: {email: $email, admin: $admin}) { user { id name username email admin } } }";
const TEAM: &str = "query GetTeamEntity($name: String!) { entity(name: $name) { id name available photoUrl readOnly readOnlyAdmin isTeam
    entityType privateOnly storageBytes codeSavingEnabled defaultAccess isPaid
    members { id admin pending email username name photoUrl accountType apiKey } } }";
const CREATE_TEAM: &str = "mutation CreateTeam($teamName: String!, $teamAdminUserName: String) {
    result: createTeam(input: {teamName: $teamName, teamAdminUserName: $teamAdminUserName}) {
        entity { id name available photoUrl limits } } }";
const INVITE: &str = "mutation CreateInvite($entity: String!, $email: String, $username: String, $admin: Boolean) {
    result: createInvite(input: {entityName: $entity, email: $email, username: $username, admin: $admin}) {
        invite { id name email createdAt toUser { name } } } }";
const DELETE_INVITE: &str = "mutation DeleteInvite($id: String, $entity: String) {
    result: deleteInvite(input: {id: $id, entityName: $entity}) { success } }";
const ACCOUNT: &str = "mutation CreateServiceAccount($entity: String!, $description: String!) {
    result: createServiceAccount(input: {description: $description, entityName: $entity}) { user { id } } }";

fn viewer() -> String {
    format!("query GetViewer {{ viewer {{ ...U }} }} {USER}")
}

fn search() -> String {
    format!(
        "query SearchUsers($query: String) {{ users(query: $query) {{ edges {{ node {{ ...U }} }} }} }} {USER}"
    )
}

/// The credential as the client sends it.
fn basic(key: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("api:{key}")))
}

/// A request as the client makes it, with an empty operation name.
fn call(client: &Client, document: &str, variables: Value) -> Call {
    let body = json!({"query": document, "variables": variables, "operationName": ""});
    let call = Call::new("POST", PATH).header("x-request-id", "test-request");
    let call = match client.key() {
        Some(key) => call.header("authorization", &basic(key)),
        None => call,
    };
    call.json(&body)
}

async fn send(client: &Client, document: &str, variables: Value) -> Answer {
    client.send(call(client, document, variables)).await
}

/// The data of an answer that must be whole.
async fn data(client: &Client, document: &str, variables: Value) -> Value {
    let answer = send(client, document, variables).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut body = answer.json();
    assert!(body.get("errors").is_none(), "{body:#}");
    body["data"].take()
}

/// The refusal on a line: the status, the code, and what the client shows. Nothing may have come with it.
async fn refused(client: &Client, document: &str, variables: Value) -> String {
    line(&send(client, document, variables).await)
}

fn line(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!(body["data"], Value::Null, "{body:#}");
    let errors = body["errors"].as_array().unwrap();
    let told: Vec<&str> = errors
        .iter()
        .map(|error| error["message"].as_str().unwrap())
        .collect();
    let code = errors[0]["extensions"]["code"].as_str().unwrap();
    assert_eq!(errors[0]["extensions"]["requestId"], "test-request");
    format!("{} {code}: {}", answer.status, told.join("; "))
}

/// The value with what differs from run to run left out: the number in an id, secrets and what is shown of them.
fn masked(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(masked_text(&text)),
        Value::Array(items) => items.into_iter().map(masked).collect(),
        Value::Object(fields) => fields.into_iter().map(|(k, v)| (k, masked(v))).collect(),
        other => other,
    }
}

fn masked_text(text: &str) -> String {
    let plain = STANDARD.decode(text).ok();
    let plain = plain.and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some((kind, number)) = plain.as_deref().and_then(|plain| plain.split_once(':'))
        && number
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
    {
        return format!("<{kind}>");
    }
    match text.strip_prefix("ks_") {
        Some(rest) if rest.len() == 37 => "<secret>".into(),
        Some(_) => "<prefix>".into(),
        None => text.to_owned(),
    }
}

/// The id of the kind and number that the client sees.
fn id_of(kind: &str, uuid: uuid::Uuid) -> String {
    STANDARD.encode(format!("{kind}:{}", uuid.as_u128()))
}

/// The names of a team's members, and whether they wait, in their order.
async fn members(client: &Client, team: &str) -> Vec<String> {
    let found = data(client, TEAM, json!({"name": team})).await;
    let list = found["entity"]["members"].as_array().unwrap();
    let told = |member: &Value| {
        let role = if member["admin"] == true {
            "admin"
        } else {
            "member"
        };
        let waits = if member["pending"] == true {
            " waits"
        } else {
            ""
        };
        format!("{} {role}{waits}", member["name"].as_str().unwrap())
    };
    list.iter().map(told).collect()
}

/// The id of a member of a team.
async fn member_id(client: &Client, team: &str, name: &str) -> String {
    let found = data(client, TEAM, json!({"name": team})).await;
    let list = found["entity"]["members"].as_array().unwrap();
    let member = list.iter().find(|member| member["name"] == name);
    member.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn app_with_team(slug: &str) -> TestApp {
    let app = TestApp::new().await;
    data(&app.admin(), CREATE_TEAM, json!({"teamName": slug})).await;
    app
}
