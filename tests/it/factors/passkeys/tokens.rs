//! What signs nobody in, and that nobody learns why.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{ENROL, Somebody, challenge, sign_in, signed, somebody};
use crate::factors::{ask, code, sql, told};
use crate::support::authenticator::{Passkey, bytes, text};
use crate::support::{Client, TestApp};

/// What it signs once that was done to it.
async fn signed_so(app: &TestApp, passkey: &mut Passkey, done: impl FnOnce(&mut Passkey)) -> Value {
    let as_it_was = (
        passkey.origin.clone(),
        passkey.rp_id.clone(),
        passkey.verifies,
        passkey.user.clone(),
        passkey.id.clone(),
    );
    done(passkey);
    let signed = signed(app, passkey).await;
    (
        passkey.origin,
        passkey.rp_id,
        passkey.verifies,
        passkey.user,
        passkey.id,
    ) = as_it_was;
    signed
}

/// The signature of the same, with one byte of that part altered.
fn altered(signed: &Value, part: &str, at: usize) -> Value {
    let mut altered = signed.clone();
    let mut whole = bytes(&altered["credential"]["response"][part]);
    whole[at] ^= 1;
    altered["credential"]["response"][part] = json!(text(&whole));
    altered
}

#[tokio::test]
async fn whatever_is_wrong_has_one_answer() {
    let app = TestApp::new().await;
    let mut people = Vec::new();
    for name in ["ada", "eve", "gone", "off", "over"] {
        people.push(somebody(&app, name, InstanceRole::Member).await);
    }
    let [mut ada, mut eve, mut gone, mut off, mut over]: [Somebody; 5] =
        people.try_into().ok().unwrap();
    let expired = signed(&app, &mut ada.passkey).await;
    app.app.clock.advance(TimeDelta::minutes(5));
    let used = signed(&app, &mut ada.passkey).await;
    assert_eq!(code(&sign_in(&app, &used).await), "ok");
    let mut of = Vec::new();
    for somebody in [&mut gone, &mut off, &mut over] {
        of.push(signed(&app, &mut somebody.passkey).await);
    }
    sql(
        &app,
        "DELETE FROM users WHERE username = 'gone';
         UPDATE users SET enabled = false WHERE username = 'off';
         UPDATE users SET expires_at = '2030-01-01T12:01:00Z' WHERE username = 'over'",
    )
    .await;
    let begun = ask(&ada.client, ENROL, json!({})).await["data"]["enrolPasskey"].take();
    let of_enrolment =
        json!({"challenge": begun["challenge"], "credential": ada.passkey.sign(&begun["options"])});
    let stranger = {
        let options = &begun["options"];
        signed(&app, &mut Passkey::new(options, super::ORIGIN)).await
    };
    let other = challenge(&app).await;
    let good = signed(&app, &mut ada.passkey).await;
    let with = |challenge: Value| json!({"challenge": challenge, "credential": good["credential"]});
    let mut token = crate::factors::text(&good["challenge"]);
    let last = if token.ends_with('A') { "E" } else { "A" };
    token.replace_range(token.len() - 1.., last);
    let mut nameless = good.clone();
    nameless["credential"]["response"]
        .as_object_mut()
        .unwrap()
        .remove("userHandle");
    let eves = eve.passkey.user.clone();
    let id = eve.passkey.id.clone();
    let passkey = &mut ada.passkey;
    let mut tried = vec![
        ("expired", expired),
        ("used", used),
        ("of a challenge to make one by", of_enrolment),
        ("of nobody's passkey", stranger),
        ("of another challenge", with(other["challenge"].clone())),
        ("altered", with(json!(token))),
        ("empty", with(json!(""))),
        (
            "of another kind",
            with(json!("ksm_0000000000000000000000000000000000000")),
        ),
        ("with a null", with(json!("\u{0}"))),
        ("long", with(json!("A".repeat(100_000)))),
        ("naming nobody", nameless),
        ("another signature", altered(&good, "signature", 20)),
        ("no signature", altered(&good, "signature", 0)),
        ("other data", altered(&good, "authenticatorData", 36)),
        ("not present", altered(&good, "authenticatorData", 32)),
        ("other client data", altered(&good, "clientDataJSON", 1)),
        (
            "another page",
            signed_so(&app, passkey, |it| {
                it.origin = "http://localhost:4001".into()
            })
            .await,
        ),
        (
            "a page below",
            signed_so(&app, passkey, |it| {
                it.origin = "http://a.localhost:4000".into()
            })
            .await,
        ),
        (
            "another party",
            signed_so(&app, passkey, |it| it.rp_id = "example.com".into()).await,
        ),
        (
            "nobody looked at",
            signed_so(&app, passkey, |it| it.verifies = false).await,
        ),
        (
            "another user's handle",
            signed_so(&app, passkey, |it| it.user = eves).await,
        ),
        (
            "another user's passkey",
            signed_so(&app, passkey, |it| it.id = id).await,
        ),
    ];
    let whose = [
        "of a deleted user",
        "of a disabled user",
        "of one who has expired",
    ];
    tried.extend(whose.into_iter().zip(of));
    for (what, input) in &tried {
        for client in [app.anonymous(), app.admin()] {
            let refused = client.gql(super::SIGN_IN, json!({ "input": input })).await;
            insta::allow_duplicates! { insta::assert_snapshot!(told(&refused), what, @"UNAUTHENTICATED input: This passkey is not good here: it is not known, or its challenge was used or is older than five minutes, or what it has signed is not what was asked. Ask for another challenge, and try again."); }
        }
    }
    // None of that has used a challenge up that was good.
    let enable = "UPDATE users SET enabled = true WHERE username = 'off'";
    sql(&app, enable).await;
    for (what, input) in tried {
        let answer = sign_in(&app, &input).await;
        let expected = match what {
            "of a disabled user" => "ok",
            _ => "UNAUTHENTICATED input",
        };
        assert_eq!(code(&answer), expected, "{what}");
    }
    let answer = signed(&app, &mut eve.passkey).await;
    assert_eq!(code(&sign_in(&app, &answer).await), "ok");
}

