//! Signing in with a passkey alone.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{CHALLENGE, challenge, set_up, sign_in, signed, somebody};
use crate::factors::{MINE, PASSWORD, code, later, signed_in, user};
use crate::sessions::works;
use crate::support::authenticator::bytes;
use crate::support::{TestApp, Work};

#[tokio::test]
async fn a_passkey_signs_in_alone() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    later(&app);
    let asked = app.anonymous().gql(CHALLENGE, json!({})).await;
    insta::assert_json_snapshot!(asked, {
        ".data.passkeyChallenge.challenge" => "[challenge]",
        ".data.passkeyChallenge.options.challenge" => "[random]",
    });
    let answer = signed(&app, &mut ada.passkey).await;
    let mut signed_in = sign_in(&app, &answer).await;
    let secret = signed_in["data"]["signInWithPasskey"]["secret"].take();
    assert!(secret.as_str().unwrap().starts_with("kss_"), "{secret}");
    insta::assert_json_snapshot!(signed_in);
    let session = app.with_key(secret.as_str().unwrap());
    let mine = session.data(MINE, json!({})).await;
    assert_eq!(
        mine["viewer"]["user"]["secondFactors"][0]["lastUsedAt"],
        "2030-01-01T12:10:00Z"
    );
    assert!(works(&ada.client).await, "others go on");
    let trail = "{ auditEvents(first: 1) { nodes { action actorName after } } }";
    let trail = app.admin().data(trail, json!({})).await;
    insta::assert_json_snapshot!(trail["auditEvents"]["nodes"], {"[].after.user" => "[user]"});
}

/// It stands for both factors, whatever else its user has.
#[tokio::test]
async fn nothing_is_asked_for_beside_it() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    crate::factors::set_up(&app, &ada, json!({})).await;
    let (mut passkey, confirmed) = set_up(&ada, json!({})).await;
    assert!(confirmed["recoveryCodes"].is_null(), "she has some");
    let required =
        "mutation { updatePolicy(input: {signIn: {secondFactorRoles: [MEMBER]}}) { changed } }";
    app.admin().data(required, json!({})).await;
    let answer = signed(&app, &mut passkey).await;
    let session = sign_in(&app, &answer).await;
    let secret = session["data"]["signInWithPasskey"]["secret"].as_str();
    let session = app.with_key(secret.unwrap());
    let list = "{ users(first: 1) { totalCount } }";
    assert_eq!(code(&session.gql(list, json!({})).await), "ok");
}

/// Whoever asks for challenges, however often, leaves nothing behind; and each is another one.
#[tokio::test]
async fn challenges_cost_the_database_nothing() {
    let app = TestApp::new().await;
    let before = app.app.db.statements();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let challenge = challenge(&app).await;
        assert_eq!(challenge["options"]["allowCredentials"], json!([]));
        seen.insert(bytes(&challenge["options"]["challenge"]));
        seen.insert(bytes(&challenge["challenge"]));
    }
    assert_eq!(seen.len(), 40);
    assert_eq!(app.app.db.statements(), before);
}

/// Nobody learns whether a passkey is known from what the server does.
#[tokio::test]
async fn what_is_wrong_costs_the_same_statements() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    let recorder = Work::recorder();
    let work = Work::count(&recorder);
    let mut unknown = signed(&app, &mut ada.passkey).await;
    unknown["credential"]["rawId"] = json!("AAAA");
    sign_in(&app, &unknown).await;
    let mut forged = signed(&app, &mut ada.passkey).await;
    forged["credential"]["response"]["signature"] = json!("AAAA");
    let mut elses = signed(&app, &mut ada.passkey).await;
    elses["credential"]["response"]["userHandle"] = json!("AAAAAAAAAAAAAAAAAAAAAA");
    for attempt in [unknown, forged, elses] {
        let (answer, done) = work.of(&app, sign_in(&app, &attempt)).await;
        assert_eq!(code(&answer), "UNAUTHENTICATED input");
        assert_eq!((done.statements, done.hashed), (1, 0), "{attempt}");
    }
}

#[tokio::test]
async fn a_browser_keeps_it_in_a_cookie() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    let mut input = signed(&app, &mut ada.passkey).await;
    input["cookie"] = json!(true);
    let body = json!({"query": super::SIGN_IN, "variables": {"input": input}});
    let client = app.anonymous();
    let from = |origin: &str| {
        let call = client.request("POST", "/graphql").header("origin", origin);
        client.send(call.json(&body))
    };
    assert_eq!(from("http://evil.example").await.code(), "FORBIDDEN");
    let answer = from(super::ORIGIN).await;
    let set = answer.header("set-cookie");
    assert!(set.starts_with("keystead=kss_"), "{}", answer.text());
    assert!(set.contains("HttpOnly; SameSite=Strict"), "{set}");
    assert!(answer.json()["data"]["signInWithPasskey"]["secret"].is_null());
}

/// Basic authentication has no place for it.
#[tokio::test]
async fn basic_is_refused_for_who_has_one() {
    let app = TestApp::new().await;
    let basic = || async {
        let pair = in_base64(&format!("ada:{PASSWORD}"));
        let call = app
            .anonymous()
            .request("POST", "/graphql")
            .header("authorization", &format!("Basic {pair}"))
            .json(&json!({"query": "{ viewer { user { username } } }"}));
        app.anonymous().send(call).await
    };
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    let answer: Value = basic().await.json();
    assert_eq!(answer["data"]["viewer"]["user"]["username"], "ada");
    set_up(&ada, json!({})).await;
    assert_eq!(basic().await.code(), "UNAUTHENTICATED");
}

fn in_base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
