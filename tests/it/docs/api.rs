//! `docs/api.md`: every example runs, in order, and is answered as the page says; every operation has one.
//!
//! In the page, `<!-- ADA_ID: createUser.user.id -->` names a part of the last answer; `ADA_ID` stands for it from there on. A
//! `json` block after a `graphql` block is the answer. `KEYSTEAD_DOCS=update` writes the answers anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::TestApp;

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/api.md")
}

/// What stands for what: (name in the page, value in the program).
#[derive(Default)]
struct Names(Vec<(String, String)>);

impl Names {
    fn real(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    }

    /// The answer as the page shows it: named values by name, every other secret and id shortened.
    fn shown(&self, value: &Value) -> Value {
        match value {
            // A secret in a document would set off every scanner.
            Value::String(text) if text.starts_with("ks_") && text.len() == 40 => json!("ks_…"),
            Value::String(text) if text.starts_with("kss_") && text.len() == 41 => json!("kss_…"),
            Value::String(text) if text.starts_with("whsec_") => json!("whsec_…"),
            Value::String(text) => {
                let named = self.0.iter().fold(text.clone(), |text, (name, value)| {
                    text.replace(value, name)
                });
                Value::String(named)
            }
            Value::Array(items) => items.iter().map(|item| self.shown(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| match value {
                    // Made of chance.
                    Value::String(_) if name == "challenge" => (name.clone(), json!("…")),
                    _ => (name.clone(), self.shown(value)),
                })
                .collect(),
            other => other.clone(),
        }
    }
}

/// Runs every example of the page in order; returns the page with the answers that were given.
pub async fn run(app: &TestApp, text: &str) -> String {
    let client = app.admin();
    let mut names = Names::default();
    let mut written = String::new();
    let mut last = Value::Null;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        written.push_str(line);
        written.push('\n');
        if let Some(naming) = line
            .strip_prefix("<!-- ")
            .and_then(|rest| rest.strip_suffix(" -->"))
        {
            let (name, path) = naming.split_once(": ").unwrap();
            let pointer = format!("/data/{}", path.replace('.', "/"));
            let value = last.pointer(&pointer).and_then(Value::as_str);
            let value = value.unwrap_or_else(|| panic!("{pointer} is not in {last:#}"));
            names.0.push((name.to_owned(), value.to_owned()));
        }
        if line != "```graphql" {
            continue;
        }
        let mut document = String::new();
        for line in lines.by_ref() {
            written.push_str(line);
            written.push('\n');
            if line == "```" {
                break;
            }
            document.push_str(line);
            document.push('\n');
        }
        if document.trim_start().starts_with("subscription") {
            continue;
        }
        if document.contains("webhookDeliveries") {
            crate::webhooks::give_up(app).await;
        }
        last = client.gql(&names.real(&document), json!({})).await;
        while lines.peek() == Some(&"") {
            lines.next();
        }
        if lines.peek() == Some(&"```json") {
            for line in lines.by_ref() {
                if line == "```" {
                    break;
                }
            }
        }
        // A name is given on the line after the answer, but the answer already shows it.
        if let Some(naming) = lines.peek().and_then(|line| line.strip_prefix("<!-- ")) {
            let (name, path) = naming.trim_end_matches(" -->").split_once(": ").unwrap();
            let pointer = format!("/data/{}", path.replace('.', "/"));
            if let Some(value) = last.pointer(&pointer).and_then(Value::as_str) {
                names.0.push((name.to_owned(), value.to_owned()));
            }
        }
        let mut answer = last.clone();
        if let Some(members) = answer.as_object_mut() {
            members.remove("extensions");
        }
        let shown = serde_json::to_string_pretty(&names.shown(&answer)).unwrap();
        written.push_str(&format!("\n```json\n{shown}\n```\n"));
    }
    written
}

#[tokio::test]
async fn every_example_is_answered_as_the_page_says() {
    let app = TestApp::new().await;
    let text = fs::read_to_string(page()).unwrap();
    let written = run(&app, &text).await;
    if std::env::var("KEYSTEAD_DOCS").is_ok_and(|mode| mode == "update") {
        fs::write(page(), &written).unwrap();
    } else {
        assert!(
            text == written,
            "docs/api.md is stale: run with KEYSTEAD_DOCS=update and read the difference"
        );
    }
}

#[tokio::test]
async fn every_operation_has_an_example() {
    let app = TestApp::new().await;
    let roots = "{ __schema { queryType { fields { name } } mutationType { fields { name } } subscriptionType { fields { name } } } }";
    let data = app.admin().data(roots, json!({})).await;
    let operations: BTreeSet<String> = ["queryType", "mutationType", "subscriptionType"]
        .iter()
        .flat_map(|root| {
            data["__schema"][root]["fields"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .map(|field| field["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    let text = fs::read_to_string(page()).unwrap();
    let explained: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(str::to_owned)
        .collect();
    assert_eq!(explained, operations);
}
