//! What an attempt to sign in makes the server do is the same whoever it names: times cannot tell more than that.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{PASSWORD, SIGN_IN, sql, user};
use crate::support::{TestApp, Work};

/// An attempt from that address; the answer's code.
async fn from(app: &TestApp, ip: &str, login: &str, password: &str) -> String {
    let input = json!({"login": login, "password": password});
    let body = json!({"query": SIGN_IN, "variables": {"input": input}});
    let call = app.anonymous().request("POST", "/graphql").from(ip);
    app.anonymous().send(call.json(&body)).await.code()
}

#[tokio::test]
async fn whoever_is_named_a_wrong_password_costs_the_same_statements_and_one_hash() {
    let app = TestApp::new().await;
    for name in ["ada", "off", "over", "given"] {
        user(&app, name, InstanceRole::Member).await;
    }
    app.user("keyonly", InstanceRole::Member).await;
    sql(
        &app,
        "UPDATE users SET enabled = false WHERE username = 'off';
         UPDATE users SET expires_at = '2029-01-01Z' WHERE username = 'over';
         UPDATE users SET must_change_password = true WHERE username = 'given'",
    )
    .await;
    let recorder = Work::recorder();
    let work = Work::count(&recorder);
    // What is prepared or remembered from the first attempt on is no difference.
    from(&app, "192.0.2.1", "nobody", "a wrong password").await;
    let mut seen = Vec::new();
    for login in [
        "nobody",
        "nobody@example.com",
        "ada",
        "ADA@example.com",
        "off",
        "over",
        "given",
        "keyonly",
        "a\0da",
    ] {
        let attempt = from(&app, "192.0.2.2", login, "a wrong password");
        let (code, done) = work.of(&app, attempt).await;
        assert_eq!(
            (code.as_str(), done.hashed),
            ("UNAUTHENTICATED", 1),
            "{login}"
        );
        seen.push((login, done));
    }
    assert!(seen.iter().all(|(_, done)| *done == seen[0].1), "{seen:?}");
    // Those that must wait wait alike, and nothing is hashed for them.
    let mut waiting = Vec::new();
    for login in ["nobody", "ada", "keyonly", "off"] {
        for _ in 0..5 {
            from(&app, "192.0.2.3", login, "a wrong password").await;
        }
        let password = if login == "ada" {
            PASSWORD
        } else {
            "a wrong password"
        };
        let (code, done) = work
            .of(&app, from(&app, "192.0.2.3", login, password))
            .await;
        assert_eq!((code.as_str(), done.hashed), ("RATE_LIMITED", 0), "{login}");
        waiting.push(done);
    }
    assert!(
        waiting.iter().all(|done| *done == waiting[0]),
        "{waiting:?}"
    );
}

/// The count is one of hashes: with the right password, which is remembered, there is none.
#[tokio::test]
async fn what_is_remembered_is_not_hashed() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let recorder = Work::recorder();
    let work = Work::count(&recorder);
    for hashed in [1, 0, 0] {
        let (code, done) = work
            .of(&app, from(&app, "192.0.2.1", "ada", PASSWORD))
            .await;
        assert_eq!((code.as_str(), done.hashed), ("", hashed));
    }
}
