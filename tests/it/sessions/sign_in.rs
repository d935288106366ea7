//! Signing in with a password.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{PASSWORD, SIGN_IN, attempt, id, recorded, refusal, signed_in, sql, user, works};
use crate::support::{Call, TestApp};

#[tokio::test]
async fn a_name_or_an_address_and_the_password_make_a_session() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let call = app.anonymous().request("POST", "/graphql");
    let call = call.from("192.0.2.7").header("user-agent", "a browser");
    let input =
        json!({"query": SIGN_IN, "variables": {"input": {"login": " ADA ", "password": PASSWORD}}});
    let answer = app.anonymous().send(call.json(&input)).await.json();
    insta::assert_json_snapshot!(answer, {".data.signIn.secret" => "[secret]", ".data.signIn.session.id" => "[id]"});
    let secret = answer["data"]["signIn"]["secret"].as_str().unwrap();
    assert!(secret.starts_with("kss_") && secret.len() == 41, "{secret}");

    let (session, by_address) = signed_in(&app, "Ada@Example.com").await;
    let told = by_address
        .data(
            "{ viewer { user { username } apiKey { id } session { id current } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        told["viewer"],
        json!({"user": {"username": "ada"}, "apiKey": null, "session": {"id": session, "current": true}})
    );
    insta::assert_json_snapshot!(recorded(&app).await, {"[].after.user" => "[user]"});
}

#[tokio::test]
async fn the_secret_is_stored_as_its_digest_alone() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let answer = attempt(&app, "ada", PASSWORD).await;
    let secret = answer["data"]["signIn"]["secret"].as_str().unwrap();
    let client = app.app.db.endpoint().client().await.unwrap();
    let rows = client
        .query("SELECT to_jsonb(s)::text FROM sessions s UNION ALL SELECT to_jsonb(e)::text FROM audit_events e", &[])
        .await
        .unwrap();
    assert!(rows.len() > 1);
    for row in rows {
        let text: String = row.get(0);
        assert!(!text.contains(&secret[4..]), "{text}");
    }
}

/// Nobody learns from the answer whether there is such a user, has a password, or can act.
#[tokio::test]
async fn whoever_does_not_know_the_password_has_one_answer() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    app.user("keyonly", InstanceRole::Member).await;
    for name in ["off", "over"] {
        user(&app, name, InstanceRole::Member).await;
    }
    sql(&app, "UPDATE users SET enabled = false WHERE username = 'off'; UPDATE users SET expires_at = '2029-01-01Z' WHERE username = 'over'").await;
    let expected = attempt(&app, "nobody", PASSWORD).await;
    assert_eq!(
        expected["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
    let long = "x".repeat(5_000);
    let cut = format!("{PASSWORD}{}", " ".repeat(80));
    for (login, password) in [
        ("ada", "a wrong password"),
        ("ada@example.com", "a wrong password"),
        ("nobody@example.com", PASSWORD),
        ("keyonly", PASSWORD),
        ("off", "a wrong password"),
        ("over", "a wrong password"),
        ("ada", ""),
        ("ada", long.as_str()),
        ("ada", cut.as_str()),
        ("ada", "a horse reads 12 maps\0"),
        ("a\0da", PASSWORD),
        ("%", PASSWORD),
    ] {
        assert_eq!(
            attempt(&app, login, password).await,
            expected,
            "{login:?} {password:?}"
        );
    }
    // Who knows it is told.
    for (name, why) in [("off", "disabled"), ("over", "expired")] {
        let answer = attempt(&app, name, PASSWORD).await;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED");
        assert!(error["message"].as_str().unwrap().contains(why), "{answer}");
    }
    for login in ["", "   ", long.as_str()] {
        let answer = attempt(&app, login, PASSWORD).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(answer["errors"][0]["extensions"]["field"], "input.login");
    }
}

/// A user name may look like another user's address: the name wins, and nobody gets in by the other's password.
#[tokio::test]
async fn a_name_goes_before_an_address() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    user(&app, "eve", InstanceRole::Member).await;
    sql(&app, "UPDATE users SET username = 'ada@example.com', password_hash = NULL WHERE username = 'eve'").await;
    let answer = attempt(&app, "ada@example.com", PASSWORD).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert!(works(&signed_in(&app, "ada").await.1).await);
}

