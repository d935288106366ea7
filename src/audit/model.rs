//! Rows and values of the audit trail.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use crate::db::ids::Id;
use crate::db::schema::audit_events;

/// One event of the trail.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = audit_events)]
pub struct AuditEvent {
    /// The event's id.
    pub id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The acting user; `None`: Keystead itself.
    pub actor_id: Option<Uuid>,
    /// The acting user's name at that time.
    pub actor_name: Option<String>,
    /// The key that was used.
    pub api_key_id: Option<Uuid>,
    /// What the caller said in `X-Keystead-On-Behalf-Of`.
    pub on_behalf_of: Option<String>,
    /// What was done: `user.create`, `apiKey.delete` …
    pub action: String,
    /// The typed id of what it was done to.
    pub target: String,
    /// What changed, as it was.
    pub before: Option<Value>,
    /// What changed, as it became.
    pub after: Option<Value>,
    /// The request's id.
    pub request_id: String,
    /// The client's address.
    pub ip: Option<String>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
}

/// A change to be recorded.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is done: noun, dot, verb.
    pub action: &'static str,
    /// What it is done to.
    pub target: Id,
    /// The object before; `None` when it is made.
    pub before: Option<Value>,
    /// The object after; `None` when it is deleted.
    pub after: Option<Value>,
}

impl Change {
    /// Something was made.
    pub fn created(action: &'static str, target: Id, after: Value) -> Self {
        Change {
            action,
            target,
            before: None,
            after: Some(after),
        }
    }

    /// Something was changed: only the members that differ are kept.
    pub fn updated(action: &'static str, target: Id, before: Value, after: Value) -> Self {
        let (Value::Object(mut before), Value::Object(mut after)) = (before, after) else {
            return Change {
                action,
                target,
                before: None,
                after: None,
            };
        };
        let same: Vec<String> = before
            .iter()
            .filter(|(name, value)| after.get(*name) == Some(value))
            .map(|(name, _)| name.clone())
            .collect();
        for name in same {
            before.remove(&name);
            after.remove(&name);
        }
        Change {
            action,
            target,
            before: Some(Value::Object(before)),
            after: Some(Value::Object(after)),
        }
    }

    /// Something was deleted.
    pub fn deleted(action: &'static str, target: Id, before: Value) -> Self {
        Change {
            action,
            target,
            before: Some(before),
            after: None,
        }
    }

    /// Whether an update changed nothing.
    pub fn is_empty(&self) -> bool {
        let empty = |value: &Option<Value>| {
            value
                .as_ref()
                .and_then(Value::as_object)
                .is_none_or(|o| o.is_empty())
        };
        empty(&self.before) && empty(&self.after)
    }
}
