//! Rows and values of the audit trail.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::ids::{Id, Kind, quoted};
use crate::db::schema::audit_events;
use crate::error::{Error, Result};
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// One event of the trail.
#[derive(Debug, Clone, Serialize, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
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
    /// Where the target lies: whoever holds `audit.read` at one of these paths may read the event.
    pub paths: Vec<String>,
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
    /// The dialect that it came by; `None`: Keystead's own API.
    pub via: Option<String>,
}

impl AuditEvent {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::AuditEvent, self.id)
    }
}

/// Of one kind of things that go along with a deletion, this many have an event each; more are gathered, this many in an event.
pub const MAX_ALONG: usize = 500;

/// A change to be recorded.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is done: noun, dot, verb.
    pub action: &'static str,
    /// What it is done to.
    pub target: Id,
    /// Where the target lies: holders of `audit.read` at one of these paths may read of it.
    pub paths: Vec<Path>,
    /// The object before; `None` when it is made.
    pub before: Option<Value>,
    /// The object after; `None` when it is deleted.
    pub after: Option<Value>,
}

impl Change {
    fn new(action: &'static str, target: Id, before: Option<Value>, after: Option<Value>) -> Self {
        let paths = match target.kind {
            Kind::User | Kind::Team | Kind::Role => vec![access::object(target.kind, target.uuid)],
            Kind::ApiKey
            | Kind::Permission
            | Kind::AuditEvent
            | Kind::Reservation
            | Kind::Webhook
            | Kind::WebhookDelivery
            | Kind::LimitPolicy
            | Kind::Policy
            | Kind::Invitation
            | Kind::Session
            | Kind::AccessRequest
            | Kind::MagicLink
            | Kind::SecondFactor => Vec::new(),
        };
        Change {
            action,
            target,
            paths,
            before,
            after,
        }
    }

    /// Something was made.
    pub fn created(action: &'static str, target: Id, after: Value) -> Self {
        Change::new(action, target, None, Some(after))
    }

    /// Something was changed: only the members that differ are kept.
    pub fn updated(action: &'static str, target: Id, before: Value, after: Value) -> Self {
        let (Value::Object(mut before), Value::Object(mut after)) = (before, after) else {
            return Change::new(action, target, None, None);
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
        let (before, after) = (Value::Object(before), Value::Object(after));
        Change::new(action, target, Some(before), Some(after))
    }

    /// Something was deleted.
    pub fn deleted(action: &'static str, target: Id, before: Value) -> Self {
        Change::new(action, target, Some(before), None)
    }

    /// What goes along with the deletion of `whole`: the changes as they are, or, where there are more than [`MAX_ALONG`], gathered.
    /// A gathered event is about `whole`, lies where `whole` lies, and its `before.gone` lists up to [`MAX_ALONG`] of them, each by its
    /// target and by what tells it from others.
    pub fn along(whole: Id, changes: Vec<Change>) -> Vec<Change> {
        if changes.len() <= MAX_ALONG {
            return changes;
        }
        changes
            .chunks(MAX_ALONG)
            .map(|some| {
                let gone: Vec<Value> = some.iter().map(Change::in_short).collect();
                Change::deleted(some[0].action, whole, json!({ "gone": gone }))
            })
            .collect()
    }

    fn in_short(&self) -> Value {
        let mut short = json!({ "target": self.target.to_string() });
        for name in ["name", "user", "role", "path"] {
            if let Some(value) = self.before.as_ref().and_then(|before| before.get(name)) {
                short[name] = value.clone();
            }
        }
        short
    }

    /// Says where the target lies. A user, a team and a role lie at their own path unless this says otherwise; a key lies
    /// at its owner's and its team's, a permission at its own and its principal's, a membership at the team's and the user's.
    /// An event without any path is for those who hold `audit.read` at `/`.
    #[must_use]
    pub fn at(mut self, paths: impl IntoIterator<Item = Path>) -> Self {
        self.paths = paths.into_iter().collect();
        self
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

/// Which actions a filter lets through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ActionFilter {
    /// This one.
    Exactly(String),
    /// All of a noun: `user.` with its dot.
    BeginningWith(String),
}

impl ActionFilter {
    /// Reads an action, or with a dot at its end all on a noun.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `field` for what none can be.
    pub fn read(field: &str, text: &str) -> Result<Self> {
        let words = |text: &str| {
            text.len() <= 64
                && text.split('.').all(|word| {
                    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
                })
        };
        match text.strip_suffix('.') {
            Some(noun) if words(noun) => Ok(ActionFilter::BeginningWith(text.to_owned())),
            None if words(text) && text.contains('.') => Ok(ActionFilter::Exactly(text.to_owned())),
            _ => Err(Error::bad_input(
                field,
                format!(
                    "{} is not an action. Write one as user.create, or all on a noun as user. with the dot at the end.",
                    quoted(text)
                ),
            )),
        }
    }

    /// One that was read before.
    pub fn known(text: &str) -> Self {
        match text.ends_with('.') {
            true => ActionFilter::BeginningWith(text.to_owned()),
            false => ActionFilter::Exactly(text.to_owned()),
        }
    }

    /// Whether that action passes.
    pub fn matches(&self, action: &str) -> bool {
        match self {
            ActionFilter::Exactly(exactly) => action == exactly,
            ActionFilter::BeginningWith(noun) => action.starts_with(noun.as_str()),
        }
    }
}

/// Which events a list holds; conditions are joined by AND.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AuditFilter {
    /// Only events about this object.
    pub target: Option<Id>,
    /// Only what this user did.
    pub actor: Option<Uuid>,
    /// Only what was done with this key.
    pub api_key: Option<Uuid>,
    /// Only these actions.
    pub action: Option<ActionFilter>,
    /// Only at or after this moment.
    pub from: Option<DateTime<Utc>>,
    /// Only before this moment.
    pub before: Option<DateTime<Utc>>,
    /// Only what this request did.
    pub request_id: Option<String>,
}

impl AuditFilter {
    /// Whether the event passes: the same answer as the list's SQL gives.
    pub fn matches(&self, event: &AuditEvent) -> bool {
        self.action
            .as_ref()
            .is_none_or(|filter| filter.matches(&event.action))
            && self
                .target
                .is_none_or(|target| event.target == target.to_string())
            && self.actor.is_none_or(|id| event.actor_id == Some(id))
            && self.api_key.is_none_or(|id| event.api_key_id == Some(id))
            && self.from.is_none_or(|from| event.at >= from)
            && self.before.is_none_or(|before| event.at < before)
            && self
                .request_id
                .as_ref()
                .is_none_or(|id| event.request_id == *id)
    }
}

/// Which events an actor may read, as SQL decides it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AuditSight {
    /// All of them.
    All,
    /// None.
    Nothing,
    /// Those with a path whose nearest mark upwards says so.
    Marked {
        /// Every mark's path, `/` among them.
        marks: Vec<String>,
        /// The marks at whose own path `audit.read` is held.
        here: Vec<String>,
        /// The marks below which it is held, down to the next mark.
        below: Vec<String>,
    },
}

impl AuditSight {
    /// Whether there is nothing to see.
    pub fn is_nothing(&self) -> bool {
        *self == AuditSight::Nothing
    }
}
