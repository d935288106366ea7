//! Who may import whom.
//!
//! `http → graphql → <domain>::graphql → <domain>::ops → <domain>::store → db`, and `http → dialects → <domain>::ops`.

use super::sources::{Source, rust};

/// Rooms of `src` that are not domains.
const NOT_DOMAINS: [&str; 12] = [
    "app", "authn", "cli", "config", "ctx", "db", "dialects", "error", "graphql", "http", "lib",
    "main",
];

/// The room that a file is in: `db`, `http`, `graphql`, or for domains `ops`, `store`, `graphql`, `model`, `mod`.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Level {
    /// `db`, `error`, `ctx`, `secrets`, `text` and other ground floor rooms.
    Ground,
    Model,
    Store,
    Ops,
    DomainGraphql,
    Graphql,
    Dialects,
    Http,
    /// `app`, `main`, `cli`, `config`: they put the rest together.
    Top,
}

fn domain(path: &str) -> Option<&str> {
    let (first, _) = path.strip_prefix("src/")?.split_once('/')?;
    (!NOT_DOMAINS.contains(&first) && !["secrets", "text", "telemetry"].contains(&first))
        .then_some(first)
}

fn level(path: &str) -> Level {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let first = inner.split(['/', '.']).next().unwrap_or_default();
    match first {
        "http" => return Level::Http,
        "graphql" => return Level::Graphql,
        "dialects" => return Level::Dialects,
        "app" | "main" | "cli" | "config" | "lib" | "telemetry" => return Level::Top,
        "db" | "error" | "ctx" | "secrets" | "text" => return Level::Ground,
        _ => {}
    }
    let room = inner
        .split('/')
        .nth(1)
        .unwrap_or_default()
        .trim_end_matches(".rs");
    match room {
        "graphql" => Level::DomainGraphql,
        "store" => Level::Store,
        "model" => Level::Model,
        _ => Level::Ops,
    }
}

/// The lines of code, without comments and strings that merely speak of a crate.
fn code(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    source
        .text
        .lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
}

fn refuse(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

fn lines_where(sources: &[Source], wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in code(source) {
            if wrong(&source.path, line) {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    found
}

#[test]
fn diesel_stays_with_the_database() {
    let speaks = |line: &str| {
        line.contains("diesel::") || line.contains("diesel_async::") || line.contains("use diesel")
    };
    let may = |path: &str| {
        path.starts_with("src/db/") || matches!(level(path), Level::Store | Level::Model)
    };
    let found = lines_where(&rust(&["src"]), |path, line| speaks(line) && !may(path));
    refuse(
        found,
        "diesel is for src/db, stores, and the derive lines of models",
    );
    let queries = [
        "RunQueryDsl",
        "insert_into",
        "sql_query",
        ".load(",
        ".execute(",
    ];
    let found = lines_where(&rust(&["src"]), |path, line| {
        level(path) == Level::Model && queries.iter().any(|query| line.contains(query))
    });
    refuse(
        found,
        "a model has rows and values; statements are its store's",
    );
}

#[test]
fn async_graphql_stays_with_graphql() {
    let may = |path: &str| {
        matches!(level(path), Level::Graphql | Level::DomainGraphql)
            || path == "src/dialects/wandb.rs"
            || path.starts_with("src/dialects/wandb/")
    };
    let found = lines_where(&rust(&["src"]), |path, line| {
        line.contains("async_graphql") && !may(path)
    });
    refuse(
        found,
        "async_graphql is for src/graphql and the domains' graphql rooms",
    );
}

#[test]
fn axum_stays_with_http() {
    let found = lines_where(&rust(&["src"]), |path, line| {
        (line.contains("axum::") || line.contains("use axum"))
            && !matches!(level(path), Level::Http | Level::Dialects)
    });
    refuse(found, "axum is for src/http and the dialects");
}

#[test]
fn a_store_is_private_to_its_domain() {
    let found = lines_where(&rust(&["src"]), |path, line| {
        let Some((before, _)) = line.split_once("::store") else {
            return false;
        };
        let owner: String = before
            .chars()
            .rev()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let owner: String = owner.chars().rev().collect();
        !["super", "self", "crate", ""].contains(&owner.as_str())
            && domain(path) != Some(owner.as_str())
    });
    refuse(
        found,
        "a store is private: call the domain's ops, or read its model",
    );
    let found = lines_where(&rust(&["src"]), |_, line| line.contains("pub mod store"));
    refuse(found, "a store's module is private to its domain");
}

#[test]
fn nothing_reaches_upwards() {
    let sources = rust(&["src"]);
    let found = lines_where(&sources, |path, line| {
        let reaches = |room: &str| {
            line.contains(&format!("crate::{room}::")) || line.contains(&format!("crate::{room}}}"))
        };
        match level(path) {
            Level::Top => false,
            Level::Http | Level::Dialects => reaches("config"),
            Level::Graphql => {
                reaches("http") || reaches("dialects") || reaches("app") || reaches("config")
            }
            Level::DomainGraphql => {
                reaches("http")
                    || reaches("dialects")
                    || reaches("app")
                    || reaches("config")
                    || line.contains("graphql::schema")
            }
            Level::Ops | Level::Model | Level::Store => {
                ["http", "dialects", "app", "config", "graphql"]
                    .iter()
                    .any(|room| reaches(room))
                    || (line.contains("::graphql::") && line.contains("crate::"))
            }
            Level::Ground => ["http", "dialects", "app", "config", "graphql"]
                .iter()
                .any(|room| reaches(room)),
        }
    });
    refuse(found, "imports go downwards only");
}

#[test]
fn stores_do_not_call_operations() {
    let found = lines_where(&rust(&["src"]), |path, line| {
        level(path) == Level::Store && (line.contains("::ops::") || line.contains("super::ops"))
    });
    refuse(found, "a store knows SQL, not operations");
}

#[test]
fn every_changing_operation_has_its_five_steps() {
    let mut seen = 0;
    let mut found = Vec::new();
    for source in rust(&["src"]) {
        if level(&source.path) != Level::Ops || !source.text.contains("ctx.db.begin") {
            continue;
        }
        seen += 1;
        let place = |step: &str| source.text.find(step);
        let order = [
            ("authorise", place("access::").or(place("authorise("))),
            ("one transaction", place("ctx.db.begin")),
            ("audit in it", place("audit::record(")),
            ("commit", place(".commit()")),
            ("publish after commit", place("events.publish()")),
        ];
        for (step, at) in order {
            if at.is_none() {
                found.push(format!("{}: no step '{step}'", source.path));
            }
        }
        let (begin, commit, publish) = (
            place("ctx.db.begin"),
            place(".commit()"),
            place("events.publish()"),
        );
        if !(begin < commit && commit < publish) {
            found.push(format!(
                "{}: begin, commit and publish stand in another order",
                source.path
            ));
        }
    }
    assert!(
        seen > 2,
        "the rule found {seen} changing operations: it looks in the wrong place"
    );
    refuse(
        found,
        "validate → authorise → one transaction with its audit row → publish after commit → return",
    );
}

#[test]
fn a_nullable_field_that_fails_is_null_and_no_more() {
    let found = lines_where(&rust(&["src"]), |path, line| {
        matches!(level(path), Level::Graphql | Level::DomainGraphql)
            && line.trim_start().starts_with(") -> Result<Option<")
            || matches!(level(path), Level::Graphql | Level::DomainGraphql)
                && line.contains("(&self")
                && line.contains("-> Result<Option<")
    });
    refuse(
        found,
        "the engine nulls the parent of a failing Result<Option<T>>: a resolver returns Option<Result<T>>",
    );
}
