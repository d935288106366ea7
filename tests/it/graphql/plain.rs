//! Objects in lists answer plain fields by their names, past their resolvers (`graphql::lean`): what they say must be the same.

use serde_json::{Value, json};

use crate::matrix::world::World;

/// Lists, and the types of what is in them.
const LISTS: [(&str, &str); 5] = [
    ("users", "User"),
    ("apiKeys", "ApiKey"),
    ("teams", "Team"),
    ("permissions", "Permission"),
    ("auditEvents", "AuditEvent"),
];

#[tokio::test]
async fn an_object_in_a_list_says_what_it_says_by_itself() {
    let world = World::new().await;
    let admin = world.app.admin();
    for (list, kind) in LISTS {
        let fields = "query($kind: String!) { __type(name: $kind) { fields { name type { kind ofType { kind } } } } }";
        let told = admin.data(fields, json!({"kind": kind})).await;
        let is_leaf = |field: &&Value| {
            let kinds = [&field["type"]["kind"], &field["type"]["ofType"]["kind"]];
            kinds
                .into_iter()
                .any(|kind| *kind == "SCALAR" || *kind == "ENUM")
        };
        let fields = told["__type"]["fields"].as_array().unwrap().iter();
        let names: Vec<&str> = fields
            .filter(is_leaf)
            .map(|field| field["name"].as_str().unwrap())
            .collect();
        assert!(names.len() > 4, "{kind} {names:?}");
        // Each alone as well: one that is not plain has the whole list answered by the engine.
        let all = names.join(" ");
        let selections = names
            .iter()
            .map(|name| format!("id {name}"))
            .chain([all.clone()]);
        let by_itself = format!(
            "query($id: ID!) {{ node(id: $id) {{ __typename ... on {kind} {{ id {all} }} }} }}"
        );
        for selection in selections {
            let document = format!(
                "{{ {list}(first: 5) {{ nodes {{ {selection} }} edges {{ node {{ {selection} }} }} }} }}"
            );
            let page = admin.data(&document, json!({})).await;
            let nodes = page[list]["nodes"].as_array().unwrap();
            assert!(!nodes.is_empty(), "{list}");
            for (place, node) in nodes.iter().enumerate() {
                assert_eq!(*node, page[list]["edges"][place]["node"], "{selection}");
                let object = admin.data(&by_itself, json!({"id": node["id"]})).await;
                for (name, value) in node.as_object().unwrap() {
                    assert_eq!(*value, object["node"][name], "{kind}.{name}");
                }
            }
        }
    }
}
