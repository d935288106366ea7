//! `docs/limits.md`: the worked example, as it stands, against a server for real.

use std::path::PathBuf;

use super::shell::{answered, blocks};

#[tokio::test(flavor = "multi_thread")]
async fn the_worked_example_is_answered_as_the_page_says() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, example) = page.split_once("\n## A worked example\n").unwrap();
    let (example, _) = example.split_once("\n## ").unwrap();
    answered(blocks(example), 8).await;
}
