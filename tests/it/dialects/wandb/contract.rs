//! The schema is the one that the client was built against: contract.graphql says what every document of it needs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::data;
use crate::support::TestApp;

const CONTRACT: &str = include_str!("contract.graphql");

const INTROSPECT: &str = "query { __schema { types { kind name enumValues { name }
    fields { name type { ...T } args { name type { ...T } } } inputFields { name type { ...T } } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// A type as SDL writes it.
fn written(of: &Value) -> String {
    match of["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&of["ofType"])),
        Some("LIST") => format!("[{}]", written(&of["ofType"])),
        _ => of["name"].as_str().unwrap().to_owned(),
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// Every field with its arguments and its type, each on a line.
fn served(schema: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for of in list(&schema["__schema"]["types"]) {
        let name = of["name"].as_str().unwrap();
        if name.starts_with("__") {
            continue;
        }
        for value in list(&of["enumValues"]) {
            lines.insert(format!("{name}.{}", value["name"].as_str().unwrap()));
        }
        for field in list(&of["fields"]).iter().chain(&list(&of["inputFields"])) {
            let mut arguments: Vec<String> = list(&field["args"])
                .iter()
                .map(|argument| {
                    let kind = written(&argument["type"]);
                    format!("{}: {kind}", argument["name"].as_str().unwrap())
                })
                .collect();
            arguments.sort();
            let arguments = match arguments.is_empty() {
                true => String::new(),
                false => format!("({})", arguments.join(", ")),
            };
            let field_name = field["name"].as_str().unwrap();
            lines.insert(format!(
                "{name}.{field_name}{arguments}: {}",
                written(&field["type"])
            ));
        }
    }
    lines
}

/// The same of the contract.
fn wanted() -> BTreeSet<String> {
    use apollo_compiler::schema::ExtendedType;
    let schema = apollo_compiler::Schema::parse(CONTRACT, "contract.graphql").unwrap();
    let mut lines = BTreeSet::new();
    for (name, of) in &schema.types {
        if of.is_built_in() {
            continue;
        }
        match of {
            ExtendedType::Object(of) => {
                for (field, def) in &of.fields {
                    let mut arguments: Vec<String> = def
                        .arguments
                        .iter()
                        .map(|argument| format!("{}: {}", argument.name, argument.ty))
                        .collect();
                    arguments.sort();
                    let arguments = match arguments.is_empty() {
                        true => String::new(),
                        false => format!("({})", arguments.join(", ")),
                    };
                    lines.insert(format!("{name}.{field}{arguments}: {}", def.ty));
                }
            }
            ExtendedType::InputObject(of) => {
                for (field, def) in &of.fields {
                    lines.insert(format!("{name}.{field}: {}", def.ty));
                }
            }
            ExtendedType::Enum(of) => {
                lines.extend(of.values.keys().map(|value| format!("{name}.{value}")));
            }
            _ => {}
        }
    }
    lines
}

#[tokio::test]
async fn names_and_nullability_are_the_contract_s() {
    let app = TestApp::new().await;
    let schema = data(&app.admin(), INTROSPECT, json!({})).await;
    let (served, wanted) = (served(&schema), wanted());
    assert!(wanted.len() > 150, "{}", wanted.len());
    let lacking: Vec<&String> = wanted.difference(&served).collect();
    let beyond: Vec<&String> = served.difference(&wanted).collect();
    assert!(
        lacking.is_empty() && beyond.is_empty(),
        "lacking: {lacking:#?}\nbeyond: {beyond:#?}"
    );
}
