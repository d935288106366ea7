//! No way to a session goes around a second factor.

use keystead::factors::ops as factors;
use keystead::permissions::model::InstanceRole;
use keystead::sessions::model::Method;
use keystead::sessions::ops as sessions;
use serde_json::json;

use super::{PASSWORD, SIGN_IN, Somebody, ask, code, somebody};
use crate::support::TestApp;

/// Every way there is. A new one does not compile before it is tried here.
const WAYS: [Method; 3] = [Method::Password, Method::Invitation, Method::MagicLink];

/// Comes in that way as `ada`, with a code or without; `None`: the way is not open to a user that is there already.
async fn come_in(app: &TestApp, way: Method, otp: Option<&str>) -> Option<serde_json::Value> {
    let input = |mut input: serde_json::Value| {
        input["otp"] = json!(otp);
        input
    };
    match way {
        Method::Password => {
            let wanted = input(json!({"login": "ada", "password": PASSWORD}));
            Some(ask(&app.anonymous(), SIGN_IN, wanted).await)
        }
        Method::Invitation => {
            let ada = app
                .admin()
                .data("{ user(by: {username: \"ada\"}) { id } }", json!({}))
                .await;
            let create = "mutation($input: CreateInvitationInput!) { createInvitation(input: $input) { link } }";
            let made = ask(&app.admin(), create, json!({"user": ada["user"]["id"]})).await;
            let link = made["data"]["createInvitation"]["link"]
                .as_str()
                .unwrap_or_else(|| panic!("{made:#}"))
                .to_owned();
            let token = link.split_once("token=").unwrap().1;
            let accept = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { session { id } } }";
            let wanted = input(json!({"token": token, "password": "what an invitation sets"}));
            Some(ask(&app.anonymous(), accept, wanted).await)
        }
        Method::MagicLink => {
            let ada = keystead::users::ops::by_username(&app.ctx(), "ada").await;
            let ada = ada.unwrap().unwrap().typed_id().to_string();
            let token = crate::matrix::world::magic_link(app, &ada, "ada@example.com").await;
            let sign_in = "mutation($input: SignInWithMagicLinkInput!) { signInWithMagicLink(input: $input) { session { id } } }";
            Some(ask(&app.anonymous(), sign_in, input(json!({"token": token}))).await)
        }
    }
}

#[tokio::test]
async fn every_way_to_a_session_asks_for_it() {
    for way in WAYS {
        let app = TestApp::new().await;
        let ada = somebody(&app, "ada", InstanceRole::Member).await;
        for (otp, expected) in [
            (None, "SECOND_FACTOR_REQUIRED input.otp"),
            (Some(ada.phone.wrong(&app)), "UNAUTHENTICATED input.otp"),
            (Some(ada.phone.code(&app, 0)), "ok"),
            (Some(ada.phone.code(&app, 0)), "UNAUTHENTICATED input.otp"),
            (Some(ada.codes[0].clone()), "ok"),
        ] {
            if let Some(answer) = come_in(&app, way, otp.as_deref()).await {
                assert_eq!(code(&answer), expected, "{way:?} {otp:?}: {answer}");
            }
        }
    }
}

/// Nor does it where the way itself forgets to ask: sessions begin in one place.
#[tokio::test]
async fn sessions_begin_in_one_place_which_asks() {
    let app = TestApp::new().await;
    let Somebody { phone, .. } = somebody(&app, "ada", InstanceRole::Member).await;
    let ctx = app.ctx();
    let ada = keystead::users::ops::by_username(&ctx, "ada")
        .await
        .unwrap()
        .unwrap();
    for way in WAYS {
        let mut tx = ctx.db.begin("test_begin").await.unwrap();
        let nothing = factors::second(&ctx, ada.id, None, "input.otp")
            .await
            .unwrap();
        let refused = sessions::begin(&ctx, &mut tx, &ada, way, nothing).await;
        assert_eq!(
            refused.err().map(|error| error.code),
            Some(keystead::error::Code::SecondFactorRequired),
            "{way:?}"
        );
    }
    // What another user has shown is nothing.
    let eve = somebody(&app, "eve", InstanceRole::Member).await;
    let otp = keystead::secrets::Secret::new(eve.phone.code(&app, 0));
    let eve = keystead::users::ops::by_username(&ctx, "eve")
        .await
        .unwrap()
        .unwrap();
    let shown = factors::second(&ctx, eve.id, Some(&otp), "input.otp")
        .await
        .unwrap();
    let mut tx = ctx.db.begin("test_begin").await.unwrap();
    assert!(
        sessions::begin(&ctx, &mut tx, &ada, Method::Password, shown)
            .await
            .is_err()
    );
    let otp = keystead::secrets::Secret::new(phone.code(&app, 0));
    let shown = factors::second(&ctx, ada.id, Some(&otp), "input.otp")
        .await
        .unwrap();
    let mut tx = ctx.db.begin("test_begin").await.unwrap();
    assert!(
        sessions::begin(&ctx, &mut tx, &ada, Method::Password, shown)
            .await
            .is_ok()
    );

    // The one statement that makes a session is where it is asked.
    let sources = crate::house::sources::rust(&["src/sessions/ops"]);
    let makers: Vec<_> = sources
        .iter()
        .filter(|source| source.text.contains("store::insert("))
        .map(|source| source.path.as_str())
        .collect();
    assert_eq!(makers, ["src/sessions/ops/begin.rs"]);
}
