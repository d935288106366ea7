//! Documents that kill, or nearly kill, GraphQL servers: each with its name, for any schema. The guard's own tests check
//! them, and so does a test against the running server.

use std::fmt::Write;

/// `open`, as often as said, around `core`, and closed again.
pub fn nested(open: &str, core: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + core + &close.repeat(depth)
}

/// `each` for every number below `count`.
pub fn many(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect()
}

/// `{ ...F0 }`, and fragments on Query whose body may name the next.
fn chain(count: usize, body: impl Fn(&str) -> String) -> String {
    let mut text = "{ ...F0 } ".to_owned();
    for n in 0..count {
        let next = if n + 1 == count {
            "__typename".to_owned()
        } else {
            body(&format!("...F{}", n + 1))
        };
        write!(text, "fragment F{n} on Query {{ {next} }} ").unwrap();
    }
    text
}

/// Fields `a` and `b` that lead from a set of fragments to other sets, so that merging has to look at 2^depth of them.
fn powerset(depth: usize, width: usize) -> String {
    let mut text = String::from("{ __type(name: \"X\") { ...L0S0 } } ");
    for level in 0..depth {
        for state in 0..width {
            let to = |state: usize| {
                if level + 1 == depth {
                    "name".to_owned()
                } else {
                    format!("...L{}S{}", level + 1, state % width)
                }
            };
            write!(
                text,
                "fragment L{level}S{state} on __Type {{ a: ofType {{ {} {} }} b: ofType {{ {} }} }} ",
                to(state + 1),
                if state == 0 { to(0) } else { String::new() },
                if state == 0 { to(0) } else { to(state + 1) },
            )
            .unwrap();
        }
    }
    text
}

/// All attacks. Everything here is to be refused by any server with the default limits.
pub fn all() -> Vec<(&'static str, String)> {
    let mut attacks = nesting();
    attacks.extend(fragments());
    attacks.extend(numbers());
    attacks.extend(texts());
    attacks
}

fn nesting() -> Vec<(&'static str, String)> {
    let argument = |value: String| format!("{{ __type(name: {value}) {{ name }} }}");
    vec![
        (
            "a list literal 1,600 deep",
            argument(nested("[", "", "]", 1_600)),
        ),
        (
            "a list literal 30,000 deep",
            argument(nested("[", "1", "]", 30_000)),
        ),
        (
            "an object literal 1,300 deep",
            argument(nested("{a:", "1", "}", 1_300)),
        ),
        (
            "an object literal 15,000 deep",
            argument(nested("{a:", "1", "}", 15_000)),
        ),
        (
            "lists and objects 2,000 deep",
            argument(nested("[{a:", "1", "}]", 1_000)),
        ),
        ("fields 5,000 deep", nested("{ofType", "", "}", 5_000)),
        (
            "inline fragments 5,000 deep",
            format!("{{{}}}", nested("...{", "__typename", "}", 5_000)),
        ),
        (
            "a list type 1,600 deep",
            format!(
                "query($a: {}) {{ __typename }}",
                nested("[", "Int", "]", 1_600)
            ),
        ),
        (
            "a default 1,600 deep",
            format!(
                "query($a: Int = {}) {{ __typename }}",
                nested("[", "", "]", 1_600)
            ),
        ),
        (
            "a directive's argument 1,600 deep",
            format!(
                "{{ __typename @skip(if: {}) }}",
                nested("[", "", "]", 1_600)
            ),
        ),
        ("open braces", "{".repeat(50_000)),
        (
            "open brackets in an argument",
            format!("{{ a(b: {}", "[".repeat(50_000)),
        ),
        (
            "open parentheses",
            "query(".to_owned() + &"(".repeat(50_000),
        ),
        ("open fields", "{a".repeat(20_000)),
        ("closing brackets", "}".repeat(50_000)),
        (
            "brackets that strings only seem to hold",
            argument(format!("\"\\\"\" {}", nested("[", "\"]\"", "]", 1_600))),
        ),
        (
            "brackets after a block string with escaped quotes",
            argument(format!("\"\"\" \\\"\"\" \"\"\" {}", "[".repeat(1_600))),
        ),
        (
            "brackets after a comment with quotes",
            format!("{{ # \"\"\" \n {}", "{a".repeat(1_600)),
        ),
        (
            "deep introspection",
            format!(
                "{{ __schema {{ types {} }} }}",
                nested("{ fields { type ", "{ name }", "} }", 12)
            ),
        ),
        (
            "introspection three lists deep",
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
                .to_owned(),
        ),
    ]
}

