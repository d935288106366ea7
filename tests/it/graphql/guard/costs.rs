//! Which operation is meant, and what it costs.

use keystead::graphql::guard::{Guard, Limits, Operation, OperationKind, Refusal, RefusalCode};
use serde_json::{Map, Value, json};

use super::verdicts::PETS;

fn operation(text: &str, name: Option<&str>, variables: Value) -> Result<Operation, Refusal> {
    let guard = Guard::new(PETS, Limits::default()).unwrap();
    let Value::Object(variables) = variables else {
        panic!("variables are an object")
    };
    guard.check(text)?.operation(name, &variables)
}

fn cost(text: &str, variables: Value) -> u64 {
    operation(text, None, variables).unwrap().cost
}

#[test]
fn costs() {
    for (text, expected) in [
        ("{ __typename }", 1),
        ("{ sum(a: 1) }", 1),
        ("{ cat { id name } }", 1),
        ("{ cat { owner { id } } dog { id } }", 3),
        ("{ humans(first: 50) { nodes { id } } }", 1 + 50),
        ("{ humans(last: 50) { nodes { id } } }", 1 + 50),
        ("{ humans(first: 10, last: 50) { nodes { id } } }", 1 + 50),
        ("{ humans { nodes { id } } }", 1 + 20),
        ("{ humans(first: null) { nodes { id } } }", 1 + 20),
        ("{ humans(first: 0) { nodes { id } } }", 1),
        ("{ humans(first: -5) { nodes { id } } }", 1),
        ("{ humans(first: 1000) { nodes { id } } }", 1 + 100),
        ("{ humans(first: 50) { totalCount pageInfo { endCursor } } }", 1 + 1),
        ("{ humans(first: 50) { edges { cursor node { id } } } }", 1 + 50 * 2),
        (
            "{ humans(first: 50) { nodes { id pets(first: 5) { nodes { __typename } } } } }",
            1 + 50 * (1 + 1 + 5),
        ),
        (
            "{ humans(first: 50) { ...C } } fragment C on HumanConnection { nodes { ...H } pageInfo { endCursor } }
             fragment H on Human { pets(first: 5) { ... { nodes { __typename } } } }",
            1 + 1 + 50 * (1 + 1 + 5),
        ),
        ("{ nodes(ids: [1, 2, 3]) { id ... on Dog { friend { name } } } }", 1 + 3),
        ("{ nodes(ids: 1) { id } }", 1),
        ("{ __schema { types { name } } }", 2),
        ("query($x: Int) { humans(first: $x) { nodes { id } } }", 1 + 20),
        ("query($x: Int = 7) { humans(first: $x) { nodes { id } } }", 1 + 7),
    ] {
        assert_eq!(cost(text, json!({})), expected, "{text}");
    }
}

#[test]
fn variables_are_page_sizes() {
    let text = "query($x: Int = 7, $y: Int, $ids: [ID!] = [1, 2]) {
        humans(first: $x) { ...C }
        nodes(ids: $ids) { ... on Cat { owner { id } } }
    }
    fragment C on HumanConnection { nodes { pets(first: $y) { nodes { __typename } } } }";
    let of = |x: u64, y: u64, ids: u64| 1 + x * (1 + 1 + y) + 1 + ids;
    for (variables, expected) in [
        (json!({}), of(7, 20, 2)),
        (json!({ "x": 3 }), of(3, 20, 2)),
        (json!({ "x": null }), of(20, 20, 2)),
        (json!({ "x": 3, "y": 4, "ids": ["a"] }), of(3, 4, 1)),
        (json!({ "x": -3, "y": 4, "ids": [] }), of(0, 4, 0)),
        (json!({ "x": 1_000_000, "y": 101 }), of(100, 100, 2)),
        (json!({ "ids": vec!["a"; 500] }), of(7, 20, 500)),
    ] {
        assert_eq!(cost(text, variables.clone()), expected, "{variables}");
    }
}