/// What was verified is looked at again when the session is made.
#[tokio::test]
async fn a_password_that_changes_meanwhile_makes_no_session() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    let client = app.app.db.endpoint().client().await.unwrap();
    client
        .batch_execute(&format!(
            "BEGIN; UPDATE users SET password_hash = 'another' WHERE id = '{}'",
            ada.id
        ))
        .await
        .unwrap();
    let signing_in = tokio::spawn({
        let app = app.clone();
        async move { attempt(&app, "ada", PASSWORD).await }
    });
    // It waits for the row, behind the change.
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let watch = app.app.db.endpoint().client().await.unwrap();
    while watch.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    client.batch_execute("COMMIT").await.unwrap();
    let answer = signing_in.await.unwrap();
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
        "{answer}"
    );
}

#[tokio::test]
async fn what_is_no_session_is_refused() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let answer = attempt(&app, "ada", PASSWORD).await;
    let secret = answer["data"]["signIn"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = app.app.db.statements();
    let mut altered = secret.clone();
    altered.replace_range(10..11, if &secret[10..11] == "x" { "y" } else { "x" });
    for wrong in [&altered, &secret[..40], "kss_", &format!("{secret}0")] {
        let (code, message) = refusal(&app.with_key(wrong)).await;
        assert_eq!(code, "UNAUTHENTICATED");
        assert!(message.contains("not the secret of a session"), "{message}");
    }
    assert_eq!(
        app.app.db.statements(),
        before,
        "a wrong checksum costs no statement"
    );
    // A key's checksum is no session's: what is of another kind does not pass either way.
    let random = &app.app.random;
    let other = keystead::secrets::Secret::generate(random, "kss_");
    let (_, message) = refusal(&app.with_key(other.expose())).await;
    assert_eq!(
        message,
        "This session is unknown or has ended. Sign in again."
    );
}

/// Keys are verified, and sessions are not: services are shown keys.
#[tokio::test]
async fn a_session_is_no_key() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Auditor).await;
    let (_, ada) = signed_in(&app, "ada").await;
    let secret = ada.key().unwrap().to_owned();
    let ask = app
        .admin()
        .request("POST", "/v1/verify")
        .json(&json!({"key": secret}));
    let answer = app.admin().send(ask).await;
    assert_eq!(
        (
            answer.status,
            answer.json()["errors"][0]["extensions"]["code"].clone()
        ),
        (400, json!("BAD_USER_INPUT"))
    );
    let authorize = ada.send(ada.request("GET", "/v1/authorize/x")).await;
    assert_eq!(authorize.status, 401);
    // As a caller it is as good as any credential.
    let report = ada.send(ada.request("GET", "/v1/usage.csv")).await;
    assert_eq!(report.status, 200, "{}", report.text());
    let basic = Call::new("POST", "/graphql").header("authorization", "Basic OmtzczpY");
    assert_eq!(
        app.anonymous()
            .send(basic.json(&json!({"query": "{ __typename }"})))
            .await
            .status,
        401
    );
}

/// More than a hundred places at once are hardly anybody's: the one left alone longest ends.
#[tokio::test]
async fn one_session_too_many_ends_the_oldest() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    let (_, first) = signed_in(&app, "ada").await;
    app.app.clock.advance(TimeDelta::seconds(1));
    let (_, second) = signed_in(&app, "ada").await;
    for _ in 2..100 {
        signed_in(&app, "ada").await;
    }
    assert!(works(&first).await);
    let (_, last) = signed_in(&app, "ada").await;
    assert!(!works(&first).await);
    assert!(works(&second).await && works(&last).await);
    let all = "query($id: ID!) { auditEvents(filter: {action: \"session.delete\", actor: $id}) { totalCount } }";
    let told = app.admin().data(all, json!({"id": id(&ada)})).await;
    assert_eq!(told["auditEvents"]["totalCount"], 1);
}