fn fragments() -> Vec<(&'static str, String)> {
    let unused = |count: usize| {
        let chained = many(count, |n| {
            format!("fragment F{n} on Query {{ ...F{} }} ", n + 1)
        });
        format!("{{ __typename }} {chained} fragment F{count} on Query {{ __typename }}")
    };
    vec![
        ("6,000 chained unused fragments", unused(6_000)),
        ("90 chained unused fragments", unused(90)),
        ("3,000 chained fragments", chain(3_000, str::to_owned)),
        (
            "95 chained fragments, each 30 inline fragments deep",
            chain(95, |next| nested("...{", next, "}", 30)),
        ),
        ("a bomb of 2^30", chain(31, |next| format!("{next} {next}"))),
        ("a bomb of 2^90", chain(91, |next| format!("{next} {next}"))),
        (
            "a bomb of 10^20",
            chain(21, |next| format!("{next} ").repeat(10)),
        ),
        (
            "a bomb of aliases",
            chain(20, |next| format!("a: __typename {next} {next} {next}")),
        ),
        (
            "a bomb of directives",
            chain(20, |next| {
                format!("{next} @skip(if: false) {next} @include(if: true)")
            }),
        ),
        (
            "a fragment that spreads itself",
            "{ ...F } fragment F on Query { ...F }".to_owned(),
        ),
        (
            "a circle of 90 fragments",
            format!(
                "{{ ...F0 }} {}",
                many(90, |n| format!(
                    "fragment F{n} on Query {{ ...F{} }} ",
                    (n + 1) % 90
                ))
            ),
        ),
        (
            "90 fragments that all spread each other",
            format!(
                "{{ ...F0 }} {}",
                many(90, |n| format!(
                    "fragment F{n} on Query {{ {} }} ",
                    many(90, |m| format!("...F{m} "))
                ))
            ),
        ),
        ("fields whose merging is exponential", powerset(9, 10)),
        (
            "fields whose merging is exponential, narrow",
            powerset(16, 5),
        ),
        (
            "fields that merge pair by pair",
            format!("{{ {} }}", "__schema { types { name } } ".repeat(1_500)),
        ),
        (
            "fields that merge pair by pair, below each other",
            format!(
                "{{ {} }}",
                many(3, |_| nested(
                    "__type(name: \"X\") { ofType { ofType {",
                    "name kind",
                    "} } } ",
                    1
                )
                .repeat(300))
            ),
        ),
    ]
}

