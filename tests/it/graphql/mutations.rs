//! Mutations as the engine runs them.

use serde_json::json;

use crate::support::TestApp;

/// The engine runs root fields of one response key twice, where the specification merges them; so the guard refuses them.
#[tokio::test]
async fn what_is_asked_for_twice_under_one_name_is_refused() {
    let app = TestApp::new().await;
    for document in [
        "mutation { createRole(input: {name: \"A\", privileges: []}) { role { id } }
                    createRole(input: {name: \"A\", privileges: []}) { role { name } } }",
        "mutation { ...F ...F } fragment F on Mutation { createRole(input: {name: \"A\", privileges: []}) { role { id } } }",
        "mutation { ...F ... on Mutation { createRole(input: {name: \"A\", privileges: []}) { role { id } } } }
         fragment F on Mutation { createRole(input: {name: \"A\", privileges: []}) { role { name } } }",
    ] {
        let (code, _, message) = app.admin().error(document, json!({})).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{message}");
        assert!(message.contains("\"createRole\" more than once"), "{message}");
    }
    let made = app
        .admin()
        .data("{ role(name: \"A\") { id } }", json!({}))
        .await;
    assert_eq!(made, json!({"role": null}));
    let two = "mutation { a: createRole(input: {name: \"A\", privileges: []}) { role { name } }
                          b: createRole(input: {name: \"B\", privileges: []}) { role { name } } }";
    let made = app.admin().data(two, json!({})).await;
    assert_eq!(
        made,
        json!({"a": {"role": {"name": "A"}}, "b": {"role": {"name": "B"}}})
    );
}
