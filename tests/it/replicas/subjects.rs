//! One subject for every kind of change: what a key asks, and the mutations by which the answer changes to and fro.

use std::sync::{Arc, Mutex};

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::history::Subject;
use crate::support::TestApp;

/// One subject for every kind of change.
pub async fn subjects(app: &TestApp) -> Vec<Arc<Subject>> {
    let admin = app.admin();
    let make = |document: String, pointer: &'static str| {
        let admin = admin.clone();
        async move {
            let data = admin
                .data(&format!("mutation {{ {document} }}"), json!({}))
                .await;
            data.pointer(pointer).unwrap().as_str().unwrap().to_owned()
        }
    };
    let grant = |principal: String, path: &'static str, role: &'static str| {
        make(
            format!(
                "updatePermission(input: {{principal: \"{principal}\", path: \"{path}\", roles: [{{role: \"{role}\"}}]}}) {{ permissions {{ id }} }}"
            ),
            "/updatePermission/permissions/0/id",
        )
    };
    let team = |slug: &'static str| {
        make(
            format!("createTeam(input: {{slug: \"{slug}\", members: []}}) {{ team {{ id }} }}"),
            "/createTeam/team/id",
        )
    };
    let mut found = Vec::new();
    for name in [
        "key",
        "owner",
        "team",
        "permission",
        "member",
        "role",
        "parent",
        "instance role",
    ] {
        let (user, unrestricted) = app
            .user_with_key(&name.replace(' ', "-"), InstanceRole::Member)
            .await;
        let user = user.typed_id().to_string();
        let mut key = unrestricted;
        let mut question =
            "{ checkPermission(privilege: \"model.use\", path: \"/models/x\") { allowed } }"
                .to_owned();
        let change = |mutation: &str, on: String, off: String| {
            [on, off]
                .map(|input| format!("mutation {{ {mutation}(input: {input}) {{ __typename }} }}"))
        };
        let switch = |id: &str| [true, false].map(|on| format!("{{id: \"{id}\", enabled: {on}}}"));
        let changes = match name {
            "key" | "team" => {
                question = "{ __typename }".to_owned();
                let of = if name == "team" {
                    let team = team("switched").await;
                    make(format!("addTeamMember(input: {{team: \"{team}\", user: \"{user}\"}}) {{ __typename }}"), "/addTeamMember/__typename").await;
                    team
                } else {
                    String::new()
                };
                let within = if of.is_empty() {
                    String::new()
                } else {
                    format!(", team: \"{of}\"")
                };
                let made = admin
                    .data(&format!("mutation {{ generateApiKey(input: {{owner: \"{user}\"{within}}}) {{ secret apiKey {{ id }} }} }}"), json!({}))
                    .await;
                key = made["generateApiKey"]["secret"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                let id = made["generateApiKey"]["apiKey"]["id"].as_str().unwrap();
                let (mutation, id) = if of.is_empty() {
                    ("updateApiKey", id)
                } else {
                    ("updateTeam", of.as_str())
                };
                let [on, off] = switch(id);
                change(mutation, on, off)
            }
            "owner" => {
                question = "{ __typename }".to_owned();
                let [on, off] = switch(&user);
                change("updateUser", on, off)
            }
            "permission" => {
                grant(user.clone(), "/models", "USE").await;
                let [on, off] = ["[{role: \"USE\"}]", "[]"].map(|roles| {
                    format!("{{principal: \"{user}\", path: \"/models\", roles: {roles}}}")
                });
                change("updatePermission", on, off)
            }
            "member" => {
                let team = team("joined").await;
                grant(team.clone(), "/models", "USE").await;
                let input = format!("{{team: \"{team}\", user: \"{user}\"}}");
                make(
                    format!("addTeamMember(input: {input}) {{ __typename }}"),
                    "/addTeamMember/__typename",
                )
                .await;
                let [on, _] = change("addTeamMember", input.clone(), String::new());
                let [off, _] = change("removeTeamMember", input, String::new());
                [on, off]
            }
            "role" => {
                let id = make("createRole(input: {name: \"MODELS\", privileges: [\"model.use\"]}) { role { id } }".to_owned(), "/createRole/role/id").await;
                grant(user, "/models", "MODELS").await;
                let [on, off] = ["[\"model.use\"]", "[]"]
                    .map(|set| format!("{{id: \"{id}\", privileges: {set}}}"));
                change("updateRole", on, off)
            }
            "parent" => {
                let (above, below) = (team("above").await, team("below").await);
                grant(above.clone(), "/models", "USE").await;
                make(format!("addTeamMember(input: {{team: \"{below}\", user: \"{user}\"}}) {{ __typename }}"), "/addTeamMember/__typename").await;
                let [on, off] = [format!("\"{above}\""), "null".to_owned()]
                    .map(|parent| format!("{{id: \"{below}\", parent: {parent}}}"));
                let changes = change("updateTeam", on, off);
                admin.data(&changes[0], json!({})).await;
                changes
            }
            _ => {
                question =
                    "{ checkPermission(privilege: \"user.read\", path: \"/users\") { allowed } }"
                        .to_owned();
                let [on, off] =
                    ["AUDITOR", "MEMBER"].map(|role| format!("{{id: \"{user}\", role: {role}}}"));
                let changes = change("updateUser", on, off);
                admin.data(&changes[0], json!({})).await;
                changes
            }
        };
        found.push(Arc::new(Subject {
            name,
            key,
            question,
            changes,
            history: Mutex::default(),
            answers: Mutex::default(),
        }));
    }
    found
}
