//! The schema as it is committed: up to date, and described.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::TestApp;

#[test]
fn schema_graphql_is_what_the_code_says() {
    let committed =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql"))
            .unwrap_or_default();
    assert!(
        committed == keystead::graphql::schema::sdl(),
        "schema.graphql is stale: run `cargo run -- schema > schema.graphql`"
    );
}

const INTROSPECT: &str = "{ __schema { types { name description
    fields(includeDeprecated: true) { name description args { name description } }
    inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }";

#[tokio::test]
async fn everything_in_the_schema_has_a_description() {
    let app = TestApp::new().await;
    let data = app.admin().data(INTROSPECT, json!({})).await;
    let mut bare = Vec::new();
    let described = |value: &Value| {
        value["description"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let types = list(&data["__schema"]["types"]);
    assert!(types.len() > 20);
    for kind in types {
        let name = kind["name"].as_str().unwrap_or_default().to_owned();
        let of_the_language = ["ID", "String", "Int", "Float", "Boolean"].contains(&name.as_str());
        if name.starts_with("__") || of_the_language {
            continue;
        }
        if !described(&kind) {
            bare.push(name.clone());
        }
        for member in [&kind["fields"], &kind["inputFields"], &kind["enumValues"]] {
            for field in list(member) {
                let path = format!("{name}.{}", field["name"].as_str().unwrap_or_default());
                if !described(&field) {
                    bare.push(path.clone());
                }
                for argument in list(&field["args"]) {
                    if !described(&argument) {
                        bare.push(format!(
                            "{path}({}:)",
                            argument["name"].as_str().unwrap_or_default()
                        ));
                    }
                }
            }
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}
