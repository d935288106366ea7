//! The sources as text, and rules that hold for every file.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from the repository's root, and its text.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// Every Rust file below these folders.
pub fn rust(folders: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in folders {
        collect(&root.join(folder), &mut found);
    }
    let mut sources: Vec<Source> = found
        .into_iter()
        .map(|path| Source {
            text: fs::read_to_string(&path).unwrap(),
            path: path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/"),
        })
        .collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        !sources.is_empty(),
        "no sources found: these rules would hold for nothing"
    );
    sources
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long: Vec<String> = rust(&["src", "tests", "benches", "fuzz/fuzz_targets"])
        .iter()
        .filter(|source| source.text.lines().count() > 400)
        .map(|source| format!("{} ({})", source.path, source.text.lines().count()))
        .collect();
    assert!(long.is_empty(), "split these files: {long:?}");
}

#[test]
fn there_is_no_room_without_a_name() {
    let vague = ["utils", "util", "helpers", "helper", "common", "misc"];
    let found: Vec<String> = rust(&["src"])
        .into_iter()
        .map(|source| source.path)
        .filter(|path| {
            path.trim_end_matches(".rs")
                .split('/')
                .any(|part| vague.contains(&part))
        })
        .collect();
    assert!(
        found.is_empty(),
        "say what these are for in their names: {found:?}"
    );
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [
        "TO".to_owned() + "DO",
        "FIX".to_owned() + "ME",
        "unimplement".to_owned() + "ed!",
    ];
    for source in rust(&["src", "tests", "benches"]) {
        for mark in &marks {
            assert!(
                !source.text.contains(mark.as_str()),
                "{} says {mark}",
                source.path
            );
        }
    }
}

#[test]
fn every_room_says_what_it_is_for() {
    for source in rust(&["src"]) {
        let first = source
            .text
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        assert!(
            first.starts_with("//!") || first.starts_with("// @generated"),
            "{} begins without a doc comment",
            source.path
        );
    }
}

#[test]
fn no_trait_has_a_single_implementation() {
    let sources = rust(&["src"]);
    let all: String = sources
        .iter()
        .map(|source| source.text.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    for line in all.lines().map(str::trim_start) {
        let declared = [
            "trait ",
            "pub trait ",
            "pub(crate) trait ",
            "pub(super) trait ",
        ]
        .iter()
        .find_map(|begin| line.strip_prefix(begin));
        if let Some(rest) = declared {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let implementations = all.matches(&format!("{name} for ")).count()
                + all.matches(&format!("{name}<")).filter(|_| false).count();
            assert!(
                implementations != 1,
                "trait {name} has a single implementation: use the type"
            );
        }
    }
}
