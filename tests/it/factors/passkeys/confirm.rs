//! What is refused of a new passkey.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{CONFIRM, ENROL, ORIGIN, begin, challenge, set_up, signed};
use crate::factors::{ask, code, signed_in, told, user};
use crate::support::TestApp;
use crate::support::authenticator::{Passkey, bytes, text};

#[tokio::test]
async fn what_is_not_what_was_asked_for_is_refused() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    let begun = ask(&ada, ENROL, json!({})).await["data"]["enrolPasskey"].take();
    let options = &begun["options"];
    let passkey = |origin: &str| Passkey::new(options, origin);
    let mut elsewhere = passkey(ORIGIN);
    elsewhere.rp_id = "example.com".into();
    let mut silent = passkey(ORIGIN);
    silent.verifies = false;
    let mut forgotten = passkey(ORIGIN).made(options);
    forgotten["clientExtensionResults"]["credProps"]["rk"] = json!(false);
    let mut cut = passkey(ORIGIN).made(options);
    let object = bytes(&cut["response"]["attestationObject"]);
    cut["response"]["attestationObject"] = json!(text(&object[..object.len() - 8]));
    let other = challenge(&app).await;
    let mut seen = String::new();
    for (what, credential) in [
        (
            "a page of another port",
            passkey("http://localhost:4001").made(options),
        ),
        (
            "a page below",
            passkey("http://a.localhost:4000").made(options),
        ),
        (
            "a page with TLS",
            passkey("https://localhost:4000").made(options),
        ),
        ("for another party", elsewhere.made(options)),
        ("without asking who is there", silent.made(options)),
        ("not stored", forgotten),
        ("another challenge", passkey(ORIGIN).made(&other["options"])),
        ("a signature", passkey(ORIGIN).sign(options)),
        ("cut", cut),
        ("nothing", json!({})),
        ("a text", json!("a passkey")),
    ] {
        let confirm = json!({"challenge": begun["challenge"], "credential": credential});
        let refused = ask(&ada, CONFIRM, confirm).await;
        seen.push_str(&format!("{what}: {}\n", told(&refused)));
    }
    insta::assert_snapshot!(seen);
    // None of that has used the challenge up.
    let credential = passkey(ORIGIN).made(options);
    let confirm =
        json!({"challenge": begun["challenge"], "credential": credential, "name": "x".repeat(101)});
    assert_eq!(
        code(&ask(&ada, CONFIRM, confirm.clone()).await),
        "BAD_USER_INPUT input.name"
    );
    let confirm = json!({"challenge": begun["challenge"], "credential": credential});
    assert_eq!(code(&ask(&ada, CONFIRM, confirm).await), "ok");
}

/// One answer for all of them.
#[tokio::test]
async fn a_challenge_is_good_for_its_user_once_and_for_a_while() {
    let app = TestApp::new().await;
    for name in ["ada", "eve"] {
        user(&app, name, InstanceRole::Member).await;
    }
    let (_, ada) = signed_in(&app, "ada").await;
    let (_, eve) = signed_in(&app, "eve").await;
    let expired = begin(&ada, json!({})).await.1;
    app.app.clock.advance(TimeDelta::minutes(5));
    let (_, used) = begin(&ada, json!({})).await;
    assert_eq!(code(&ask(&ada, CONFIRM, used.clone()).await), "ok");
    let (_, of_eve) = begin(&eve, json!({})).await;
    let (mut passkey, good) = begin(&ada, json!({})).await;
    let with = |challenge: Value| json!({"challenge": challenge, "credential": good["credential"]});
    let mut altered = crate::factors::text(&good["challenge"]);
    let other = if altered.ends_with('A') { "E" } else { "A" };
    altered.replace_range(altered.len() - 1.., other);
    let to_sign = signed(&app, &mut passkey).await["challenge"].clone();
    for (what, input) in [
        ("expired", expired),
        ("used", used),
        ("another user's", of_eve),
        ("one to sign in by", with(to_sign)),
        ("altered", with(json!(altered))),
        ("empty", with(json!(""))),
        ("no base64", with(json!("ß\u{0}"))),
        ("long", with(json!("A".repeat(100_000)))),
    ] {
        let refused = told(&ask(&ada, CONFIRM, input).await);
        insta::allow_duplicates! { insta::assert_snapshot!(refused, what, @"NOT_FOUND input.challenge: This challenge is not good: it was not given to you for a new passkey, was used, or is older than five minutes. Begin anew by enrolPasskey."); }
    }
    let both = tokio::join!(
        ask(&ada, CONFIRM, good.clone()),
        ask(&ada, CONFIRM, good.clone())
    );
    let mut codes = [code(&both.0), code(&both.1)];
    codes.sort();
    assert_eq!(codes, ["NOT_FOUND input.challenge", "ok"]);
}

/// A passkey is one user's, and once.
#[tokio::test]
async fn none_is_registered_twice() {
    let app = TestApp::new().await;
    for name in ["ada", "eve"] {
        user(&app, name, InstanceRole::Member).await;
    }
    let (_, ada) = signed_in(&app, "ada").await;
    let (_, eve) = signed_in(&app, "eve").await;
    let early = ask(&ada, ENROL, json!({})).await["data"]["enrolPasskey"].take();
    let (passkey, _) = set_up(&ada, json!({})).await;
    let late = ask(&ada, ENROL, json!({})).await["data"]["enrolPasskey"].take();
    let of_eve = ask(&eve, ENROL, json!({})).await["data"]["enrolPasskey"].take();
    for (client, begun, expected) in [
        (&ada, early, "ALREADY_EXISTS input.credential"),
        (&ada, late, "BAD_USER_INPUT input.credential"),
        (&eve, of_eve, "ALREADY_EXISTS input.credential"),
    ] {
        let credential = passkey.made(&begun["options"]);
        let confirm = json!({"challenge": begun["challenge"], "credential": credential});
        let refused = ask(client, CONFIRM, confirm).await;
        assert_eq!(code(&refused), expected, "{refused}");
    }
}
