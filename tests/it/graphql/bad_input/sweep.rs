//! The sweep itself: one value at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use keystead::db::ids::quoted;
use keystead::error::Code;
use serde_json::{Value, json};

use super::base;
use super::places::{self, Asked, Place};
use super::state::Ground;
use super::tricks::tricks;

/// What came of a trick, and where it did.
type Outcomes = BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>>;

#[tokio::test]
async fn no_value_of_any_argument_breaks_anything() {
    let ground = Ground::new().await;
    let schema = places::schema();
    let before = ground.fingerprint().await;
    let mut outcomes = Outcomes::new();
    let (mut tried, mut broken) = (0, Vec::new());
    for asked in places::fields(&schema) {
        let document = base::document(&schema, &asked, &ground);
        let arguments = base::arguments(&asked, &ground);
        let right = send(&ground, &asked, &document, &arguments).await;
        assert!(right.is_null(), "{}.{}: {right}", asked.parent, asked.field);
        if ground.fingerprint().await != before {
            ground.restore().await;
        }
        for place in places::places(&schema, &asked) {
            for (trick, value) in tricks(&place, &ground) {
                let varied = base::varied(arguments.clone(), &place, value.clone(), &ground);
                let error = send(&ground, &asked, &document, &varied).await;
                let changed = ground.fingerprint().await != before;
                if changed {
                    ground.restore().await;
                }
                let at = format!("{}.{}", asked.field, place.name());
                if let Some(fault) = fault(&error, changed) {
                    broken.push(format!("{}.{at} {trick} {fault}: {error}", asked.parent));
                }
                let outcome = said(&ground, &place, value.as_ref(), &error);
                let of = outcomes.entry(trick).or_default();
                of.entry(outcome).or_default().insert(at);
                tried += 1;
            }
        }
    }
    assert_eq!(ground.fingerprint().await, before);
    assert!(tried > 2_000, "only {tried} requests");
    insta::assert_snapshot!(shown(&outcomes));
    let broken_ones = broken.join("\n");
    assert!(
        broken.is_empty(),
        "{} of {tried}:\n{broken_ones}",
        broken.len()
    );
}

/// Two values that do not go together: each page can be asked for in these ways alone.
#[tokio::test]
async fn pages_are_asked_for_from_one_end() {
    let ground = Ground::new().await;
    let schema = places::schema();
    let mut found = BTreeMap::new();
    for asked in places::fields(&schema) {
        if !asked.arguments.iter().any(|(name, _)| name == "first") {
            continue;
        }
        let document = base::document(&schema, &asked, &ground);
        let both = json!({"first": 1, "last": 1});
        let error = send(&ground, &asked, &document, &both).await;
        assert_eq!(error["extensions"]["field"], "last", "{error}");
        // A page between two of the list's own rows.
        let all = ground.admin.data(&document, json!({"first": 100})).await;
        let own = cursors(&all);
        let (Some(first), Some(last)) = (own.first(), own.last()) else {
            continue;
        };
        let between = json!({"first": 100, "after": first, "before": last});
        let some = ground.admin.data(&document, between).await;
        let inner = own.len().saturating_sub(2);
        assert_eq!(cursors(&some).len(), inner, "{document}");
        let turned = json!({"after": last, "before": first});
        let none = ground.admin.data(&document, turned).await;
        assert_eq!(cursors(&none).len(), 0, "{document}");
        found.insert(format!("{}.{}", asked.parent, asked.field), inner > 0);
    }
    assert!(
        found.len() > 8 && found.values().any(|some| *some),
        "{found:?}"
    );
}

/// The cursors of the one connection in an answer.
fn cursors(answer: &Value) -> Vec<String> {
    let Value::Object(members) = answer else {
        return Vec::new();
    };
    if let Some(edges) = members.get("edges").and_then(Value::as_array) {
        let cursor = |edge: &Value| edge["cursor"].as_str().unwrap().to_owned();
        return edges.iter().map(cursor).collect();
    }
    members.values().flat_map(cursors).collect()
}

/// The first error of the answer; null if there is none.
async fn send(ground: &Ground, asked: &Asked, document: &str, arguments: &Value) -> Value {
    let body = json!({"query": document, "variables": arguments});
    let call = ground.admin.request("POST", "/graphql").json(&body);
    if asked.parent == "Subscription" {
        let call = call.header("accept", "text/event-stream");
        // What is followed does not end; a refusal comes at once, and on a machine that has much to do somewhat later.
        let Ok(answer) =
            tokio::time::timeout(Duration::from_millis(250), ground.admin.send(call)).await
        else {
            return Value::Null;
        };
        let text = answer.text();
        let data = text.lines().find_map(|line| line.strip_prefix("data:"));
        let event: Value = serde_json::from_str(data.unwrap_or(&text)).unwrap();
        return event["errors"][0].clone();
    }
    let answer = ground.admin.send(call).await.json();
    if asked.parent == "Mutation" && answer.get("errors").is_some() {
        assert!(answer["data"].is_null(), "{answer}");
    }
    answer["errors"][0].clone()
}

/// What an answer must never be.
fn fault(error: &Value, changed: bool) -> Option<&'static str> {
    if error.is_null() {
        return None;
    }
    let code = error["extensions"]["code"].as_str().unwrap_or_default();
    let message = error["message"].as_str().unwrap_or_default();
    if changed {
        Some("was refused, but not without a trace")
    } else if !Code::ALL.iter().any(|known| known.as_str() == code) {
        Some("has a code that no document knows")
    } else if ["INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"].contains(&code) {
        Some("broke something")
    } else if !(10..500).contains(&message.len()) || message.chars().any(char::is_control) {
        Some("has a message that nobody can read")
    } else {
        None
    }
}

/// The outcome as a line, in which the place and the value are called so.
fn said(ground: &Ground, place: &Place, value: Option<&Value>, error: &Value) -> String {
    if error.is_null() {
        return "ok".into();
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let code = text(&error["extensions"]["code"]);
    let field = text(&error["extensions"]["field"]);
    let message = text(&error["message"]);
    let name = place.name();
    // A name of one word is a word of the language too.
    let called = if name.contains('.') {
        message.replace(&name, "‹field›")
    } else {
        message.replace(&format!("`variables.{name}`"), "`variables.‹field›`")
    };
    let mut message = ground.named(&called);
    if let Some(Value::String(value)) = value {
        for shown in [quoted(value), format!("{value:?}")] {
            message = message.replace(&ground.named(&shown), "‹value›");
        }
    }
    let at = match field.as_str() {
        "" => " (no field)".to_owned(),
        same if same == name => String::new(),
        other => format!(" ({})", other.replace(&name, "‹field›")),
    };
    format!("{code}{at}: {message}")
}

fn shown(outcomes: &Outcomes) -> String {
    let mut text = String::new();
    for (trick, of) in outcomes {
        text += &format!("== {trick}\n");
        for (outcome, places) in of {
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            text += &format!("{outcome}\n    {}\n", places.join(" "));
        }
    }
    text
}
