//! The authorisation matrix: every field of the schema, asked by every kind of actor, as one snapshot. A field that is not in it
//! fails the test, so that no new field escapes.
//!
//! Cells: `ok` a value; `null`; `0` nothing to see in a list; `hidden` the object itself is not seen; else the error's code.

pub mod reads;
pub mod world;
pub mod writes;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::TestApp;

/// Who asks, in the order of the columns.
pub const ACTORS: [&str; 8] = [
    "anonymous",
    "viewer",
    "member",
    "team member",
    "team admin",
    "restricted key",
    "auditor",
    "admin",
];

/// A field of the schema with its type and arguments.
pub struct Field {
    pub parent: String,
    pub name: String,
    /// The innermost type.
    pub kind: String,
    /// Whether values of that type have fields.
    pub composite: bool,
}

const INTROSPECT: &str = "{ __schema { types { kind name fields(includeDeprecated: true) { name
    type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

/// Every field of every object type, in the order of the schema.
pub async fn fields(app: &TestApp) -> Vec<Field> {
    let data = app.admin().data(INTROSPECT, json!({})).await;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for object in list(&data["__schema"]["types"]) {
        let parent = object["name"].as_str().unwrap_or_default().to_owned();
        if object["kind"] != "OBJECT" || parent.starts_with("__") {
            continue;
        }
        for field in list(&object["fields"]) {
            let mut inner = field["type"].clone();
            while !inner["ofType"].is_null() {
                inner = inner["ofType"].take();
            }
            found.push(Field {
                parent: parent.clone(),
                name: field["name"].as_str().unwrap_or_default().to_owned(),
                kind: inner["name"].as_str().unwrap_or_default().to_owned(),
                composite: ["OBJECT", "INTERFACE", "UNION"]
                    .contains(&inner["kind"].as_str().unwrap_or_default()),
            });
        }
    }
    found
}

/// What an answer says of one field: `pointer` leads to its value, `base` to the object that it belongs to.
pub fn cell(answer: &Value, base: &str, pointer: &str) -> String {
    if let Some(code) = answer
        .pointer("/errors/0/extensions/code")
        .and_then(Value::as_str)
    {
        return code.to_owned();
    }
    if answer.pointer(base).is_none_or(Value::is_null) {
        return "hidden".into();
    }
    match answer.pointer(pointer) {
        None | Some(Value::Null) => "null".into(),
        Some(Value::Array(items)) if items.is_empty() => "0".into(),
        Some(Value::Object(members)) if members.get("totalCount") == Some(&json!(0)) => "0".into(),
        Some(_) => "ok".into(),
    }
}

/// The rows as a table.
pub fn table(rows: &BTreeMap<String, Vec<String>>) -> String {
    let mut columns: Vec<usize> = ACTORS.iter().map(|actor| actor.len()).collect();
    let first = rows.keys().map(String::len).max().unwrap_or(0);
    for cells in rows.values() {
        for (width, cell) in columns.iter_mut().zip(cells) {
            *width = (*width).max(cell.len());
        }
    }
    let line = |name: &str, cells: &mut dyn Iterator<Item = &str>| {
        let mut text = format!("{name:<first$}");
        for (cell, width) in cells.zip(&columns) {
            text.push_str(&format!("  {cell:<width$}"));
        }
        text.trim_end().to_owned() + "\n"
    };
    let mut text = line("", &mut ACTORS.iter().copied());
    for (name, cells) in rows {
        text.push_str(&line(name, &mut cells.iter().map(String::as_str)));
    }
    text
}
