//! Signing in with a second factor.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{
    MINE, PASSWORD, SIGN_IN, client, code, next_step, set_up, sign_in, signed_in, somebody, told,
    user,
};
use crate::support::{Call, TestApp};

#[tokio::test]
async fn a_code_is_good_once() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let otp = ada.phone.code(&app, 0);
    let spaced = format!(" {} {}", &otp[..3], &otp[3..]);
    let made = sign_in(&app, "ada", Some(&spaced)).await;
    let seen = client(&app, &made).data(MINE, json!({})).await;
    assert_eq!(
        seen["viewer"]["user"]["secondFactors"][0]["lastUsedAt"],
        "2030-01-01T12:00:30Z"
    );
    assert_eq!(made["data"]["signIn"]["mustEnrolSecondFactor"], false);
    assert_eq!(
        code(&sign_in(&app, "ada", Some(&otp)).await),
        "UNAUTHENTICATED input.otp"
    );
    // Nor is one of an earlier step.
    let before = ada.phone.code(&app, -1);
    assert_eq!(
        code(&sign_in(&app, "ada", Some(&before)).await),
        "UNAUTHENTICATED input.otp"
    );
    // Clocks may differ by a step, and not by two.
    let ahead = ada.phone.code(&app, 2);
    assert_eq!(
        code(&sign_in(&app, "ada", Some(&ahead)).await),
        "UNAUTHENTICATED input.otp"
    );
    let ahead = ada.phone.code(&app, 1);
    assert_eq!(code(&sign_in(&app, "ada", Some(&ahead)).await), "ok");
    for _ in 0..4 {
        next_step(&app);
    }
    let late = ada.phone.code(&app, -2);
    assert_eq!(
        code(&sign_in(&app, "ada", Some(&late)).await),
        "UNAUTHENTICATED input.otp"
    );
    let late = ada.phone.code(&app, -1);
    assert_eq!(code(&sign_in(&app, "ada", Some(&late)).await), "ok");
}

#[tokio::test]
async fn of_many_who_send_a_code_at_once_one_gets_in() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    for otp in [ada.phone.code(&app, 0), ada.codes[0].clone()] {
        let at_once = (0..4).map(|_| sign_in(&app, "ada", Some(&otp)));
        let mut codes: Vec<String> = futures_util::future::join_all(at_once)
            .await
            .iter()
            .map(code)
            .collect();
        codes.sort();
        let refused = "UNAUTHENTICATED input.otp";
        assert_eq!(codes, [refused, refused, refused, "ok"]);
    }
}

/// It is asked for once the password is right, and says nothing to anybody else.
#[tokio::test]
async fn it_is_asked_for_after_the_password() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let otp = ada.phone.code(&app, 0);
    let with = |login: &str, password: &str, otp: Option<&str>| {
        let input = json!({"input": {"login": login, "password": password, "otp": otp}});
        let anonymous = app.anonymous();
        async move { anonymous.gql(SIGN_IN, input).await }
    };
    let expected = with("nobody", PASSWORD, None).await;
    for otp in [None, Some(otp.as_str()), Some("000000"), Some("no code")] {
        assert_eq!(
            with("ada", "a wrong password", otp).await,
            expected,
            "{otp:?}"
        );
        assert_eq!(with("nobody", PASSWORD, otp).await, expected, "{otp:?}");
    }
    insta::assert_snapshot!(format!(
        "{}\n{}\n{}",
        told(&with("ada", PASSWORD, None).await),
        told(&with("ada", PASSWORD, Some(&ada.phone.wrong(&app))).await),
        told(&with("ada", PASSWORD, Some("no code")).await)
    ));
    // Who has none may send one: programs need not know.
    user(&app, "eve", InstanceRole::Member).await;
    assert_eq!(code(&with("eve", PASSWORD, Some("123456")).await), "ok");
    // The code was not spent by any of this.
    assert_eq!(code(&with("ada", PASSWORD, Some(&otp)).await), "ok");
}

/// Another password is not another way in.
#[tokio::test]
async fn a_password_that_is_set_asks_for_it_too() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let id = app
        .admin()
        .data("{ user(by: {username: \"ada\"}) { id } }", json!({}))
        .await;
    let set = "mutation($input: SetPasswordInput!) { setPassword(input: $input) { user { id } } }";
    let input = json!({"user": id["user"]["id"], "password": "what an administrator sets"});
    assert_eq!(code(&super::ask(&app.admin(), set, input).await), "ok");
    let mut input = json!({"login": "ada", "password": "what an administrator sets", "newPassword": "a second horse reads maps"});
    assert_eq!(
        code(&super::ask(&app.anonymous(), SIGN_IN, input.clone()).await),
        "SECOND_FACTOR_REQUIRED input.otp"
    );
    // Nothing has changed: it can be sent again with a code.
    input["otp"] = json!(ada.phone.code(&app, 0));
    assert_eq!(
        code(&super::ask(&app.anonymous(), SIGN_IN, input).await),
        "ok"
    );
}

#[tokio::test]
async fn basic_authentication_has_no_place_for_it() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Auditor).await;
    let basic = |call: Call, password: &str| {
        let encoded = STANDARD.encode(format!("ada:{password}"));
        call.header("authorization", &format!("Basic {encoded}"))
    };
    let graphql =
        || Call::new("POST", "/graphql").json(&json!({"query": "{ viewer { user { id } } }"}));
    let report = || Call::new("GET", "/v1/usage.csv");
    for call in [graphql(), report()] {
        assert_eq!(
            app.anonymous().send(basic(call, PASSWORD)).await.status,
            200
        );
    }
    let (_, ada) = signed_in(&app, "ada").await;
    set_up(&app, &ada, json!({})).await;
    for call in [graphql(), report()] {
        let answer = app.anonymous().send(basic(call, PASSWORD)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (401, "UNAUTHENTICATED".into())
        );
    }
    let answer = app
        .anonymous()
        .send(basic(graphql(), "a wrong password"))
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (401, "UNAUTHENTICATED".into())
    );
    // With a key it goes on.
    let key = app.admin_key.to_string();
    assert_eq!(
        app.anonymous().send(basic(graphql(), &key)).await.status,
        200
    );
}
