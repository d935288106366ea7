//! Pages whose commands are run, one after the other, against a server for real.

use std::process::Command;

use super::browser::Desk;
use crate::factors::passkeys::ORIGIN;
use crate::replicas::processes::{Process, Protocol};
use crate::support::{Setup, TestApp, database};

const MARK: &str = "---- the end of an answer ----";

/// The code blocks of a text, each with its kind.
pub fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for (number, part) in text.split("```").enumerate() {
        if number % 2 == 1 {
            let (kind, text) = part.split_once('\n').unwrap();
            blocks.push((kind.to_owned(), text.to_owned()));
        }
    }
    blocks
}

/// Runs blocks of `sh`, and of `console` whose commands must be answered as the page says; at least so many commands.
pub async fn answered(blocks: Vec<(String, String)>, at_least: usize) {
    let url = database().await;
    let setup = Setup {
        endpoint: Some(keystead::db::Endpoint::parse(&url).unwrap()),
        ..Setup::default()
    };
    let app = TestApp::with(setup).await;
    let settings = [("KEYSTEAD_PUBLIC_URL", ORIGIN)];
    let server = Process::with(&url, Protocol::On, &settings).await;
    let desk = Desk::before(&server);

    let mut script = String::new();
    let mut wanted: Vec<(String, String)> = Vec::new();
    for (kind, text) in blocks {
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
        if kind == "text" {
            script += &desk.step(text.trim());
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
    assert!(wanted.len() >= at_least, "{wanted:?}");
    let run =
        tokio::task::spawn_blocking(move || Command::new("bash").args(["-c", &script]).output());
    let output = tokio::select! {
        output = run => output.unwrap().unwrap(),
        () = desk.sit(&server) => unreachable!("it sits there for ever"),
    };
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<&str> = said.split(MARK).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!said[0].contains("\"errors\""), "{}{errors}", said[0]);
    for (number, (command, answer)) in wanted.iter().enumerate() {
        let found = said.get(number + 1).map_or("(nothing)", |text| text.trim());
        assert_eq!(found, answer.trim(), "$ {command}\n{errors}");
    }
}
