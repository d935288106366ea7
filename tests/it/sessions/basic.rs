//! Basic authentication with a user's own name and password.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{PASSWORD, id, user};
use crate::support::{Answer, Call, TestApp};

const WHO: &str = "{ viewer { user { username } apiKey { id } session { id } } }";

fn basic(call: Call, name: &str, password: &str) -> Call {
    let encoded = STANDARD.encode(format!("{name}:{password}"));
    call.header("authorization", &format!("Basic {encoded}"))
}

async fn ask(app: &TestApp, name: &str, password: &str, document: &str) -> Answer {
    let call = basic(Call::new("POST", "/graphql"), name, password);
    app.anonymous()
        .send(call.json(&json!({"query": document})))
        .await
}

#[tokio::test]
async fn scripts_send_name_and_password() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Auditor).await;
    for name in ["ada", "ADA", "ada@example.com"] {
        let answer = ask(&app, name, PASSWORD, WHO).await.json();
        assert_eq!(
            answer["data"]["viewer"],
            json!({"user": {"username": "ada"}, "apiKey": null, "session": null}),
            "{answer}"
        );
    }
    for (name, password) in [
        ("ada", "a wrong password"),
        ("nobody", PASSWORD),
        ("ada", ""),
    ] {
        let answer = ask(&app, name, password, WHO).await;
        assert_eq!(
            (answer.status, answer.code()),
            (401, "UNAUTHENTICATED".into()),
            "{name}"
        );
    }
    let report = basic(Call::new("GET", "/v1/usage.csv"), "ada", PASSWORD);
    assert_eq!(app.anonymous().send(report).await.status, 200);
    // Proxies ask about keys alone.
    let authorize = basic(Call::new("GET", "/v1/authorize/x"), "ada", PASSWORD);
    assert_eq!(app.anonymous().send(authorize).await.status, 401);
    // Any name and a key, as before.
    let key = app.admin_key.to_string();
    for name in ["", "ada", "whoever"] {
        let answer = ask(&app, name, &key, WHO).await.json();
        assert_eq!(
            answer["data"]["viewer"]["user"]["username"], "admin",
            "{answer}"
        );
    }
    app.app.flush_last_used().await.unwrap();
    let ask_last = "{ user(by: {username: \"ada\"}) { lastUsedAt } }";
    let last = app.admin().data(ask_last, json!({})).await;
    assert_eq!(last["user"]["lastUsedAt"], "2030-01-01T12:00:00Z");
}

/// Each request looks at the database: a change is seen by the next one.
#[tokio::test]
async fn what_is_taken_away_is_gone_with_the_next_request() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    let change = |document: String| {
        let admin = app.admin();
        async move {
            admin
                .data(
                    &format!("mutation {{ {document} {{ __typename }} }}"),
                    json!({}),
                )
                .await
        }
    };
    assert_eq!(ask(&app, "ada", PASSWORD, WHO).await.status, 200);
    change(format!(
        "updateUser(input: {{id: \"{}\", enabled: false}})",
        id(&ada)
    ))
    .await;
    assert_eq!(ask(&app, "ada", PASSWORD, WHO).await.status, 401);
    change(format!(
        "updateUser(input: {{id: \"{}\", enabled: true}})",
        id(&ada)
    ))
    .await;
    assert_eq!(ask(&app, "ada", PASSWORD, WHO).await.status, 200);
    change(format!(
        "setPassword(input: {{user: \"{}\", password: \"another 7 green kettles\"}})",
        id(&ada)
    ))
    .await;
    assert_eq!(ask(&app, "ada", PASSWORD, WHO).await.status, 401);
    let answer = ask(&app, "ada", "another 7 green kettles", WHO).await;
    assert!(
        answer.text().contains("input.newPassword"),
        "{}",
        answer.text()
    );
}

/// An answer that is kept is encrypted with the credential, and a password can be guessed.
#[tokio::test]
async fn a_password_is_no_key_to_stored_answers() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let call =
        basic(Call::new("POST", "/graphql"), "ada", PASSWORD).header("idempotency-key", "once");
    let body = json!({"query": "mutation { generateApiKey(input: {name: \"ci\"}) { secret } }"});
    let answer = app.anonymous().send(call.json(&body)).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT", "{}", answer.text());
    let answer = ask(
        &app,
        "ada",
        PASSWORD,
        "mutation { generateApiKey(input: {name: \"ci\"}) { secret } }",
    )
    .await;
    assert!(answer.json()["data"]["generateApiKey"]["secret"].is_string());
}
