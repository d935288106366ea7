//! No way to a session goes around a second factor.

use keystead::factors::model::Offered;
use keystead::factors::ops as factors;
use keystead::permissions::model::InstanceRole;
use keystead::sessions::model::Method;
use keystead::sessions::ops as sessions;
use serde_json::{Value, json};

use super::{PASSWORD, SIGN_IN, Somebody, ask, code, passkeys, somebody};
use crate::support::TestApp;

/// Every way there is. A new one does not compile before it is tried here.
const WAYS: [Method; 4] = [
    Method::Password,
    Method::Invitation,
    Method::MagicLink,
    Method::Passkey,
];

/// Comes in that way as `ada`, with that beside it; `None`: the way has no place for it.
async fn come_in(app: &TestApp, way: Method, beside: &Value) -> Option<Value> {
    let input = |mut input: Value| {
        for (name, value) in beside.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    match way {
        // It is a second factor itself, and the first one too.
        Method::Passkey => match beside.get("passkey") {
            Some(signed) => Some(passkeys::sign_in(app, signed).await),
            None => None,
        },
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
        let (mut passkey, _) = passkeys::set_up(&ada.client, json!({})).await;
        let signed = passkeys::signed(&app, &mut passkey).await;
        let mut eve = passkeys::somebody(&app, "eve", InstanceRole::Member).await;
        let of_eve = passkeys::signed(&app, &mut eve.passkey).await;
        let mut tried = 0;
        for (beside, expected) in [
            (json!({}), "SECOND_FACTOR_REQUIRED input.otp"),
            (
                json!({"otp": ada.phone.wrong(&app)}),
                "UNAUTHENTICATED input.otp",
            ),
            (json!({"otp": ada.phone.code(&app, 0)}), "ok"),
            (
                json!({"otp": ada.phone.code(&app, 0)}),
                "UNAUTHENTICATED input.otp",
            ),
            (json!({"otp": ada.codes[0]}), "ok"),
            (
                json!({ "passkey": of_eve }),
                "UNAUTHENTICATED input.passkey",
            ),
            (json!({ "passkey": signed }), "ok"),
            (
                json!({ "passkey": signed }),
                "UNAUTHENTICATED input.passkey",
            ),
        ] {
            let expected = match way {
                // Alone it signs in whoever it belongs to.
                Method::Passkey if beside["passkey"] == of_eve => "ok",
                Method::Passkey => expected.strip_suffix(".passkey").unwrap_or(expected),
                _ => expected,
            };
            if let Some(answer) = come_in(&app, way, &beside).await {
                assert_eq!(code(&answer), expected, "{way:?} {beside}: {answer}");
                tried += 1;
            }
        }
        assert_eq!(tried, if way == Method::Passkey { 3 } else { 8 });
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
        let nothing = factors::second(&ctx, ada.id, &Offered::default())
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
    let otp = |code: String| Offered {
        otp: Some(keystead::secrets::Secret::new(code)),
        passkey: None,
    };
    let offered = otp(eve.phone.code(&app, 0));
    let eve = keystead::users::ops::by_username(&ctx, "eve")
        .await
        .unwrap()
        .unwrap();
    let shown = factors::second(&ctx, eve.id, &offered).await.unwrap();
    let mut tx = ctx.db.begin("test_begin").await.unwrap();
    assert!(
        sessions::begin(&ctx, &mut tx, &ada, Method::Password, shown)
            .await
            .is_err()
    );
    let offered = otp(phone.code(&app, 0));
    let shown = factors::second(&ctx, ada.id, &offered).await.unwrap();
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
