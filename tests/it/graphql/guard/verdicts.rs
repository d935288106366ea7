//! The guard's verdicts equal graphql-js's: on documents with a name, on a committed corpus of generated ones, and, where
//! node is at hand, on fresh ones (`tests/clients/graphql-js/run.sh`).

use std::io::Write;
use std::process::{Command, Stdio};

use apollo_compiler::Schema;
use keystead::graphql::guard::{Guard, Limits, RefusalCode};
use serde_json::{Value, json};

use super::generate;

pub const PETS: &str = include_str!("pets.graphql");
const NAMED: &str = include_str!("named.jsonl");
const GENERATED: &str = include_str!("generated.jsonl");

/// Limits that no document of these tests comes near: only the verdict counts.
pub fn lax() -> Limits {
    Limits {
        max_aliases: 100_000,
        max_root_fields: 100_000,
        max_mutation_root_fields: 100_000,
        max_directives: 100_000,
        max_fields: 100_000,
        max_depth: 100,
        max_expanded_nesting: 200,
        max_cost: u64::MAX,
        ..Limits::default()
    }
}

/// What the guard says, and why if not yes.
fn verdict(guard: &Guard, document: &str) -> (bool, String) {
    match guard.check_afresh(document) {
        Ok(_) => (true, String::new()),
        Err(refusal) => {
            assert_ne!(
                refusal.code,
                RefusalCode::LimitExceeded,
                "a limit, not a verdict: {refusal} on {document}"
            );
            (false, refusal.to_string())
        }
    }
}

fn compare(guard: &Guard, lines: &str) -> usize {
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let document = line["document"].as_str().expect("a document");
        let expected = line["valid"].as_bool().expect("a verdict");
        let (valid, why) = verdict(guard, document);
        if valid != expected {
            wrong.push(format!(
                "{}: graphql-js says {expected}, the guard {valid} {why}\n{document}",
                line["name"]
            ));
        }
        count += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} verdicts differ:\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    count
}

#[test]
fn documents_with_a_name() {
    let guard = Guard::new(PETS, lax()).unwrap();
    assert!(compare(&guard, NAMED) > 200);
}

#[test]
fn generated_documents() {
    let guard = Guard::new(PETS, lax()).unwrap();
    assert!(compare(&guard, GENERATED) >= 2_000);
}

/// Needs node: `VERDICTS` is the number of documents, `SEED` where to begin, `SCHEMA` the path of another schema, `KEEP`
/// a file to write the short ones to, as a corpus.
#[test]
#[ignore = "needs node; tests/clients/graphql-js/run.sh runs it"]
fn fresh_documents() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
    };
    let (count, seed) = (number("VERDICTS", 3_000), number("SEED", 1));
    let root = env!("CARGO_MANIFEST_DIR");
    let path = std::env::var("SCHEMA")
        .unwrap_or_else(|_| format!("{root}/tests/it/graphql/guard/pets.graphql"));
    let sdl = std::fs::read_to_string(&path).expect("a schema");
    let guard = Guard::new(&sdl, lax()).unwrap();
    let schema = Schema::parse(&sdl, "schema").expect("a schema");
    let documents: Vec<String> = (0..count)
        .map(|n| generate::document(&schema, seed.wrapping_add(n)))
        .collect();

    let mut node = Command::new("node")
        .arg(format!("{root}/tests/clients/graphql-js/verdicts.mjs"))
        .arg(format!("fresh={path}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node");
    let mut input = node.stdin.take().unwrap();
    let lines: String = documents
        .iter()
        .map(|document| json!({ "schema": "fresh", "document": document }).to_string() + "\n")
        .collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();

    let (mut corpus, mut short) = (String::new(), String::new());
    for (n, (document, answer)) in documents.iter().zip(answers.lines()).enumerate() {
        let answer: Value = serde_json::from_str(answer).unwrap();
        let name = format!(
            "{} {}",
            seed + n as u64,
            answer["error"].as_str().unwrap_or("")
        );
        let line = json!({ "name": name, "document": document, "valid": answer["valid"] });
        corpus += &(line.to_string() + "\n");
        if document.len() < 400 {
            short += &(line.to_string() + "\n");
        }
    }
    if let Ok(keep) = std::env::var("KEEP") {
        std::fs::write(keep, &short).unwrap();
    }
    let valid = corpus.matches("\"valid\":true").count();
    eprintln!("{count} documents from seed {seed}: {valid} valid by graphql-js");
    assert_eq!(compare(&guard, &corpus) as u64, count);
}
