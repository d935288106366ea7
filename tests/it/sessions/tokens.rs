//! Secrets of sessions that are not good: what each is answered with, wherever it is shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use keystead::ctx::Random;
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use serde_json::{Value, json};

use super::{PASSWORD, SIGN_IN, attempt, cookie, id, recorded, signed_in, user, works};
use crate::support::{Answer, Call, Client, TestApp};

const WHO: &str = "{ viewer { user { username } } }";
const ORIGIN: &str = "http://localhost:4000";

fn secret(client: &Client) -> String {
    client.key().unwrap().to_owned()
}

/// Every secret that is none, or none any more, under a name.
async fn wrong(app: &TestApp) -> Vec<(&'static str, String)> {
    let admin = app.admin();
    let mut all = Vec::new();
    for name in ["idle", "over"] {
        user(app, name, InstanceRole::Member).await;
    }
    let idle = secret(&signed_in(app, "idle").await.1);
    let over = signed_in(app, "over").await.1;
    for _ in 0..14 * 2 {
        app.app.clock.advance(TimeDelta::hours(12));
        over.gql(WHO, json!({})).await;
        app.app.flush_last_used().await.unwrap();
    }
    all.push(("left alone for a day", idle));
    all.push(("used for fourteen days", secret(&over)));
    let ada = user(app, "ada", InstanceRole::Member).await;
    let (_, out) = signed_in(app, "ada").await;
    out.data("mutation { signOut(input: {}) { revoked } }", json!({}))
        .await;
    all.push(("signed out", secret(&out)));
    let (session, revoked) = signed_in(app, "ada").await;
    let revoke = "mutation($id: ID!) { revokeSession(input: {id: $id}) { revokedSessionId } }";
    admin.data(revoke, json!({ "id": session })).await;
    all.push(("revoked", secret(&revoked)));
    let soon = (app.app.clock.now() + TimeDelta::hours(1)).to_rfc3339();
    let expire =
        format!("updateUser(input: {{id: $id, expiresAt: \"{soon}\"}}) {{ user {{ id }} }}");
    for (name, change) in [
        (
            "of a deleted user",
            "deleteUser(input: {id: $id}) { deletedUserId }",
        ),
        (
            "of a disabled user",
            "updateUser(input: {id: $id, enabled: false}) { user { id } }",
        ),
        ("of a user that has expired", &expire),
        (
            "from before another password",
            "setPassword(input: {user: $id, password: \"another 7 green kettles\"}) { user { id } }",
        ),
    ] {
        let login = name.replace(' ', "-");
        let owner = user(app, &login, InstanceRole::Member).await;
        all.push((name, secret(&signed_in(app, &login).await.1)));
        let document = format!("mutation($id: ID!) {{ {change} }}");
        admin.data(&document, json!({ "id": id(&owner) })).await;
    }
    app.app.clock.advance(TimeDelta::hours(1));
    let (_, good) = signed_in(app, "ada").await;
    let good = secret(&good);
    let mut altered = good.clone();
    altered.replace_range(10..11, if &good[10..11] == "a" { "b" } else { "a" });
    let random = Random::system();
    let made = |prefix: &str| Secret::generate(&random, prefix).expose().to_owned();
    let invite = "mutation($id: ID!) { createInvitation(input: {user: $id}) { link } }";
    let link = admin.data(invite, json!({ "id": id(&ada) })).await;
    let link = link["createInvitation"]["link"].as_str().unwrap();
    all.extend([
        ("unknown", made("kss_")),
        ("altered by one character", altered),
        ("cut", good[..40].to_owned()),
        ("with one character more", format!("{good}a")),
        ("an unknown key", made("ks_")),
        (
            "a good token of an invitation",
            link.split_once('=').unwrap().1.to_owned(),
        ),
        ("the token of a link by mail", made("ksm_")),
        ("of no kind", made("ksx_")),
        ("empty", String::new()),
        ("ten megabytes", format!("kss_{}", "a".repeat(10_000_000))),
    ]);
    all
}

async fn ask(app: &TestApp, header: &str, value: &str) -> Answer {
    let call = Call::new("POST", "/graphql").header("origin", ORIGIN);
    let call = call.header(header, value).json(&json!({ "query": WHO }));
    app.anonymous().send(call).await
}

#[tokio::test]
async fn every_secret_that_is_not_good_is_refused_with_clear_words() {
    let app = TestApp::new().await;
    let mut lines = Vec::new();
    for (name, secret) in wrong(&app).await {
        let mut told = Vec::new();
        for value in [
            format!("Bearer {secret}"),
            format!("Basic {}", STANDARD.encode(format!(":{secret}"))),
        ] {
            let answer = ask(&app, "authorization", &value).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (401, "UNAUTHENTICATED"),
                "{name}"
            );
            let message = answer.json()["errors"][0]["message"].take();
            let message = message.as_str().unwrap().to_owned();
            assert!(secret.is_empty() || !message.contains(&secret), "{name}");
            told.push(message);
        }
        lines.push(format!(
            "{name}\n  Bearer: {}\n  Basic:  {}",
            told[0], told[1]
        ));
        // A browser is nobody with it, whatever is wrong, and is told to forget it.
        let answer = ask(&app, "cookie", &format!("keystead={secret}")).await;
        let json = answer.json();
        assert_eq!(
            (answer.status, &json["data"]["viewer"]),
            (200, &Value::Null),
            "{name}: {json}"
        );
        let kept = if secret.len() > 8_000 {
            ""
        } else {
            "keystead=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        };
        assert_eq!(cookie(&answer), kept, "{name}");
    }
    insta::assert_snapshot!(lines.join("\n"));
}

