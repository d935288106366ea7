//! Tokens that are not good: one answer to all, and a count of those who try.

use keystead::graphql::settings::Settings as ApiSettings;
use keystead::http::Settings as HttpSettings;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{PASSWORD, SHOW, accept, invite, told};
use crate::support::TestApp;

#[tokio::test]
async fn every_token_that_is_not_good_has_one_answer() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let user = user.typed_id().to_string();
    let email = json!({"email": "new@example.com", "expiresIn": "PT1H"});
    let (_, expired) = invite(&admin, email.clone()).await;
    app.app.clock.advance(chrono::TimeDelta::hours(1));
    let (_, used) = invite(&admin, email.clone()).await;
    accept(
        &app.anonymous(),
        json!({"token": used, "password": PASSWORD}),
    )
    .await;
    let (id, revoked) = invite(&admin, email.clone()).await;
    let revoke = "mutation($id: ID!) { revokeInvitation(input: {id: $id}) { invitation { id } } }";
    admin.data(revoke, json!({ "id": id })).await;
    let (_, of_deleted) = invite(&admin, json!({ "user": user })).await;
    let delete = "mutation($id: ID!) { deleteUser(input: {id: $id}) { deletedUserId } }";
    let (other, _) = app.user("other", InstanceRole::Member).await;
    let other = other.typed_id().to_string();
    let (_, of_disabled) = invite(&admin, json!({ "user": other })).await;
    let disable =
        "mutation($id: ID!) { updateUser(input: {id: $id, enabled: false}) { user { id } } }";
    admin.data(disable, json!({ "id": other })).await;
    let (_, good) = invite(&admin, email).await;
    let mut altered = good.clone();
    altered.replace_range(10..11, if &good[10..11] == "a" { "b" } else { "a" });
    let key = ada.key().unwrap().to_owned();
    admin.data(delete, json!({ "id": user })).await;
    let unknown = keystead::secrets::Secret::generate(&keystead::ctx::Random::system(), "ksi_");
    let cut = &good[..40];
    let one = told(&app.anonymous().gql(SHOW, json!({"token": ""})).await);
    for (what, token) in [
        ("expired", expired.as_str()),
        ("used", &used),
        ("revoked", &revoked),
        ("of a deleted user", &of_deleted),
        ("of a disabled user", &of_disabled),
        ("altered", &altered),
        ("of another kind", &key),
        ("unknown", unknown.expose()),
        ("cut", cut),
        ("with more", &format!("{good}a")),
        ("with a null", "ksi_\0"),
    ] {
        let shown = app.anonymous().gql(SHOW, json!({ "token": token })).await;
        assert_eq!(told(&shown), one, "{what}");
        for client in [app.anonymous(), app.admin()] {
            let answer = accept(&client, json!({"token": token, "password": PASSWORD})).await;
            assert_eq!(
                told(&answer),
                one.replacen("token", "input.token", 1),
                "{what}"
            );
        }
    }
    app.anonymous().data(SHOW, json!({ "token": good })).await;
}

#[tokio::test]
async fn wrong_tokens_are_counted_as_wrong_keys_are() {
    let api = ApiSettings {
        requests_per_address: 4,
        ..ApiSettings::default()
    };
    let app = TestApp::with_settings(api, HttpSettings::default()).await;
    // Each costs what it costs to ask, and once more for being wrong.
    let mut codes = Vec::new();
    for _ in 0..10 {
        let answer = app
            .anonymous()
            .gql(SHOW, json!({"token": "ksi_wrong"}))
            .await;
        codes.push(
            answer["errors"][0]["extensions"]["code"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(codes[..2], ["NOT_FOUND", "NOT_FOUND"]);
    assert!(codes.contains(&"RATE_LIMITED".to_owned()), "{codes:?}");
    // With a key it is no different: many in one document are many.
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let many: String = (0..12)
        .map(|n| format!("a{n}: invitation(token: \"ksi_{n}\") {{ inviter }} "))
        .collect();
    let answer = ada.gql(&format!("{{ {many} }}"), json!({})).await;
    let errors = answer["errors"].as_array().unwrap();
    assert!(
        errors
            .iter()
            .any(|error| error["extensions"]["code"] == "RATE_LIMITED"),
        "{answer}"
    );
}
