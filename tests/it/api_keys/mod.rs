//! API keys, over GraphQL.

mod generate;

use serde_json::Value;

/// All fields of a key, but those that differ from run to run.
pub const KEY: &str = "owner { username } team { slug } name description prefix enabled restricted allowedCidrs expiresAt
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