#[tokio::test]
async fn what_no_browser_makes_is_told_so() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    let good = signed(&app, &mut ada.passkey).await;
    for credential in [
        json!({}),
        json!("a passkey"),
        json!([good["credential"]]),
        json!({"id": "x", "rawId": "§", "type": "public-key", "response": {}}),
    ] {
        let input = json!({"challenge": good["challenge"], "credential": credential});
        let refused = told(&sign_in(&app, &input).await);
        insta::allow_duplicates! { insta::assert_snapshot!(refused, @"BAD_USER_INPUT input.credential: input.credential is not what a browser makes of a passkey: send what PublicKeyCredential.toJSON() returns, as it is."); }
    }
    assert_eq!(code(&sign_in(&app, &good).await), "ok");
}

async fn at_once(client: Client, input: Value) -> Value {
    client.gql(super::SIGN_IN, json!({ "input": input })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_present_one_at_once_one_is_signed_in() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    for counts in [true, false] {
        ada.passkey.counts = counts;
        if !counts {
            // One that does not count has never done so.
            ada.passkey = super::set_up(&ada.client, json!({})).await.0;
            ada.passkey.counts = false;
        }
        let answer = signed(&app, &mut ada.passkey).await;
        let tasks: Vec<_> = (0..6)
            .map(|_| tokio::spawn(at_once(app.anonymous(), answer.clone())))
            .collect();
        let mut codes = Vec::new();
        for task in tasks {
            codes.push(code(&task.await.unwrap()));
        }
        codes.sort();
        let mut expected = vec!["UNAUTHENTICATED input"; 5];
        expected.push("ok");
        assert_eq!(codes, expected);
    }
}

/// They are counted as wrong keys are.
#[tokio::test]
async fn many_wrong_ones_have_to_wait() {
    let app = TestApp::with_settings(
        keystead::graphql::settings::Settings {
            requests_per_address: 4,
            ..Default::default()
        },
        keystead::http::Settings::default(),
    )
    .await;
    let wrong = json!({"challenge": "wrong", "credential": {"id": "AA", "rawId": "AA", "type": "public-key",
        "response": {"clientDataJSON": "AA", "authenticatorData": "AA", "signature": "AA"}}});
    let mut codes = Vec::new();
    for _ in 0..10 {
        codes.push(code(&sign_in(&app, &wrong).await));
    }
    assert_eq!(
        codes[..2],
        ["UNAUTHENTICATED input", "UNAUTHENTICATED input"]
    );
    assert!(codes.contains(&"RATE_LIMITED -".to_owned()), "{codes:?}");
}
