//! What the tests of teams begin with.

use serde_json::{Value, json};

use crate::support::{Client, TestApp};

/// Makes a team without members, by the administrator, and returns its id.
pub async fn team(app: &TestApp, slug: &str, parent: Option<&str>) -> String {
    let input = json!({"slug": slug, "name": slug, "parent": parent, "members": []});
    let made = app
        .admin()
        .data(
            "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }",
            json!({"input": input}),
        )
        .await;
    id(&made["createTeam"]["team"])
}

pub fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

pub const ADD: &str =
    "mutation($input: AddTeamMemberInput!) { addTeamMember(input: $input) { membership {
    team { slug } user { username } role since } } }";
pub const UPDATE_MEMBER: &str =
    "mutation($input: UpdateTeamMemberInput!) { updateTeamMember(input: $input) { membership {
    team { slug } user { username } role since } } }";
pub const REMOVE: &str =
    "mutation($input: RemoveTeamMemberInput!) { removeTeamMember(input: $input) {
    team { slug } user { username } } }";
pub const UPDATE: &str = "mutation($input: UpdateTeamInput!) { updateTeam(input: $input) { team { slug parent { slug } enabled } } }";
pub const DELETE: &str =
    "mutation($input: DeleteTeamInput!) { deleteTeam(input: $input) { deletedTeamId } }";

/// Adds a member, by the administrator.
pub async fn add(app: &TestApp, team: &str, user: &keystead::users::model::User, role: &str) {
    app.admin()
        .data(ADD, json!({"input": member(team, user, role)}))
        .await;
}

pub fn member(team: &str, user: &keystead::users::model::User, role: &str) -> Value {
    json!({"team": team, "user": user.typed_id().to_string(), "role": role})
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

/// The user names of a team's members with their roles, in the order of the names, as the client sees them.
pub async fn members(client: &Client, team: &str) -> Vec<String> {
    let found = client
        .data(
            "query($id: ID!) { team(by: {id: $id}) { members(first: 100) { totalCount edges { role node { user { username } } } } } }",
            json!({"id": team}),
        )
        .await;
    let list = &found["team"]["members"];
    let edges = list["edges"].as_array().unwrap();
    assert_eq!(list["totalCount"], edges.len());
    let mut names: Vec<String> = edges
        .iter()
        .map(|edge| {
            let name = edge["node"]["user"]["username"].as_str().unwrap();
            format!("{name} {}", edge["role"].as_str().unwrap())
        })
        .collect();
    names.sort_unstable();
    names
}

/// Actions and contents of the events whose target is that, oldest first; those of one moment by their text.
pub async fn trail(app: &TestApp, target: &str) -> Vec<Value> {
    let found = app
        .admin()
        .data(
            "query($target: ID!) { auditEvents(first: 100, filter: {target: $target}, orderBy: {direction: ASC}) {
                nodes { at action before after } } }",
            json!({"target": target}),
        )
        .await;
    let mut events = found["auditEvents"]["nodes"].as_array().unwrap().clone();
    events.sort_by_key(|event| format!("{} {} {}", event["at"], event["action"], event["after"]));
    events
}
