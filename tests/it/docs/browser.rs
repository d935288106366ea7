//! What a page says somebody does in a browser: done between two commands, with an authenticator in software.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::factors::passkeys::{CHALLENGE, CONFIRM, ENROL, ORIGIN, SIGN_IN};
use crate::replicas::processes::{Process, post};
use crate::support::authenticator::Passkey;

/// Who sits before the browser: waits for the shell to come to a step, and does it.
pub struct Desk {
    folder: PathBuf,
}

impl Desk {
    /// Before the browser that asks that server.
    pub fn before(server: &Process) -> Desk {
        let name = format!(
            "keystead-desk-{}-{}",
            std::process::id(),
            server.address.port()
        );
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        Desk { folder }
    }

    /// The shell's part of a step: says what is to be done, and by whom, and waits until it is.
    pub fn step(&self, text: &str) -> String {
        let what = text.strip_prefix("In the browser: ").unwrap();
        let (page, what) = what.split_once(", ").unwrap();
        assert_eq!(page, format!("{ORIGIN}/sign-in"));
        let folder = self.folder.display();
        format!(
            "printf '%s\\n%s' \"$ADA\" '{what}' > {folder}/new && mv {folder}/new {folder}/step
            while [ -e {folder}/step ]; do sleep 0.05; done\n"
        )
    }

    /// Does one step after the other, as long as there are any.
    pub async fn sit(&self, server: &Process) {
        let mut made = None;
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let step = self.folder.join("step");
            let Ok(text) = std::fs::read_to_string(&step) else {
                continue;
            };
            match text.split_once('\n').unwrap() {
                (session, "\"Add a passkey\"") => made = Some(add(server, session).await),
                (session, "\"Sign in with a passkey\"") => {
                    sign_in(server, session, made.as_mut().unwrap()).await;
                }
                (_, other) => panic!("nobody knows how to {other}"),
            }
            std::fs::remove_file(&step).unwrap();
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn add(server: &Process, session: &str) -> Passkey {
    let begun = sent(server, session, ENROL, json!({"input": {}})).await;
    let begun = &begun["data"]["enrolPasskey"];
    let passkey = Passkey::new(&begun["options"], ORIGIN);
    let credential = passkey.made(&begun["options"]);
    let input = json!({"challenge": begun["challenge"], "credential": credential});
    sent(server, session, CONFIRM, json!({ "input": input })).await;
    passkey
}

async fn sign_in(server: &Process, session: &str, passkey: &mut Passkey) {
    let asked = sent(server, session, CHALLENGE, json!({})).await;
    let asked = &asked["data"]["passkeyChallenge"];
    let credential = passkey.sign(&asked["options"]);
    let input = json!({"challenge": asked["challenge"], "credential": credential});
    sent(server, session, SIGN_IN, json!({ "input": input })).await;
}

async fn sent(server: &Process, session: &str, document: &str, variables: Value) -> Value {
    let body = json!({"query": document, "variables": variables});
    let answer = post(server.address, "/graphql", session, &body).await;
    let answer = answer.unwrap();
    assert!(answer["errors"].is_null(), "{answer}");
    answer
}
