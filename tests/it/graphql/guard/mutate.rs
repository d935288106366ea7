//! Wounds to a document: a token dropped, doubled, swapped or replaced.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

const TOKENS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "...",
    ":",
    "$",
    "@",
    "!",
    "=",
    "on",
    "null",
    "true",
    "1",
    "-1",
    "1.0",
    "0x",
    "\"s\"",
    "\"\"\"b\"\"\"",
    "\"",
    "#",
    "id",
    "name",
    "...F0",
    "...F1",
    "@skip(if: true)",
    "@include(if: false)",
    "__typename",
    "a: id",
    "a: name",
    "\u{feff}",
    "\u{0}",
    "é",
    "query",
    "fragment",
    "{ id }",
    "(id: 1)",
    "$v1",
    "& |",
    ".",
    "..",
    "\\",
    "'",
];

/// `text` with one to three wounds.
pub fn mutate(text: &str, rng: &mut StdRng) -> String {
    let mut tokens: Vec<String> = split(text);
    for _ in 0..rng.random_range(1..4) {
        if tokens.is_empty() {
            break;
        }
        let at = rng.random_range(0..tokens.len());
        match rng.random_range(0..5) {
            0 => {
                tokens.remove(at);
            }
            1 => tokens.insert(at, tokens[at].clone()),
            2 => {
                let other = rng.random_range(0..tokens.len());
                tokens.swap(at, other);
            }
            3 => tokens[at] = (*TOKENS.choose(rng).unwrap()).to_owned(),
            _ => tokens.insert(at, (*TOKENS.choose(rng).unwrap()).to_owned()),
        }
    }
    let gap = if rng.random_bool(0.1) { "" } else { " " };
    tokens.join(gap)
}

/// Words, and single characters between them.
fn split(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.chars() {
        let is_word = c.is_alphanumeric() || c == '_' || c == '.' || c == '"' || c == '$';
        match tokens.last_mut() {
            Some(last) if is_word && in_word => last.push(c),
            _ if c.is_whitespace() => {}
            _ => tokens.push(c.to_string()),
        }
        in_word = is_word;
    }
    tokens
}
