//! API keys, over GraphQL.

mod authn;
mod delete;
mod expiring;
mod first;
mod generate;
mod giving;
mod last_used;
mod read;
mod rotate;
mod secret;
mod statements;
mod update;
pub mod ways;

use keystead::users::model::User;
use serde_json::{Value, json};

/// All fields of a key, but those that differ from run to run.
pub const KEY: &str = "owner { username } team { slug } name description prefix enabled disabledReason restricted allowedCidrs expiresAt
    lastUsedAt lastUsedFrom rotatedAt previousSecretExpiresAt status metadata createdBy { username } createdAt updatedAt
    permissions { totalCount nodes { path role { name } propagate expiresAt createdBy { username } } }";

/// The answer with its secrets and prefixes replaced.
pub fn redacted(mut answer: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match (name.as_str(), member.as_str()) {
                        ("secret", Some(text)) => {
                            assert!(text.len() == 40 && text.starts_with("ks_"), "{text}");
                            *member = "[secret]".into();
                        }
                        ("prefix", Some(text)) => {
                            assert!(text.chars().count() == 8 && text.ends_with('…'), "{text}");
                            *member = "[prefix]".into();
                        }
                        _ => walk(member),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut answer);
    answer
}

/// A new team with these members, by id.
pub async fn team(app: &crate::support::TestApp, slug: &str, members: &[(&User, &str)]) -> String {
    let members: Vec<Value> = members
        .iter()
        .map(|(user, role)| json!({"user": user.typed_id().to_string(), "role": role}))
        .collect();
    let team = app
        .admin()
        .data(
            "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }",
            json!({"input": {"slug": slug, "name": slug, "members": members}}),
        )
        .await;
    team["createTeam"]["team"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Gives a user a role at a path.
pub async fn grant(app: &crate::support::TestApp, user: &User, path: &str, role: &str) {
    app.admin()
        .data(
            "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { added } }",
            json!({"input": {"principal": user.typed_id().to_string(), "path": path, "roles": [{"role": role}]}}),
        )
        .await;
}
