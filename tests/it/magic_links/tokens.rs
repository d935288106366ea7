//! Tokens that are not good: one answer to all, and a count of those who try.

use keystead::graphql::settings::Settings as ApiSettings;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{app, link, on, open, setup, sign_in, told};
use crate::support::{Client, SmtpServer, TestApp};

#[tokio::test]
async fn every_token_that_is_not_good_has_one_answer() {
    let server = SmtpServer::start().await;
    let app = app(&server, open()).await;
    let admin = app.admin();
    let mut people = Vec::new();
    for name in ["ada", "deleted", "disabled", "moved", "expired"] {
        people.push(app.user(name, InstanceRole::Member).await);
    }
    let id = |place: usize| people[place].0.typed_id().to_string();
    let expired = link(&app, &server, "expired@example.com").await;
    app.app.clock.advance(chrono::TimeDelta::minutes(14));
    let used = link(&app, &server, "ada@example.com").await;
    let other = link(&app, &server, "ada@example.com").await;
    let signed = sign_in(&app.anonymous(), &used).await;
    assert!(signed["errors"].is_null(), "{signed}");
    let deleted = link(&app, &server, "deleted@example.com").await;
    let disabled = link(&app, &server, "disabled@example.com").await;
    let moved = link(&app, &server, "moved@example.com").await;
    let delete = "mutation($id: ID!) { deleteUser(input: {id: $id}) { deletedUserId } }";
    admin.data(delete, json!({ "id": id(1) })).await;
    let update = "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }";
    for input in [
        json!({"id": id(2), "enabled": false}),
        json!({"id": id(3), "email": "elsewhere@example.com"}),
    ] {
        admin.data(update, json!({ "input": input })).await;
    }
    let good = link(&app, &server, "ada@example.com").await;
    let mut altered = good.clone();
    altered.replace_range(10..11, if &good[10..11] == "a" { "b" } else { "a" });
    let random = keystead::ctx::Random::system();
    let generate = |prefix: &str| keystead::secrets::Secret::generate(&random, prefix);
    let (unknown, invitation) = (generate("ksm_"), generate("ksi_"));
    let session = signed["data"]["signInWithMagicLink"]["secret"]
        .as_str()
        .unwrap();
    let one = told(&sign_in(&app.anonymous(), "").await);
    insta::assert_snapshot!(one, @"NOT_FOUND input.token: This link is not good: it is not the whole link, was used, or its quarter of an hour is over. Ask for another one.");
    for (what, token) in [
        ("expired", expired.as_str()),
        ("used", &used),
        ("sent before one that was used", &other),
        ("of a deleted user", &deleted),
        ("of a disabled user", &disabled),
        ("of a user with another address", &moved),
        ("altered", &altered),
        ("a session's", session),
        ("a key", people[0].1.key().unwrap()),
        ("an invitation's", invitation.expose()),
        ("unknown", unknown.expose()),
        ("cut", &good[..40]),
        ("with more", &format!("{good}a")),
        ("with a null", "ksm_\0"),
    ] {
        for client in [app.anonymous(), app.admin()] {
            assert_eq!(told(&sign_in(&client, token).await), one, "{what}");
        }
    }
    let answer = sign_in(&app.anonymous(), &good).await;
    assert!(answer["errors"].is_null(), "{answer}");
}

async fn at_once(client: Client, token: String) -> Value {
    sign_in(&client, &token).await
}

/// Presents all of these at once: one signs in, and the others are told that theirs is not good.
async fn one_of(app: &TestApp, tokens: Vec<String>) {
    let tasks: Vec<_> = tokens
        .into_iter()
        .map(|token| tokio::spawn(at_once(app.anonymous(), token)))
        .collect();
    let mut signed = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        match answer["errors"].is_null() {
            true => signed += 1,
            false => assert!(
                told(&answer).starts_with("NOT_FOUND input.token"),
                "{answer}"
            ),
        }
    }
    assert_eq!(signed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_present_a_token_at_once_one_is_signed_in() {
    let server = SmtpServer::start().await;
    let app = app(&server, open()).await;
    app.user("ada", InstanceRole::Member).await;
    for email in ["ada@example.com", "new@example.com"] {
        let token = link(&app, &server, email).await;
        one_of(&app, vec![token; 6]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_links_to_one_address_at_once_one_signs_in_and_neither_waits_for_the_other() {
    let server = SmtpServer::start().await;
    let app = app(&server, open()).await;
    for round in 0..8 {
        let email = format!("new{round}@example.com");
        let mut tokens = Vec::new();
        for _ in 0..3 {
            tokens.push(link(&app, &server, &email).await);
        }
        one_of(&app, tokens).await;
    }
}

#[tokio::test]
async fn wrong_tokens_are_counted_as_wrong_keys_are() {
    let server = SmtpServer::start().await;
    let mut setup = setup(&server, on());
    setup.api = ApiSettings {
        requests_per_address: 4,
        ..ApiSettings::default()
    };
    let app = TestApp::with(setup).await;
    let mut codes = Vec::new();
    for _ in 0..10 {
        let answer = sign_in(&app.anonymous(), "ksm_wrong").await;
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        codes.push(code.unwrap().to_owned());
    }
    assert_eq!(codes[..2], ["NOT_FOUND", "NOT_FOUND"]);
    assert!(codes.contains(&"RATE_LIMITED".to_owned()), "{codes:?}");
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    app.user("ada", InstanceRole::Member).await;
    link(&app, &server, "ada@example.com").await;
    let purge = || keystead::magic_links::ops::purge(&app.app.db, &app.app.clock);
    assert_eq!(purge().await.unwrap(), 0);
    app.app.clock.advance(chrono::TimeDelta::hours(25));
    assert_eq!(
        purge().await.unwrap(),
        2,
        "the link, and that it was asked for"
    );
}
