//! Signature counters: of a passkey there is one.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{sign_in, signed, somebody};
use crate::factors::{PASSWORD, ask, code, told};
use crate::support::TestApp;

#[tokio::test]
async fn a_counter_that_goes_back_is_refused_and_recorded() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    for counter in [4, 8] {
        ada.passkey.counter = counter;
        let answer = signed(&app, &mut ada.passkey).await;
        assert_eq!(code(&sign_in(&app, &answer).await), "ok");
    }
    // It has counted to 9 by now, and a copy of it has not.
    let mut beside = json!({"login": "ada", "password": PASSWORD});
    for counter in [8, 3] {
        ada.passkey.counter = counter;
        let answer = signed(&app, &mut ada.passkey).await;
        for _ in 0..2 {
            let refused = sign_in(&app, &answer).await;
            insta::allow_duplicates! { insta::assert_snapshot!(told(&refused), @"UNAUTHENTICATED input: This passkey is not good here: it is not known, or its challenge was used or is older than five minutes, or what it has signed is not what was asked. Ask for another challenge, and try again."); }
        }
        beside["passkey"] = answer;
    }
    let refused = ask(&app.anonymous(), crate::factors::SIGN_IN, beside).await;
    assert_eq!(code(&refused), "UNAUTHENTICATED input.passkey");
    ada.passkey.counts = false;
    ada.passkey.counter = 0;
    let answer = signed(&app, &mut ada.passkey).await;
    assert_eq!(code(&sign_in(&app, &answer).await), "UNAUTHENTICATED input");
    ada.passkey.counts = true;
    ada.passkey.counter = 9;
    let answer = signed(&app, &mut ada.passkey).await;
    assert_eq!(code(&sign_in(&app, &answer).await), "ok");

    // Once for each challenge.
    let trail = "{ auditEvents(filter: {action: \"secondFactor.suspect\"}) { nodes { actorName target after } } }";
    let trail = app.admin().data(trail, json!({})).await;
    let events = trail["auditEvents"]["nodes"].as_array().unwrap();
    assert_eq!(events.len(), 3, "{trail}");
    insta::assert_json_snapshot!(events[0], {".after.user" => "[user]", ".target" => "[factor]"});
    assert_eq!(events[0]["target"], ada.factor.as_str());
}

/// Of two answers that were given one after the other, the earlier one is nothing any more.
#[tokio::test]
async fn answers_are_taken_in_their_order() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    let first = signed(&app, &mut ada.passkey).await;
    let second = signed(&app, &mut ada.passkey).await;
    assert_eq!(code(&sign_in(&app, &second).await), "ok");
    assert_eq!(code(&sign_in(&app, &first).await), "UNAUTHENTICATED input");
}

/// Passkeys that are kept in several places do not count at all.
#[tokio::test]
async fn those_that_do_not_count_sign_in_as_often_as_they_like() {
    let app = TestApp::new().await;
    let mut ada = somebody(&app, "ada", InstanceRole::Member).await;
    ada.passkey.counts = false;
    for _ in 0..3 {
        let answer = signed(&app, &mut ada.passkey).await;
        assert_eq!(code(&sign_in(&app, &answer).await), "ok");
    }
    // One that begins to count goes on.
    ada.passkey.counts = true;
    for _ in 0..2 {
        let answer = signed(&app, &mut ada.passkey).await;
        assert_eq!(code(&sign_in(&app, &answer).await), "ok");
    }
}

/// A key that is put into another user's row does not work there.
#[tokio::test]
async fn a_passkey_is_sealed_for_its_user() {
    let app = TestApp::new().await;
    somebody(&app, "ada", InstanceRole::Member).await;
    let mut eve = somebody(&app, "eve", InstanceRole::Member).await;
    crate::factors::sql(
        &app,
        "UPDATE second_factors SET secret = (SELECT f.secret FROM second_factors f JOIN users u ON u.id = f.user_id WHERE u.username = 'ada')",
    )
    .await;
    let answer = signed(&app, &mut eve.passkey).await;
    assert_eq!(
        code(&sign_in(&app, &answer).await),
        "INTERNAL_SERVER_ERROR -"
    );
}
