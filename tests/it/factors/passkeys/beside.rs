//! A passkey beside a password.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{set_up, signed, somebody};
use crate::factors::{PASSWORD, SIGN_IN, ask, code, signed_in, told, user};
use crate::support::TestApp;

async fn with(app: &TestApp, beside: Value) -> Value {
    let mut input = json!({"login": "ada", "password": PASSWORD});
    for (name, value) in beside.as_object().unwrap() {
        input[name] = value.clone();
    }
    ask(&app.anonymous(), SIGN_IN, input).await
}

#[tokio::test]
async fn it_is_taken_in_place_of_a_code() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    let mut eve = somebody(&app, "eve", InstanceRole::Member).await;
    let good = signed(&app, &mut ada.passkey).await;
    let of_eve = signed(&app, &mut eve.passkey).await;
    let mut forged = good.clone();
    forged["credential"]["response"]["signature"] = json!("AAAA");
    for (beside, expected) in [
        (json!({}), "SECOND_FACTOR_REQUIRED input.otp"),
        // She has no app, so no digits are right.
        (json!({"otp": "123456"}), "UNAUTHENTICATED input.otp"),
        (
            json!({"otp": ada.codes[0], "passkey": good}),
            "BAD_USER_INPUT input.passkey",
        ),
        (json!({"passkey": of_eve}), "UNAUTHENTICATED input.passkey"),
        (json!({"passkey": forged}), "UNAUTHENTICATED input.passkey"),
        (
            json!({"passkey": {"challenge": good["challenge"], "credential": {}}}),
            "BAD_USER_INPUT input.passkey.credential",
        ),
        (json!({"passkey": good}), "ok"),
        (json!({"passkey": good}), "UNAUTHENTICATED input.passkey"),
        (json!({"otp": ada.codes[0]}), "ok"),
    ] {
        let answer = with(&app, beside.clone()).await;
        assert_eq!(code(&answer), expected, "{beside}: {answer}");
    }
    // What was eve's is hers still.
    assert_eq!(code(&super::sign_in(&app, &of_eve).await), "ok");
    let wrong = json!({"login": "ada", "password": "a wrong password", "passkey": signed(&app, &mut ada.passkey).await});
    let refused = ask(&app.anonymous(), SIGN_IN, wrong).await;
    assert_eq!(code(&refused), "UNAUTHENTICATED -", "the password is first");
}

/// Of who has none, nothing of it is looked at.
#[tokio::test]
async fn of_who_has_no_factor_it_is_nothing() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let answer = with(
        &app,
        json!({"passkey": {"challenge": "", "credential": {}}}),
    )
    .await;
    assert_eq!(code(&answer), "ok");
}

/// Both kinds at once.
#[tokio::test]
async fn whoever_has_both_takes_either() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    let (mut passkey, _) = set_up(&ada, json!({})).await;
    let (phone, _) = crate::factors::set_up(&app, &ada, json!({})).await;
    for _ in 0..2 {
        let beside = json!({"passkey": signed(&app, &mut passkey).await});
        assert_eq!(code(&with(&app, beside).await), "ok");
        let beside = json!({"otp": phone.code(&app, 0)});
        assert_eq!(code(&with(&app, beside).await), "ok");
        crate::factors::next_step(&app);
    }
}

/// Wrong ones are counted, and keep nobody out elsewhere.
#[tokio::test]
async fn wrong_ones_make_the_next_one_wait() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    let mut wrong = signed(&app, &mut ada.passkey).await;
    wrong["credential"]["response"]["signature"] = json!("AAAA");
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(code(&with(&app, json!({ "passkey": wrong })).await));
    }
    assert_eq!(codes[4], "UNAUTHENTICATED input.passkey");
    assert_eq!(codes[5], "RATE_LIMITED -");
    let good = json!({"passkey": signed(&app, &mut ada.passkey).await});
    let waits = with(&app, good.clone()).await;
    assert!(told(&waits).starts_with("RATE_LIMITED"), "{waits}");
    // From another address, and with the passkey alone, she comes in.
    let mut input = json!({"login": "ada", "password": PASSWORD});
    input["passkey"] = good["passkey"].clone();
    let body = json!({"query": SIGN_IN, "variables": {"input": input}});
    let client = app.anonymous();
    let call = client.request("POST", "/graphql").from("192.0.2.9");
    assert_eq!(code(&client.send(call.json(&body)).await.json()), "ok");
    let alone = signed(&app, &mut ada.passkey).await;
    assert_eq!(code(&super::sign_in(&app, &alone).await), "ok");
}
