//! `docs/self-serve.md`: a new company's way, as it stands, against a server for real.

use std::path::PathBuf;

use super::shell::{answered, blocks};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_company_gets_from_the_first_command_to_people_who_help_themselves() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/self-serve.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut blocks = blocks(&page);
    // The server is what the test starts; all that follows is run.
    let run = "cargo run -- --public-url http://localhost:4000\n";
    assert_eq!(blocks.remove(0), ("sh".into(), run.into()));
    answered(blocks, 20).await;
}
