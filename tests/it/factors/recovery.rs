//! Codes for who has lost an app.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{MINE, REGENERATE, REMOVE, ask, client, code, later, sign_in, somebody, texts};
use crate::support::{Client, TestApp};

async fn left(client: &Client) -> i64 {
    let seen = client.data(MINE, json!({})).await;
    seen["viewer"]["user"]["recoveryCodesLeft"]
        .as_i64()
        .unwrap()
}

#[tokio::test]
async fn each_is_good_once() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    assert_eq!(left(&ada.client).await, 10);
    let first = &ada.codes[0];
    assert_eq!(code(&sign_in(&app, "ada", Some(first)).await), "ok");
    assert_eq!(
        code(&sign_in(&app, "ada", Some(first)).await),
        "UNAUTHENTICATED input.otp"
    );
    // As people write it.
    let written = ada.codes[1]
        .to_uppercase()
        .replace('-', " ")
        .replace('0', "O")
        .replace('1', "l");
    assert_eq!(code(&sign_in(&app, "ada", Some(&written)).await), "ok");
    assert_eq!(left(&ada.client).await, 8);
    for wrong in ["aaaa-bbbb-cccc-dddd", "0000-0000-0000-0000"] {
        assert_eq!(
            code(&sign_in(&app, "ada", Some(wrong)).await),
            "UNAUTHENTICATED input.otp"
        );
    }
    let cut = &ada.codes[2][..18];
    assert_eq!(
        code(&sign_in(&app, "ada", Some(cut)).await),
        "BAD_USER_INPUT input.otp"
    );
    let trail =
        "{ auditEvents(filter: {action: \"user.useRecoveryCode\"}) { nodes { actorName after } } }";
    let trail = app.admin().data(trail, json!({})).await;
    let used = json!({"actorName": "ada", "after": {"recoveryCode": "used"}});
    assert_eq!(trail["auditEvents"]["nodes"], json!([used, used]));
}

#[tokio::test]
async fn another_users_is_not_good() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let eve = somebody(&app, "eve", InstanceRole::Member).await;
    for otp in [&ada.codes[0], &ada.phone.code(&app, 0)] {
        assert_eq!(
            code(&sign_in(&app, "eve", Some(otp)).await),
            "UNAUTHENTICATED input.otp"
        );
    }
    assert_eq!(code(&sign_in(&app, "eve", Some(&eve.codes[0])).await), "ok");
}

#[tokio::test]
async fn new_ones_take_the_place_of_the_old() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    later(&app);
    assert_eq!(
        code(&ask(&ada.client, REGENERATE, json!({})).await),
        "SECOND_FACTOR_REQUIRED input.otp"
    );
    let proof = json!({"otp": ada.codes[0]});
    let made = ask(&ada.client, REGENERATE, proof.clone()).await;
    let new = texts(&made["data"]["regenerateRecoveryCodes"]["recoveryCodes"]);
    assert_eq!(new.len(), 10);
    assert_eq!(left(&ada.client).await, 10);
    assert_eq!(
        code(&ask(&ada.client, REGENERATE, proof).await),
        "UNAUTHENTICATED input.otp"
    );
    assert_eq!(
        code(&sign_in(&app, "ada", Some(&ada.codes[1])).await),
        "UNAUTHENTICATED input.otp"
    );
    let made = sign_in(&app, "ada", Some(&new[0])).await;
    // With the last factor they go.
    let fresh = client(&app, &made);
    assert_eq!(
        code(&ask(&fresh, REMOVE, json!({"id": ada.factor})).await),
        "ok"
    );
    assert_eq!(left(&fresh).await, 0);
    assert_eq!(
        code(&ask(&fresh, REGENERATE, json!({})).await),
        "CONFLICT -"
    );
    assert_eq!(code(&sign_in(&app, "ada", None).await), "ok");
}