#[test]
fn too_much_is_refused_with_the_figure() {
    let text =
        "query($n: Int) { humans(first: $n) { nodes { pets(first: $n) { nodes { __typename } }
        friends(first: $n) { nodes { pets(first: $n) { nodes { __typename } } } } } } }";
    let refusal = operation(text, None, json!({ "n": 100 })).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::LimitExceeded);
    let hit = refusal.limit.unwrap();
    assert_eq!((hit.name, hit.limit), ("max_cost", 20_000));
    assert_eq!(
        hit.found,
        1 + 100 * (1 + (1 + 100) + (1 + 100 * (1 + 1 + 100)))
    );
    assert!(
        refusal.errors[0].message.contains("1030301 points"),
        "{refusal}"
    );
    assert!(operation(text, None, json!({ "n": 10 })).is_ok());
}

#[test]
fn the_operation_is_chosen_as_graphql_says() {
    let two = "query A { cat { id } } mutation B { clear }";
    let a = operation(two, Some("A"), json!({})).unwrap();
    assert_eq!(
        (a.kind, a.name.as_deref()),
        (OperationKind::Query, Some("A"))
    );
    let b = operation(two, Some("B"), json!({})).unwrap();
    assert_eq!(
        (b.kind, &*b.root_fields),
        (OperationKind::Mutation, &["clear".to_owned()][..])
    );
    for (text, name) in [
        (two, None),
        (two, Some("C")),
        (two, Some("")),
        ("{ cat { id } }", Some("A")),
    ] {
        let refusal = operation(text, name, json!({})).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::OperationResolutionFailure);
        assert_eq!(refusal.code.as_str(), "OPERATION_RESOLUTION_FAILURE");
    }
    let named_alone = operation("query A { cat { id } }", None, json!({})).unwrap();
    assert_eq!(named_alone.name.as_deref(), Some("A"));
}

#[test]
fn roots_and_introspection_are_told() {
    let text = "{ a: cat { id } b: cat { id } ...F } fragment F on Query { ... { __typename dog { id } } }";
    let operation_of = |text| operation(text, None, json!({})).unwrap();
    let found = operation_of(text);
    assert_eq!(&*found.root_fields, ["cat", "__typename", "dog"]);
    assert!(!found.introspects);
    assert!(
        operation_of("{ ...F } fragment F on Query { t: __type(name: \"Cat\") { name } }")
            .introspects
    );
    assert!(operation_of("{ __schema { queryType { name } } }").introspects);
    let listening = operation_of("subscription { fed { id } }");
    assert_eq!(listening.kind, OperationKind::Subscription);
}

#[test]
fn refusals_say_where() {
    let guard = Guard::new(PETS, Limits::default()).unwrap();
    let refusal = guard
        .check("{\n  cat {\r\n    é wings\n  }\n}")
        .unwrap_err();
    assert_eq!(refusal.code.as_str(), "GRAPHQL_PARSE_FAILED");
    let place = refusal.errors[0].locations[0];
    assert_eq!((place.line, place.column), (3, 5));
    let refusal = guard
        .check("{ cat { wings tail } # é\n dog { fins } }")
        .unwrap_err();
    assert_eq!(refusal.code.as_str(), "GRAPHQL_VALIDATION_FAILED");
    let places: Vec<_> = refusal
        .errors
        .iter()
        .map(|e| (e.locations[0].line, e.locations[0].column))
        .collect();
    assert_eq!(places, [(1, 9), (1, 15), (2, 8)]);
    assert_eq!(
        refusal.errors[0].message,
        "Cannot query field \"wings\" on type \"Cat\"."
    );
    assert!(refusal.limit.is_none());
}

#[test]
fn verdicts_are_kept() {
    let guard = Guard::new(PETS, Limits::default()).unwrap();
    let text = "{ cat { id } }";
    let (first, second) = (guard.check(text).unwrap(), guard.check(text).unwrap());
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    let refused = |text| guard.check(text).unwrap_err();
    assert_eq!(refused("{ wings }"), refused("{ wings }"));
    assert_eq!(first.operation(None, &Map::new()).unwrap().cost, 1);
}
