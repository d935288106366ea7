//! What a fuzzer does with one input, whichever fuzzer it is.

use std::sync::LazyLock;

use async_graphql_parser::parse_query;
use serde_json::{Map, json};

#[path = "../../tests/it/graphql/attacks.rs"]
pub mod attacks;
#[path = "../../src/graphql/guard/mod.rs"]
pub mod guard;

use guard::{Guard, Limits};

/// The schema the guard is fuzzed with.
pub const SCHEMA: &str = include_str!("../../tests/it/graphql/guard/pets.graphql");
/// Documents to begin with, as JSON lines, beside the attacks.
pub const NAMED: &str = include_str!("../../tests/it/graphql/guard/named.jsonl");

static DEFAULT: LazyLock<Guard> = LazyLock::new(|| new(Limits::default()));
/// The greatest limits that can be set, so that documents get as far as they can.
static GREATEST: LazyLock<Guard> = LazyLock::new(|| {
    new(Limits {
        max_nesting: 200,
        max_definitions: 1_000,
        max_aliases: u64::MAX,
        max_root_fields: u64::MAX,
        max_mutation_root_fields: u64::MAX,
        max_directives: u64::MAX,
        max_typename: u64::MAX,
        max_spreads: u64::MAX,
        max_fields: u64::MAX,
        max_depth: 100,
        max_expanded_nesting: 200,
        max_cost: u64::MAX,
        ..Limits::default()
    })
});

fn new(limits: Limits) -> Guard {
    Guard::new(SCHEMA, limits).expect("the schema and the limits are fixed")
}

/// Checks `data` as a document. Whatever it is, this returns; and what the guard lets pass, the engine's parser survives.
/// Answers whether it was let pass.
pub fn try_one(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let verdict = DEFAULT.check_afresh(text);
    let again = DEFAULT.check(text);
    assert_eq!(verdict.is_ok(), again.is_ok(), "a verdict changed");
    if let Ok(checked) = GREATEST.check_afresh(text) {
        let variables = Map::from_iter([("v1".to_owned(), json!(7)), ("x".to_owned(), json!([1]))]);
        let _ = checked.operation(None, &variables);
        let _ = parse_query(text);
    }
    match &verdict {
        Ok(_) => {
            let _ = parse_query(text);
        }
        Err(refusal) => {
            assert!(!refusal.errors.is_empty());
            assert!(refusal.errors.len() <= guard::MAX_FAULTS);
        }
    }
    verdict.is_ok()
}

/// What to begin with: the documents with a name, and the attacks that are small enough to mutate.
pub fn seeds() -> Vec<String> {
    let named = NAMED.lines().filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(line["document"].as_str()?.to_owned())
    });
    let attacks = attacks::all().into_iter().map(|(_, text)| text);
    named
        .chain(attacks.filter(|text| text.len() < 64 * 1024))
        .collect()
}
