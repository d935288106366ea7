//! Wrong codes make the next one wait.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{CONFIRM, ENROL, PASSWORD, Phone, SIGN_IN, ask, code, signed_in, somebody, user};
use crate::support::TestApp;

/// Signs in from that address.
async fn from(app: &TestApp, ip: &str, otp: &str) -> (String, i64) {
    let input = json!({"login": "ada", "password": PASSWORD, "otp": otp});
    let body = json!({"query": SIGN_IN, "variables": {"input": input}});
    let call = app.anonymous().request("POST", "/graphql").from(ip);
    let answer = app.anonymous().send(call.json(&body)).await.json();
    let wait = &answer["errors"][0]["extensions"]["retryAfter"];
    (code(&answer), wait.as_i64().unwrap_or(0))
}

const WRONG: &str = "UNAUTHENTICATED input.otp";

/// There are a million codes: however many addresses try, they wait as one.
#[tokio::test]
async fn digits_are_not_guessed_from_many_addresses() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let (mut made, mut waited) = (0, 0);
    for number in 0.. {
        let ip = format!("198.51.{}.7", number % 250);
        match from(&app, &ip, &ada.phone.wrong(&app)).await {
            (refused, _) if refused == WRONG => made += 1,
            (limited, wait) => {
                assert_eq!(limited, "RATE_LIMITED -");
                waited += wait;
                app.app.clock.advance(TimeDelta::seconds(wait));
            }
        }
        if made == 25 {
            break;
        }
    }
    assert!(waited > 900 * 9, "25 attempts in {waited} s");
    let good = ada.phone.code(&app, 0);
    assert_eq!(from(&app, "203.0.113.1", &good).await.0, "RATE_LIMITED -");
    // She is not kept out: a recovery code, which nobody guesses, is counted for itself.
    assert_eq!(from(&app, "203.0.113.1", &ada.codes[0]).await.0, "ok");
    app.app.clock.advance(TimeDelta::seconds(900));
    assert_eq!(
        from(&app, "203.0.113.1", &ada.phone.code(&app, 0)).await.0,
        "ok"
    );
    // And then nothing is held against her any more.
    for _ in 0..5 {
        assert_eq!(
            from(&app, "203.0.113.1", &ada.phone.wrong(&app)).await.0,
            WRONG
        );
    }
    assert_eq!(from(&app, "203.0.113.1", &ada.phone.wrong(&app)).await.1, 1);
}

#[tokio::test]
async fn recovery_codes_wait_by_address() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let wrong = "aaaa-bbbb-cccc-dddd";
    for _ in 0..5 {
        assert_eq!(from(&app, "198.51.100.1", wrong).await.0, WRONG);
    }
    assert_eq!(
        from(&app, "198.51.100.1", &ada.codes[0]).await.0,
        "RATE_LIMITED -"
    );
    assert_eq!(from(&app, "203.0.113.1", &ada.codes[0]).await.0, "ok");
}

/// Many at once are not many for the price of one.
#[tokio::test]
async fn attempts_at_once_count_too() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let wrong = ada.phone.wrong(&app);
    let at_once = (0..40).map(|_| from(&app, "192.0.2.1", &wrong));
    let codes = futures_util::future::join_all(at_once).await;
    let made = codes.iter().filter(|(code, _)| code == WRONG).count();
    assert_eq!(made, 5, "{codes:?}");
}

#[tokio::test]
async fn confirming_waits_too() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    let begun = ask(&ada, ENROL, json!({})).await;
    let phone = Phone::reading(begun["data"]["enrolTotp"]["secret"].as_str().unwrap());
    let wrong = json!({"code": phone.wrong(&app)});
    for _ in 0..5 {
        assert_eq!(
            code(&ask(&ada, CONFIRM, wrong.clone()).await),
            "UNAUTHENTICATED input.code"
        );
    }
    assert_eq!(code(&ask(&ada, CONFIRM, wrong).await), "RATE_LIMITED -");
}
