//! Every attack is refused, soon, on the stack of a worker; and what is accepted at the limits, the engine's parser
//! survives.

use std::thread;
use std::time::{Duration, Instant};

use async_graphql::parser::{Error, parse_query};
use keystead::graphql::guard::{Guard, Limits, RefusalCode};
use serde_json::{Map, Value, json};

use super::verdicts::PETS;
use crate::graphql::attacks::{self, many, nested};

/// Runs on a stack of 2 MiB, which is what tokio gives its workers.
fn on_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(run)
        .expect("a thread")
        .join()
        .expect("no panic")
}

fn limit_of(guard: &Guard, text: &str) -> Option<&'static str> {
    let refusal = guard.check_afresh(text).err()?;
    assert_eq!(refusal.code, RefusalCode::LimitExceeded, "{refusal}");
    let hit = refusal.limit.expect("a limit");
    assert!(hit.found > hit.limit);
    assert!(refusal.to_string().contains(&hit.limit.to_string()));
    Some(hit.name)
}

#[test]
fn every_attack_is_refused() {
    let slow: Vec<String> = on_small_stack(|| {
        let guard = Guard::new(PETS, Limits::default()).unwrap();
        let mut slow = Vec::new();
        for (name, text) in attacks::all() {
            let start = Instant::now();
            let verdict = guard.check(&text);
            let time = start.elapsed();
            let refusal = verdict.err().unwrap_or_else(|| panic!("accepted: {name}"));
            assert!(
                !refusal.errors.is_empty() && refusal.errors.len() <= 10,
                "{name}"
            );
            assert!(
                refusal.to_string().len() < 8_000,
                "too much said of: {name}"
            );
            // Without optimisation, and on a busy machine: a bomb would take minutes or for ever.
            if time > Duration::from_secs(2) {
                slow.push(format!("{name}: {time:?}"));
            }
        }
        slow
    });
    assert!(slow.is_empty(), "slow: {slow:#?}");
}

/// Even with every limit at the greatest the guard allows, no attack overflows the stack.
#[test]
fn the_greatest_limits_are_safe() {
    on_small_stack(|| {
        let limits = Limits {
            max_bytes: 16 * 1024 * 1024,
            max_tokens: 1_000_000,
            max_nesting: 200,
            max_definitions: 1_000,
            max_depth: 100,
            max_expanded_nesting: 200,
            ..Limits::default()
        };
        let guard = Guard::new(PETS, limits).unwrap();
        let attacks = attacks::all();
        let count = attacks.len();
        let accepted: Vec<&str> = attacks
            .into_iter()
            .filter(|(_, text)| guard.check_afresh(text).is_ok())
            .map(|(name, _)| name)
            .collect();
        // With so much room some are only large.
        assert!(accepted.len() < count / 10, "accepted: {accepted:?}");
        let deepest = [
            format!("{{ echo(json: {}) }}", nested("[", "1", "]", 198)),
            format!("{{ echo(json: {}) }}", nested("{a:", "1", "}", 198)),
            format!("{{ {} }}", nested("...{", "__typename", "}", 199)),
            nested("{ cat { owner ", "{ id }", "} }", 1),
            format!("{{ named {} }}", nested("{ friend ", "{ name }", "}", 97)),
        ];
        for text in deepest {
            guard
                .check_afresh(&text)
                .unwrap_or_else(|refusal| panic!("{refusal}: {text}"));
            // It has a limit of its own for some of these; what counts is that it comes back.
            let parsed = parse_query(&text);
            assert!(matches!(parsed, Ok(_) | Err(Error::RecursionLimitExceeded)));
        }
    });
}

#[test]
fn limits_that_would_not_be_safe_are_refused() {
    let set = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        Guard::new(PETS, limits).map(|_| ()).unwrap_err()
    };
    assert!(set(|l| l.max_nesting = 201).starts_with("max_nesting is 201"));
    assert!(set(|l| l.max_depth = 101).starts_with("max_depth is 101"));
    assert!(set(|l| l.max_bytes = 1 << 30).starts_with("max_bytes is 1073741824"));
    assert!(set(|l| l.max_page = 10).starts_with("default_page is 20"));
}

