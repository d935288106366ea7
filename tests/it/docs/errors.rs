//! `docs/errors.md` explains every code, with its status, and no other.

use keystead::error::Code;

#[test]
fn every_code_is_explained_with_its_status() {
    let text = include_str!("../../../docs/errors.md");
    let mut explained = Vec::new();
    for section in text.split("\n## ").skip(1) {
        let (name, rest) = section.split_once('\n').unwrap();
        let status = rest
            .strip_prefix("Status ")
            .and_then(|rest| rest.get(..3))
            .unwrap_or_default();
        explained.push((name.to_owned(), status.to_owned()));
    }
    let codes: Vec<(String, String)> = Code::ALL
        .iter()
        .map(|code| (code.as_str().to_owned(), code.http_status().to_string()))
        .collect();
    assert_eq!(explained, codes);
}
