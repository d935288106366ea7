//! `docs/limits.md`: the worked example, as it stands, against a server for real.

use std::path::PathBuf;
use std::process::Command;

use crate::replicas::processes::{Process, Protocol};
use crate::support::{Setup, TestApp, database};

const MARK: &str = "---- the end of an answer ----";

/// The code blocks of the example, each with its kind.
fn blocks(page: &str) -> Vec<(String, String)> {
    let (_, example) = page.split_once("\n## A worked example\n").unwrap();
    let (example, _) = example.split_once("\n## ").unwrap();
    let mut blocks = Vec::new();
    for (number, part) in example.split("```").enumerate() {
        if number % 2 == 1 {
            let (kind, text) = part.split_once('\n').unwrap();
            blocks.push((kind.to_owned(), text.to_owned()));
        }
    }
    blocks
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worked_example_is_answered_as_the_page_says() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
    let page = std::fs::read_to_string(page).unwrap();
    let url = database().await;
    let setup = Setup {
        endpoint: Some(keystead::db::Endpoint::parse(&url).unwrap()),
        ..Setup::default()
    };
    let app = TestApp::with(setup).await;
    let server = Process::start(&url, Protocol::On).await;

    let mut script = String::new();
    let mut wanted: Vec<(String, String)> = Vec::new();
    for (kind, text) in blocks(&page) {
        if kind == "sh" {
            let lines = text.lines().map(|line| match line.split_once('=') {
                Some(("URL", _)) => format!("URL=http://{}", server.address),
                Some(("KEY", _)) => format!("KEY={}", app.admin_key),
                _ => line.to_owned(),
            });
            script += &lines.collect::<Vec<_>>().join("\n");
            script += &format!("\necho; echo '{MARK}'\n");
            continue;
        }
        assert_eq!(kind, "console");
        for line in text.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => {
                    script += &format!("{command}\necho; echo '{MARK}'\n");
                    wanted.push((command.to_owned(), String::new()));
                }
                None => {
                    let (_, answer) = wanted.last_mut().unwrap();
                    answer.push_str(line);
                    answer.push('\n');
                }
            }
        }
    }
    assert!(wanted.len() >= 8, "{wanted:?}");
    let run =
        tokio::task::spawn_blocking(move || Command::new("bash").args(["-c", &script]).output());
    let output = run.await.unwrap().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<&str> = said.split(MARK).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!said[0].contains("\"errors\""), "{}{errors}", said[0]);
    for (number, (command, answer)) in wanted.iter().enumerate() {
        let found = said.get(number + 1).map_or("(nothing)", |text| text.trim());
        assert_eq!(found, answer.trim(), "$ {command}\n{errors}");
    }
}
