//! Answers of `/v1/verify` on the wire. They are put together from pieces: most of an answer are names and ids, in which a serializer
//! would look for what must be escaped. A test holds them against the OpenAPI document.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::authn::usable::SecretUsed;
use crate::authn::verify::{Outcome, Verdict};
use crate::db::ids::{Id, Kind};
use crate::permissions::facts::PermissionFact;

/// What most answers need, in bytes.
const USUAL: usize = 512;

/// What else an answer has, as a JSON object: of those that were asked with a cost. A list that ends early has none for the rest.
pub type More = Option<String>;

/// The answer to one question.
pub fn one(verdict: &Verdict, more: &[More]) -> String {
    let mut json = String::with_capacity(USUAL);
    answer(&mut json, verdict, more.first());
    json
}

/// The answers to a list of questions, in their order.
pub fn many(verdicts: &[Verdict], more: &[More]) -> String {
    let mut json = String::with_capacity(USUAL * verdicts.len());
    json.push_str("{\"results\":");
    let all: Vec<_> = verdicts.iter().enumerate().collect();
    list(&mut json, &all, |json, (place, verdict)| {
        answer(json, verdict, more.get(*place));
    });
    json.push('}');
    json
}

fn answer(json: &mut String, verdict: &Verdict, more: Option<&More>) {
    let key = verdict.key.as_deref();
    let (secret, until) = match verdict.secret {
        None => ("null", None),
        Some(SecretUsed::Current) => ("\"CURRENT\"", None),
        Some(SecretUsed::Previous(until)) => ("\"PREVIOUS\"", Some(until)),
    };
    json.push_str(match verdict.outcome {
        Outcome::Valid => "{\"valid\":true,\"code\":\"",
        _ => "{\"valid\":false,\"code\":\"",
    });
    json.push_str(verdict.outcome.as_str());
    json.push_str("\",\"message\":");
    or_null(json, verdict.message.as_deref(), text);
    json.push_str(",\"key\":");
    or_null(json, key.map(|key| Id::new(Kind::ApiKey, key.key_id)), id);
    json.push_str(",\"owner\":");
    or_null(json, key.map(|key| Id::new(Kind::User, key.user_id)), id);
    json.push_str(",\"team\":");
    let team = key.and_then(|key| key.team_id);
    or_null(json, team.map(|team| Id::new(Kind::Team, team)), id);
    json.push_str(",\"expiresAt\":");
    or_null(
        json,
        key.and_then(|key| key.facts.key()?.expires_at),
        moment,
    );
    json.push_str(",\"secret\":");
    json.push_str(secret);
    json.push_str(",\"secretExpiresAt\":");
    or_null(json, until, moment);
    json.push_str(",\"decidedBy\":");
    let decided = verdict.decision.as_ref().map(|one| &one.decided_by);
    let decided = decided.filter(|permissions| !permissions.is_empty());
    or_null(json, decided, |json, permissions| {
        list(json, permissions, |json, permission| {
            deciding(json, permission);
        });
    });
    if let Some(members) = more
        .and_then(Option::as_deref)
        .and_then(|object| object.strip_prefix('{'))
    {
        // With the brace that ends both.
        json.push(',');
        json.push_str(members);
        return;
    }
    json.push('}');
}

/// A permission that decided.
fn deciding(json: &mut String, permission: &PermissionFact) {
    json.push_str("{\"id\":");
    id(json, Id::new(Kind::Permission, permission.id));
    json.push_str(",\"role\":");
    text(json, &permission.role.name);
    json.push_str(",\"path\":");
    text(json, permission.path.as_str());
    json.push('}');
}

fn list<T>(json: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    json.push('[');
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            json.push(',');
        }
        write(json, item);
    }
    json.push(']');
}

fn or_null<T>(json: &mut String, value: Option<T>, write: impl FnOnce(&mut String, T)) {
    match value {
        Some(value) => write(json, value),
        None => json.push_str("null"),
    }
}

fn id(json: &mut String, id: Id) {
    json.push('"');
    id.push_to(json);
    json.push('"');
}

fn moment(json: &mut String, moment: DateTime<Utc>) {
    json.push('"');
    json.push_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    json.push('"');
}

/// The one thing that may need escapes.
fn text(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::from(text).to_string());
}