/// Each limit, met and passed by one.
#[test]
fn each_limit_holds_exactly() {
    let guard = Guard::new(PETS, Limits::default()).unwrap();
    let limits = guard.limits().clone();
    let typenames = |n: u64| format!("{{ cat {{ {} }} }}", "__typename ".repeat(n as usize));
    let aliases = |n: u64| {
        format!(
            "{{ cat {{ {} }} }}",
            many(n as usize, |n| format!("a{n}: id "))
        )
    };
    let friends = |n: u64| {
        format!(
            "{{ named {} }}",
            nested("{ friend ", "{ name }", "}", n as usize - 2)
        )
    };
    type Row = (&'static str, Box<dyn Fn(u64) -> String>, u64);
    let table: Vec<Row> = vec![
        (
            "max_bytes",
            Box::new(|n| format!("{{cat{{id}}}}{}", " ".repeat(n as usize - 9))),
            limits.max_bytes as u64,
        ),
        (
            "max_tokens",
            Box::new(|n| format!("{{ sum(a: 1, c: [{}]) }}", "1,".repeat(n as usize - 12))),
            limits.max_tokens as u64,
        ),
        (
            "max_nesting",
            Box::new(|n| {
                format!(
                    "{{ echo(json: {}) }}",
                    nested("[", "1", "]", n as usize - 2)
                )
            }),
            limits.max_nesting as u64,
        ),
        (
            "max_definitions",
            Box::new(|n| many(n as usize, |n| format!("query Q{n} {{ cat {{ id }} }} "))),
            limits.max_definitions as u64,
        ),
        (
            "max_variables",
            Box::new(|n| {
                let defined = many(n as usize, |n| format!("$v{n}: Int "));
                let used = many(n as usize, |n| format!("$v{n} "));
                format!("query({defined}) {{ sum(a: 1, c: [{used}]) }}")
            }),
            limits.max_variables as u64,
        ),
        ("max_aliases", Box::new(aliases), limits.max_aliases),
        ("max_typename", Box::new(typenames), limits.max_typename),
        ("max_depth", Box::new(friends), limits.max_depth),
        (
            "max_root_fields",
            Box::new(|n| {
                format!(
                    "{{ {} }}",
                    many(n as usize, |n| format!("a{n}: cat {{ id }} "))
                )
            }),
            limits.max_root_fields,
        ),
        (
            "max_mutation_root_fields",
            Box::new(|n| {
                let spreads = "...F ".repeat(n as usize);
                format!("mutation {{ {spreads} }} fragment F on Mutation {{ clear }}")
            }),
            limits.max_mutation_root_fields,
        ),
        (
            "max_directives",
            Box::new(|n| format!("{{ cat {{ id {} }} }}", "@tag ".repeat(n as usize))),
            limits.max_directives,
        ),
        (
            "max_spreads",
            Box::new(|n| {
                format!(
                    "{{ cat {{ {} }} }} fragment F on Cat {{ id }}",
                    "...F ".repeat(n as usize)
                )
            }),
            limits.max_spreads,
        ),
        (
            "max_fields",
            Box::new(|n| format!("{{ cat {{ {} }} }}", "id ".repeat(n as usize - 1))),
            limits.max_fields,
        ),
        (
            "max_expanded_nesting",
            Box::new(|n| {
                let inner = nested("...{", "id", "}", n as usize - 32);
                let outer = nested("...{", "...F", "}", 29);
                format!("{{ cat {{ {outer} }} }} fragment F on Cat {{ {inner} }}")
            }),
            limits.max_expanded_nesting,
        ),
    ];
    for (name, text, limit) in table {
        assert_eq!(limit_of(&guard, &text(limit)), None, "{name} at its limit");
        assert_eq!(limit_of(&guard, &text(limit + 1)), Some(name));
    }
}

#[test]
fn variables_have_limits() {
    let guard = Guard::new(PETS, Limits::default()).unwrap();
    let checked = guard
        .check("query($json: JSON) { echo(json: $json) }")
        .unwrap();
    let with = |json: Value| {
        let variables = Map::from_iter([("json".to_owned(), json)]);
        checked
            .operation(None, &variables)
            .map(|operation| operation.cost)
    };
    let deep = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(with(deep(32)), Ok(1));
    let hit = |json: Value| with(json).unwrap_err().limit.expect("a limit").name;
    assert_eq!(hit(deep(33)), "max_variables_nesting");
    assert_eq!(hit(json!(vec![0; 10_001])), "max_variables_values");
    assert_eq!(hit(json!("x".repeat(300_000))), "max_variables_bytes");
    assert_eq!(
        hit(json!({ "x".repeat(300_000): 1 })),
        "max_variables_bytes"
    );
    assert_eq!(hit(deep(500)), "max_variables_nesting");
}

/// Fields of an interface that merge with those of two objects, at each level in another way: to compare them all takes
/// exponential time, whatever the algorithm.
fn merging(depth: usize) -> String {
    fn mixed(depth: usize, at: usize) -> String {
        if at == depth {
            return "name".to_owned();
        }
        let (below, dog, cat) = (
            mixed(depth, at + 1),
            own(depth, at + 1, "d"),
            own(depth, at + 1, "c"),
        );
        format!(
            "... on Named {{ f: friend {{ {below} }} }} ... on Dog {{ f: friend {{ {dog} }} }} ... on Cat {{ f: friend {{ {cat} }} }}"
        )
    }
    fn own(depth: usize, at: usize, mark: &str) -> String {
        if at >= depth {
            return format!("{mark}{at}: name");
        }
        format!(
            "{mark}{at}: name f: friend {{ {} }}",
            own(depth, at + 1, mark)
        )
    }
    format!("{{ named {{ {} }} }}", mixed(depth, 0))
}

#[test]
fn merging_fields_has_a_budget() {
    let limits = Limits {
        max_fields: u64::MAX,
        max_aliases: u64::MAX,
        max_depth: 100,
        ..Limits::default()
    };
    let guard = Guard::new(PETS, limits).unwrap();
    assert_eq!(limit_of(&guard, &merging(6)), None);
    let start = Instant::now();
    assert_eq!(limit_of(&guard, &merging(18)), Some("max_validation_work"));
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    // With the default limits it does not come that far.
    let guard = Guard::new(PETS, Limits::default()).unwrap();
    assert!(guard.check_afresh(&merging(18)).is_err());
}
