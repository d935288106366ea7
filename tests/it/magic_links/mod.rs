//! Magic links: signing in by a link that comes by mail.

mod faults;
mod flow;
mod page;
mod times;
mod tokens;

use keystead::ctx::Policy;
use keystead::magic_links::model::Settings;
use serde_json::{Value, json};

pub use crate::support::told;
use crate::support::{Client, Setup, SmtpServer, TestApp};

const ASK: &str = "mutation($input: RequestMagicLinkInput!) { requestMagicLink(input: $input) { lifetimeSeconds } }";
const SIGN_IN: &str = "mutation($input: SignInWithMagicLinkInput!) { signInWithMagicLink(input: $input) { secret
    user { username email role memberships { nodes { team { slug } } } } session { method expiresAt } } }";

/// An app with those settings that sends mail to that server.
async fn app(server: &SmtpServer, settings: Settings) -> TestApp {
    TestApp::with(setup(server, settings)).await
}

fn setup(server: &SmtpServer, settings: Settings) -> Setup {
    Setup {
        policy: Policy {
            magic_links: settings,
            password_cost: 4,
            ..Policy::default()
        },
        mail: server.settings(None),
        ..Setup::default()
    }
}

fn on() -> Settings {
    Settings {
        enabled: true,
        ..Settings::default()
    }
}

/// New users of example.com come in.
fn open() -> Settings {
    Settings {
        domains: vec!["example.com".into()],
        new_users: true,
        ..on()
    }
}

async fn ask(client: &Client, email: &str) -> Value {
    client.gql(ASK, json!({"input": {"email": email}})).await
}

async fn sign_in(client: &Client, token: &str) -> Value {
    client
        .gql(SIGN_IN, json!({"input": {"token": token}}))
        .await
}

/// Asks for a link and has all mails delivered; the token in the last one. A minute passes.
async fn link(app: &TestApp, server: &SmtpServer, email: &str) -> String {
    // What else waits goes first.
    app.app.deliver_due().await.unwrap();
    let before = server.received().len();
    let answer = ask(&app.anonymous(), email).await;
    assert!(answer["errors"].is_null(), "{answer}");
    app.app.deliver_due().await.unwrap();
    app.app.clock.advance(chrono::TimeDelta::minutes(1));
    let received = server.received();
    assert_eq!(received.len(), before + 1);
    let mail = &received[before];
    assert_eq!(mail.to, [format!("RCPT TO:<{email}>")]);
    token_in(&mail.text)
}

/// The token of the link in that mail.
fn token_in(mail: &str) -> String {
    let text = mail.replace("=\n", "").replace("=3D", "=");
    // As the configuration says, and no request.
    let (_, rest) = text
        .split_once("http://127.0.0.1:4000/sign-in?token=")
        .unwrap();
    let token: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    assert!(token.starts_with("ksm_") && token.len() == 41, "{token}");
    token
}

/// Who is signed in by that secret.
async fn viewer(app: &TestApp, answer: &Value) -> Value {
    let secret = answer["data"]["signInWithMagicLink"]["secret"].as_str();
    let client = app.with_key(secret.unwrap_or_else(|| panic!("{answer}")));
    let mut data = client
        .data("{ viewer { user { username } } }", json!({}))
        .await;
    data["viewer"]["user"]["username"].take()
}