fn numbers() -> Vec<(&'static str, String)> {
    vec![
        (
            "5,000 aliases",
            format!("{{ {} }}", many(5_000, |n| format!("a{n}: __typename "))),
        ),
        (
            "150 aliases",
            format!("{{ {} }}", many(150, |n| format!("a{n}: __typename "))),
        ),
        (
            "9,000 typenames",
            format!("{{ {} }}", "__typename ".repeat(9_000)),
        ),
        (
            "600 typenames",
            format!("{{ __schema {{ {} }} }}", "__typename ".repeat(600)),
        ),
        (
            "2,000 directives on one field",
            format!("{{ __typename {} }}", "@skip(if: false) ".repeat(1_500)),
        ),
        (
            "9,000 unknown directives",
            format!("{{ __typename {} }}", "@a".repeat(4_500)),
        ),
        (
            "50 fields at the root",
            format!("{{ {} }}", many(50, |n| format!("a{n}: __typename "))),
        ),
        (
            "20 mutations at once",
            format!(
                "mutation {{ {} }}",
                many(20, |n| format!("a{n}: __typename "))
            ),
        ),
        (
            "20 mutations by fragments",
            format!(
                "mutation {{ {} }} fragment F on Mutation {{ __typename }}",
                "...F ".repeat(20)
            ),
        ),
        (
            "3,000 variables",
            format!(
                "query({}) {{ __typename }}",
                many(2_400, |n| format!("$v{n}: Int "))
            ),
        ),
        (
            "one variable 2,000 times",
            format!("query({}) {{ __typename }}", "$v: Int ".repeat(2_000)),
        ),
        (
            "3,000 operations",
            many(2_400, |n| format!("query Q{n} {{ __typename }} ")),
        ),
        (
            "3,000 operations without a name",
            "{ __typename }".repeat(3_000),
        ),
        (
            "3,000 arguments",
            format!(
                "{{ __type({}) {{ name }} }}",
                many(3_000, |n| format!("a{n}: 1 "))
            ),
        ),
        (
            "one argument 3,000 times",
            format!("{{ __type({}) {{ name }} }}", "name: \"X\" ".repeat(3_000)),
        ),
        (
            "an object of 3,000 equal keys",
            format!(
                "{{ __type(name: {{ {} }}) {{ name }} }}",
                "a: 1 ".repeat(3_000)
            ),
        ),
        (
            "a list of 9,000 nulls",
            format!("{{ __type(name: [{}]) {{ name }} }}", "null ".repeat(9_000)),
        ),
        (
            "9,000 wrong fields",
            format!("{{ {} }}", many(9_000, |n| format!("x{n} "))),
        ),
    ]
}

fn texts() -> Vec<(&'static str, String)> {
    let megabytes = 10 * 1024 * 1024;
    vec![
        ("nothing", String::new()),
        ("a byte order mark", "\u{feff}".to_owned()),
        ("NULs", "\0".repeat(1_000)),
        ("a NUL after a field", "{ __typename\0 }".to_owned()),
        ("10 MB of commas", ",".repeat(megabytes)),
        (
            "10 MB of comment",
            format!("#{}\n{{ __typename }}", "x".repeat(megabytes)),
        ),
        (
            "10 MB of string",
            format!(
                "{{ __type(name: \"{}\") {{ name }} }}",
                "x".repeat(megabytes)
            ),
        ),
        ("10 MB of braces", "{".repeat(megabytes)),
        (
            "60 kB of string, not closed",
            format!("{{ __type(name: \"{}", "\\\"".repeat(30_000)),
        ),
        (
            "60 kB of block string, not closed",
            format!("{{ __type(name: \"\"\"{}", "\\\"\"\"".repeat(15_000)),
        ),
        (
            "a number of 60,000 digits",
            format!("{{ __type(name: {}) {{ name }} }}", "9".repeat(60_000)),
        ),
        (
            "an exponent of 60,000 digits",
            format!("{{ __type(name: 1e{}) {{ name }} }}", "9".repeat(60_000)),
        ),
        (
            "a name of 60,000 letters",
            format!("{{ {} }}", "x".repeat(60_000)),
        ),
        (
            "a lone surrogate",
            "{ __type(name: \"\\uD800\") { name } }".to_owned(),
        ),
        (
            "surrogates in the wrong order",
            "{ __type(name: \"\\uDC00\\uD800\") { name } }".to_owned(),
        ),
        (
            "a character beyond unicode",
            "{ __type(name: \"\\u{FFFFFFFF}\") { name } }".to_owned(),
        ),
        ("a schema", "type Query { a: Int } ".repeat(1_000)),
        (
            "minus signs",
            format!("{{ __type(name: {}) {{ name }} }}", "-".repeat(9_000)),
        ),
        ("dots", ".".repeat(9_000)),
        ("backslashes", "\\".repeat(9_000)),
        ("emoji", "\u{1F4A3}".repeat(9_000)),
    ]
}
