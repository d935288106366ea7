//! Tokens that are not good: one answer to all, and a count of those who try.

use keystead::ctx::Random;
use keystead::graphql::settings::Settings as ApiSettings;
use keystead::http::Settings as HttpSettings;
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use serde_json::json;

use super::{ACCEPT, PASSWORD, SHOW, accept, invite, token_of, told};
use crate::support::TestApp;

/// A token that is not good.
pub struct Bad {
    pub name: &'static str,
    pub token: String,
    /// Whether the database has to be asked: its form and its checksum are those of a token.
    pub asked: bool,
}

/// One of each kind; the first was never made.
pub async fn bad(app: &TestApp) -> Vec<Bad> {
    let (admin, random) = (app.admin(), Random::system());
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let user = user.typed_id().to_string();
    let email = json!({"email": "new@example.com", "expiresIn": "PT1H"});
    let known = json!({"user": user, "expiresIn": "PT1H"});
    let (_, expired) = invite(&admin, email.clone()).await;
    let (_, expired_known) = invite(&admin, known.clone()).await;
    app.app.clock.advance(chrono::TimeDelta::hours(1));
    let (_, used) = invite(&admin, email.clone()).await;
    let (_, used_known) = invite(&admin, known.clone()).await;
    for token in [&used, &used_known] {
        let wish = json!({"input": {"token": token, "password": PASSWORD}});
        app.anonymous().data(ACCEPT, wish).await;
    }
    let (id, revoked) = invite(&admin, email.clone()).await;
    let (id_known, revoked_known) = invite(&admin, known.clone()).await;
    let revoke = "mutation($id: ID!) { revokeInvitation(input: {id: $id}) { invitation { id } } }";
    for id in [id, id_known] {
        admin.data(revoke, json!({ "id": id })).await;
    }
    let (id, replaced) = invite(&admin, email.clone()).await;
    let resend = "mutation($id: ID!) { resendInvitation(input: {id: $id}) { link } }";
    let good = admin.data(resend, json!({ "id": id })).await;
    let good = token_of(good["resendInvitation"]["link"].as_str().unwrap());
    let (gone, _) = app.user("gone", InstanceRole::Member).await;
    let gone = gone.typed_id().to_string();
    let (_, of_deleted) = invite(&admin, json!({ "user": gone })).await;
    let delete = "mutation($id: ID!) { deleteUser(input: {id: $id}) { deletedUserId } }";
    admin.data(delete, json!({ "id": gone })).await;
    let mut altered = good.clone();
    altered.replace_range(10..11, if &good[10..11] == "a" { "b" } else { "a" });
    let made = |prefix: &str| Secret::generate(&random, prefix).expose().to_owned();
    let session = ada
        .data(
            "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { secret } }",
            json!({"input": {"token": invite(&admin, known).await.1, "password": PASSWORD}}),
        )
        .await["acceptInvitation"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    [
        ("unknown", made("ksi_"), true),
        ("expired", expired, true),
        ("expired, of a user", expired_known, true),
        ("used", used, true),
        ("used, of a user", used_known, true),
        ("revoked", revoked, true),
        ("revoked, of a user", revoked_known, true),
        ("replaced", replaced, true),
        ("of a deleted user", of_deleted, true),
        ("altered by one character", altered, false),
        ("cut", good[..40].to_owned(), false),
        ("with one character more", format!("{good}a"), false),
        ("with a null", "ksi_\0".into(), false),
        ("a good key", ada.key().unwrap().to_owned(), false),
        ("a good session", session, false),
        ("the token of a link by mail", made("ksm_"), false),
        ("empty", String::new(), false),
        (
            "far too long",
            format!("ksi_{}", "a".repeat(200_000)),
            false,
        ),
    ]
    .map(|(name, token, asked)| Bad { name, token, asked })
    .into()
}

#[tokio::test]
async fn every_token_that_is_not_good_has_one_answer() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let mut all = bad(&app).await;
    // Good by themselves, and of people who are not there at the moment.
    let disable =
        "mutation($id: ID!) { updateUser(input: {id: $id, enabled: false}) { user { id } } }";
    for name in ["invited", "inviting"] {
        let (user, client) = app.user(name, InstanceRole::Admin).await;
        let user = user.typed_id().to_string();
        let (_, token) = match name {
            "invited" => invite(&admin, json!({ "user": user })).await,
            _ => invite(&client, json!({"email": "other@example.com"})).await,
        };
        admin.data(disable, json!({ "id": user })).await;
        all.push(Bad {
            name,
            token,
            asked: true,
        });
    }
    let mut one = None;
    for Bad { name, token, .. } in &all {
        let shown = told(&app.anonymous().gql(SHOW, json!({ "token": token })).await);
        let one = one.get_or_insert(shown.clone());
        assert_eq!(shown, *one, "{name}");
        for client in [app.anonymous(), app.admin()] {
            if client.key().is_some() && ["invited", "inviting"].contains(name) {
                // By itself it is good: whoever is signed in is told what it is to leave out.
                continue;
            }
            let answer = accept(&client, json!({"token": token, "password": PASSWORD})).await;
            let expected = one.replacen("token", "input.token", 1);
            assert_eq!(told(&answer), expected, "{name}");
        }
    }
    insta::assert_snapshot!(one.unwrap());
    // Whose body is far too large is told so before anybody looks at what is in it.
    let body = json!({"query": SHOW, "variables": {"token": "a".repeat(10_000_000)}});
    let answer = app.anonymous().post(&body).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "LIMIT_EXCEEDED")
    );
}

/// Whoever is deleted while its invitation is being accepted has not come in, and the answer is the one to all.
#[tokio::test]
async fn a_user_that_is_deleted_meanwhile_does_not_come_in() {
    let app = TestApp::new().await;
    let (user, _) = app.user("ada", InstanceRole::Member).await;
    let (_, token) = invite(&app.admin(), json!({"user": user.typed_id().to_string()})).await;
    let client = app.app.db.endpoint().client().await.unwrap();
    let delete = format!("BEGIN; DELETE FROM users WHERE id = '{}'", user.id);
    client.batch_execute(&delete).await.unwrap();
    let accepting = tokio::spawn({
        let (app, token) = (app.clone(), token.clone());
        async move {
            accept(
                &app.anonymous(),
                json!({"token": token, "password": PASSWORD}),
            )
            .await
        }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let watch = app.app.db.endpoint().client().await.unwrap();
    while watch.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    client.batch_execute("COMMIT").await.unwrap();
    let unknown = accept(
        &app.anonymous(),
        json!({"token": "ksi_", "password": PASSWORD}),
    )
    .await;
    assert_eq!(told(&accepting.await.unwrap()), told(&unknown));
    let sessions = "SELECT count(*) FROM sessions";
    let sessions: i64 = watch.query_one(sessions, &[]).await.unwrap().get(0);
    assert_eq!(sessions, 0);
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
