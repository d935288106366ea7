//! The document of `/v1`: what is answered is what it says.

use std::collections::BTreeSet;

use keystead::http::{Reporters, Settings};
use serde_json::{Map, Value, json};

use crate::support::{Answer, TestApp};

fn document() -> Value {
    serde_json::from_str(include_str!("../../../../src/http/v1/openapi.json")).unwrap()
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        None => value,
        Some(to) => {
            let found = document.pointer(to.strip_prefix('#').unwrap());
            resolved(document, found.unwrap_or_else(|| panic!("{to} is nowhere")))
        }
    }
}

/// Panics unless the document describes this answer: its status, its headers and its body.
pub fn described(method: &str, route: &str, answer: &Answer) {
    let document = document();
    let operation = &document["paths"][route][method];
    assert!(operation.is_object(), "{method} {route} is not described");
    let status = answer.status.to_string();
    let response = resolved(&document, &operation["responses"][&status]);
    assert!(
        response.is_object(),
        "{method} {route} is not described to answer {status}: {}",
        answer.text()
    );
    let none = Map::new();
    let headers = response["headers"].as_object().unwrap_or(&none);
    for (name, header) in headers {
        let value = answer.headers.get(name);
        if value.is_none() && resolved(&document, header)["required"] == false {
            continue;
        }
        let value = value.unwrap_or_else(|| panic!("{status} of {route} lacks {name}"));
        let text = value.to_str().unwrap();
        let schema = &resolved(&document, header)["schema"];
        let value = match schema["type"].as_str() {
            Some("integer") => json!(text.parse::<u64>().unwrap()),
            _ => json!(text),
        };
        check(&document, schema, &value, name).unwrap();
    }
    let everywhere = [
        "cache-control",
        "content-length",
        "content-type",
        "x-content-type-options",
        "x-request-id",
    ];
    // Of the second form of the path the document says that the headers are the first's.
    for name in answer.headers.keys().filter(|_| !route.contains('{')) {
        let known = headers
            .keys()
            .any(|known| known.eq_ignore_ascii_case(name.as_str()));
        assert!(
            known || everywhere.contains(&name.as_str()),
            "{status} of {route} has {name}, which is not described"
        );
    }
    let schema = &response["content"]["application/json"]["schema"];
    if response["content"]["text/csv"].is_object() {
        assert!(answer.header("content-type").starts_with("text/csv;"));
        return;
    }
    if schema.is_null() {
        assert!(answer.body.is_empty(), "{}", answer.text());
        return;
    }
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
    let body = answer.json();
    check(&document, schema, &body, "body").unwrap_or_else(|why| panic!("{why} in {body:#}"));
}

/// Whether the value is of that schema, as far as this document uses JSON Schema (2020-12).
fn check(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let schema = resolved(document, schema);
    for (keyword, rule) in schema.as_object().unwrap() {
        let right = match keyword.as_str() {
            "description" | "format" => true,
            "type" => match rule {
                Value::Array(kinds) => kinds.iter().any(|kind| is(value, kind)),
                kind => is(value, kind),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "pattern" => value.as_str().is_none_or(|text| {
                regex::Regex::new(rule.as_str().unwrap())
                    .unwrap()
                    .is_match(text)
            }),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.len() as u64 <= rule.as_u64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|n| n <= rule.as_f64().unwrap()),
            "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().unwrap()),
            "minItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 <= rule.as_u64().unwrap()),
            "required" => value.as_object().is_none_or(|members| {
                let names = rule.as_array().unwrap();
                names
                    .iter()
                    .all(|name| members.contains_key(name.as_str().unwrap()))
            }),
            "dependentRequired" => value.as_object().is_none_or(|members| {
                rule.as_object().unwrap().iter().all(|(name, needs)| {
                    let needs = needs.as_array().unwrap();
                    !members.contains_key(name)
                        || needs
                            .iter()
                            .all(|need| members.contains_key(need.as_str().unwrap()))
                })
            }),
            "additionalProperties" => {
                assert_eq!(rule, &json!(false));
                value.as_object().is_none_or(|members| {
                    members
                        .keys()
                        .all(|name| schema["properties"].get(name).is_some())
                })
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        check(document, rule, member, &format!("{at}.{name}"))?;
                    }
                }
                true
            }
            "items" => {
                for (index, item) in value.as_array().unwrap_or(&Vec::new()).iter().enumerate() {
                    check(document, rule, item, &format!("{at}.{index}"))?;
                }
                true
            }
            "anyOf" | "oneOf" => {
                let hits = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|one| check(document, one, value, at).is_ok());
                let hits = hits.count();
                hits == 1 || (keyword == "anyOf" && hits > 1)
            }
            other => panic!("the document uses {other}, which this test does not know"),
        };
        if !right {
            return Err(format!("{at} breaks {keyword}: {rule}"));
        }
    }
    Ok(())
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no such type: {other}"),
    }
}

/// Whether the document takes this body for a request.
pub fn takes(route: &str, body: &Value) -> bool {
    let document = document();
    let content = &document["paths"][route]["post"]["requestBody"]["content"];
    let schema = &content["application/json"]["schema"];
    assert!(schema.is_object());
    check(&document, schema, body, "body").is_ok()
}

#[tokio::test]
async fn the_document_is_served_and_names_every_route() {
    let settings = Settings {
        leak_reporters: Reporters::parse(super::leaked::SAMPLE_KEY).unwrap(),
        ..Settings::default()
    };
    let app = TestApp::with_settings(Default::default(), settings).await;
    let client = app.anonymous();
    let answer = client.send(client.request("GET", "/v1/openapi.json")).await;
    described("get", "/v1/openapi.json", &answer);
    assert_eq!(answer.json(), document());
    // The routes as the sources have them.
    let source = include_str!("../../../../src/http/v1/mod.rs");
    let source = source.replace(".route(VERIFY, ", ".route(\"/v1/verify\", ");
    let routes: BTreeSet<String> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix(".route(\""))
        .filter_map(|rest| rest.split('"').next())
        .map(|route| route.replace("{*", "{").trim_end_matches('/').to_owned())
        .collect();
    let named: BTreeSet<String> = document()["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert!(routes.len() > 3);
    assert_eq!(routes, named);
    for (route, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let call = client.request(&method.to_uppercase(), &route.replace("{uri}", "a"));
            let status = client.send(call).await.status;
            assert!(![404, 405].contains(&status), "{method} {route}: {status}");
            assert!(operation["summary"].is_string() && operation["operationId"].is_string());
        }
    }
}

#[test]
fn its_own_example_is_right_and_its_references_lead_somewhere() {
    let document = document();
    let body =
        &document["paths"]["/v1/verify"]["post"]["requestBody"]["content"]["application/json"];
    assert!(takes("/v1/verify", &body["example"]));
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                resolved(document, value);
                members.values().for_each(|one| walk(document, one));
            }
            Value::Array(items) => items.iter().for_each(|one| walk(document, one)),
            _ => {}
        }
    }
    walk(&document, &document);
}
