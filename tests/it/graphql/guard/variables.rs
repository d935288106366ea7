//! Variables that do not fit their declarations, and what is said about them.

use keystead::graphql::guard::{Guard, Limits, RefusalCode};
use serde_json::{Value, json};

use super::verdicts::PETS;

/// Paths and messages of what is wrong with `variables`; none if they fit.
fn faults(declared: &str, used: &str, variables: &Value) -> Vec<(String, String)> {
    let guard = Guard::new(PETS, Limits::default()).unwrap();
    let text = format!("query({declared}) {{ {used} }}");
    let checked = guard.check(&text).unwrap();
    let variables = variables.as_object().expect("an object");
    let Err(refusal) = checked.operation(None, variables) else {
        return Vec::new();
    };
    assert_eq!(refusal.code, RefusalCode::BadUserInput);
    let fault = |fault: &keystead::graphql::guard::Fault| {
        let path = fault.path.clone().expect("a path");
        assert!(fault.message.contains(&path), "{}", fault.message);
        (path, fault.message.clone())
    };
    refusal.errors.iter().map(fault).collect()
}

fn one(ty: &str, value: Value) -> String {
    let used = match ty.trim_end_matches('!') {
        "Int" => "sum(a: 1, b: $x)",
        "Float" => "echo(number: $x)",
        "Boolean" => "echo(flag: $x)",
        "String" => "echo(text: $x)",
        "ID" => "echo(id: $x)",
        "JSON" => "echo(json: $x)",
        "DateTime" => "echo(when: $x)",
        "Size" => "named(size: $x) { name }",
        "[Int]" | "[Int!]" => "sum(a: 1, c: $x)",
        "[[Int!]!]" => "sum(a: 1, d: $x)",
        "PetBy" => "dog(by: $x) { id }",
        "PetFilter" => "named(filter: $x) { name }",
        other => panic!("{other}"),
    };
    let found = faults(&format!("$x: {ty}"), used, &json!({ "x": value }));
    found
        .into_iter()
        .map(|(_, message)| message)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn values_that_fit() {
    for (ty, value) in [
        ("Int", json!(2_147_483_647)),
        ("Int", json!(-2_147_483_648)),
        ("Int", json!(null)),
        ("Float", json!(1)),
        ("Float", json!(1e300)),
        ("Boolean", json!(false)),
        ("String", json!("")),
        ("ID", json!("a")),
        ("ID", json!(18_446_744_073_709_551_615_u64)),
        ("JSON", json!({ "a": [1, { "b": null }] })),
        ("DateTime", json!(17)),
        ("Size", json!("SMALL")),
        ("[Int]", json!([1, null])),
        ("[Int]", json!(5)),
        ("[[Int!]!]", json!(5)),
        ("[[Int!]!]", json!([1, [2, 3]])),
        ("PetBy", json!({ "id": 1 })),
        (
            "PetFilter",
            json!({ "or": { "mood": "SAD" }, "extra": [], "flags": [[true]] }),
        ),
    ] {
        assert_eq!(one(ty, value.clone()), "", "{ty} {value}");
    }
    let absent = json!({ "other": 1 });
    assert_eq!(faults("$x: Int", "sum(a: 1, b: $x)", &absent), []);
    assert_eq!(faults("$x: Int! = 1", "sum(a: $x)", &absent), []);
}

#[test]
fn values_that_do_not() {
    for (ty, value, message) in [
        (
            "Int",
            json!(2_147_483_648_u64),
            "`variables.x` must be of type Int, but it is 2147483648: whole numbers from -2147483648 to 2147483647 are right.",
        ),
        (
            "Int",
            json!(1.5),
            "`variables.x` must be of type Int, but it is 1.5: whole numbers from -2147483648 to 2147483647 are right.",
        ),
        (
            "Int",
            json!("1"),
            "`variables.x` must be of type Int, but it is a string.",
        ),
        (
            "Float",
            json!("1"),
            "`variables.x` must be of type Float, but it is a string.",
        ),
        (
            "Boolean",
            json!(0),
            "`variables.x` must be of type Boolean, but it is a number.",
        ),
        (
            "String",
            json!(1),
            "`variables.x` must be of type String, but it is a number.",
        ),
        (
            "String",
            json!(["a"]),
            "`variables.x` must be of type String, but it is a list.",
        ),
        (
            "ID",
            json!(1.5),
            "`variables.x` must be of type ID, but it is a number.",
        ),
        (
            "ID",
            json!(true),
            "`variables.x` must be of type ID, but it is a boolean.",
        ),
        (
            "JSON!",
            json!(null),
            "`variables.x` must be of type JSON!, but it is null.",
        ),
        (
            "Size",
            json!("HUGE"),
            "`variables.x` must be of type Size, but it is none of its values: LARGE, SMALL.",
        ),
        (
            "Size",
            json!(1),
            "`variables.x` must be of type Size, but it is a number.",
        ),
        (
            "[Int!]",
            json!([1, null, "a"]),
            "`variables.x.1` must be of type Int!, but it is null. `variables.x.2` must be of type Int, but it is a string.",
        ),
        (
            "[[Int!]!]",
            json!([[1], null]),
            "`variables.x.1` must be of type [Int!]!, but it is null.",
        ),
        (
            "PetBy",
            json!({}),
            "`variables.x` must be of type PetBy, with exactly one of id, name, meal, and not null.",
        ),
        (
            "PetBy",
            json!({ "id": 1, "name": "a" }),
            "`variables.x` must be of type PetBy, with exactly one of id, name, meal, and not null.",
        ),
        (
            "PetBy",
            json!({ "id": null }),
            "`variables.x` must be of type PetBy, with exactly one of id, name, meal, and not null.",
        ),
        (
            "PetBy",
            json!("a"),
            "`variables.x` must be of type PetBy, but it is a string.",
        ),
        (
            "PetBy",
            json!({ "meal": {} }),
            "`variables.x.meal.food` must be of type String!, but it was not provided.",
        ),
        (
            "PetFilter",
            json!({ "age": null }),
            "`variables.x.age` must be of type Int!, but it is null.",
        ),
        (
            "PetFilter",
            json!({ "not": { "wings": 2 } }),
            "`variables.x.not.wings` is not a field of PetFilter.",
        ),
        (
            "PetFilter",
            json!({ "or": [{ "moods": ["SAD", "GLAD"] }] }),
            "`variables.x.or.0.moods.1` must be of type Mood, but it is none of its values: ANGRY, HAPPY, SAD.",
        ),
    ] {
        assert_eq!(one(ty, value.clone()), message, "{ty} {value}");
    }
}

#[test]
fn absent_values_and_many_faults() {
    let absent = faults("$x: Int!", "sum(a: $x)", &json!({}));
    assert_eq!(
        absent,
        [(
            "variables.x".to_owned(),
            "`variables.x` must be of type Int!, but it was not provided.".to_owned()
        )]
    );
    let null = faults("$x: Int! = 1", "sum(a: $x)", &json!({ "x": null }));
    assert_eq!(null.len(), 1);
    let many = faults(
        "$x: [Int]",
        "sum(a: 1, c: $x)",
        &json!({ "x": vec!["a"; 5_000] }),
    );
    assert_eq!(many.len(), 10);
    let secret = faults("$x: Int", "sum(a: 1, b: $x)", &json!({ "x": "hunter2" }));
    assert!(!secret[0].1.contains("hunter2"));
}