/// Whoever tries secrets learns nothing of the users that they may belong to.
#[tokio::test]
async fn an_outsider_has_one_answer_whoevers_the_session_was() {
    let app = TestApp::new().await;
    let mut told = Vec::new();
    for (name, secret) in wrong(&app).await {
        if [
            "unknown",
            "revoked",
            "signed out",
            "of a deleted user",
            "of a disabled user",
            "from before another password",
        ]
        .contains(&name)
        {
            let answer = ask(&app, "authorization", &format!("Bearer {secret}")).await;
            let mut answer = answer.json();
            answer["errors"][0]["extensions"]["requestId"].take();
            told.push(answer);
        }
    }
    assert_eq!(told.len(), 6);
    assert!(told.iter().all(|each| *each == told[0]), "{told:#?}");
}

/// The same change by two requests at once: what each was answered, with `true` for one that was made.
async fn at_once(clients: [&Client; 2], document: String) -> [Result<Value, String>; 2] {
    let ask = |client: &Client| {
        let (client, document) = (client.clone(), document.clone());
        tokio::spawn(async move { client.gql(&document, json!({})).await })
    };
    let asked = clients.map(ask);
    let mut told = Vec::new();
    for each in asked {
        let mut answer = each.await.unwrap();
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        let code = code.map(str::to_owned);
        told.push(code.map_or_else(|| Ok(answer["data"].take()), Err));
    }
    told.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_end_a_session_at_once_one_does() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    for round in 0..5 {
        let (session, by_session) = signed_in(&app, "ada").await;
        let (_, other) = signed_in(&app, "ada").await;
        let revoke = format!(
            "mutation {{ revokeSession(input: {{id: \"{session}\"}}) {{ revokedSessionId }} }}"
        );
        let told = at_once([&by_session, &other], revoke).await;
        assert_eq!(
            told.iter().filter(|each| each.is_ok()).count(),
            1,
            "{told:?}"
        );
        let refused = told.iter().find_map(|each| each.as_ref().err()).unwrap();
        assert!(
            ["NOT_FOUND", "UNAUTHENTICATED"].contains(&refused.as_str()),
            "{told:?}"
        );
        let out = "mutation { signOut(input: {}) { revoked } }".to_owned();
        let told = at_once([&other, &other], out).await;
        let revoked = |each: &Result<Value, String>| match each {
            Ok(data) => data["signOut"]["revoked"].as_u64().unwrap(),
            Err(code) => {
                assert_eq!(code, "UNAUTHENTICATED");
                0
            }
        };
        assert_eq!(told.iter().map(revoked).sum::<u64>(), 1, "{told:?}");
        assert!(!works(&by_session).await && !works(&other).await);
        let ended = recorded(&app).await;
        let ended = ended.as_array().unwrap().iter();
        let ended = ended.filter(|event| event["action"] == "session.delete");
        assert_eq!(ended.count(), 2 * (round + 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_a_password_at_once_one_does() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, by_session) = signed_in(&app, "ada").await;
    let change = format!(
        "mutation {{ changePassword(input: {{password: \"{PASSWORD}\", newPassword: \"another 7 green kettles\"}}) {{ user {{ id }} }} }}"
    );
    let told = at_once([&by_session, &by_session], change).await;
    let refused: Vec<&String> = told.iter().filter_map(|each| each.as_ref().err()).collect();
    assert!(refused.len() == 1, "{told:?}");
    assert!(
        ["CONFLICT", "UNAUTHENTICATED"].contains(&refused[0].as_str()),
        "{told:?}"
    );
    // The same where the change is part of signing in. The trail keeps when it was made.
    app.app.clock.advance(TimeDelta::seconds(1));
    let sign_in = "mutation { signIn(input: {login: \"ada\", password: \"another 7 green kettles\", newPassword: \"some 9 yellow spoons\"}) { user { id } } }";
    let told = at_once([&app.anonymous(), &app.anonymous()], sign_in.into()).await;
    let refused: Vec<&String> = told.iter().filter_map(|each| each.as_ref().err()).collect();
    assert_eq!(refused, ["UNAUTHENTICATED"], "{told:?}");
    let trail = "{ auditEvents(filter: {action: \"user.setPassword\"}) { totalCount } }";
    let trail = app.admin().data(trail, json!({})).await;
    assert_eq!(trail["auditEvents"]["totalCount"], 2);
    let now = attempt(&app, "ada", "some 9 yellow spoons").await;
    assert!(now["errors"].is_null(), "{now}");
}

/// Ten megabytes where a text of some letters belongs.
#[tokio::test]
async fn what_is_far_too_long_is_refused_before_anything_is_done() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    for field in ["login", "password", "newPassword"] {
        for (length, code) in [(10_000_000, "LIMIT_EXCEEDED"), (200_000, "")] {
            let mut input = json!({"login": "ada", "password": PASSWORD});
            input[field] = json!("x".repeat(length));
            let before = app.app.db.statements();
            let answer = app
                .anonymous()
                .post(&json!({"query": SIGN_IN, "variables": {"input": input}}))
                .await;
            let told = answer.code();
            match (field, code) {
                (_, "LIMIT_EXCEEDED") => {
                    assert_eq!((answer.status, told.as_str()), (413, code), "{field}");
                    assert_eq!(app.app.db.statements(), before);
                }
                ("password", _) => assert_eq!(told, "UNAUTHENTICATED"),
                _ => assert_eq!(told, "BAD_USER_INPUT", "{field}"),
            }
            assert!(answer.body.len() < 1_000, "{field}: it is not repeated");
        }
    }
}
