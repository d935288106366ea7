//! Notices of keys that are going to expire: 14, 7 and 1 days ahead, each once.

use chrono::{DateTime, TimeDelta, Utc};
use keystead::api_keys::model::{ApiKey, ApiKeyChanges, NewApiKey};
use keystead::permissions::model::InstanceRole;
use keystead::users::model::User;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

async fn key(app: &TestApp, owner: &User, name: &str, expires_at: Option<DateTime<Utc>>) -> ApiKey {
    let new = NewApiKey {
        owner: Some(owner.id),
        name: Some(name.into()),
        expires_at,
        ..NewApiKey::default()
    };
    app.generate(new).await.0
}

/// What was announced so far, oldest first: the key's name and the days ahead.
async fn announced(client: &Client) -> Vec<(String, i64)> {
    let asked = "{ auditEvents(first: 100, filter: {action: \"apiKey.expiring\"}) { nodes { after actorId } } }";
    let found = client.data(asked, json!({})).await;
    let events = found["auditEvents"]["nodes"].as_array().unwrap();
    events
        .iter()
        .rev()
        .map(|event| {
            assert_eq!(event["actorId"], Value::Null);
            let after = &event["after"];
            (
                after["name"].as_str().unwrap().to_owned(),
                after["daysAhead"].as_i64().unwrap(),
            )
        })
        .collect()
}

fn days(days: i64) -> TimeDelta {
    TimeDelta::days(days)
}

#[tokio::test]
async fn each_notice_is_given_once_and_a_new_end_has_its_own() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let now = app.ctx().now();
    key(&app, &ada, "month", Some(now + days(30))).await;
    key(&app, &ada, "week", Some(now + days(7))).await;
    key(&app, &ada, "hours", Some(now + TimeDelta::hours(5))).await;
    key(&app, &ada, "ever", None).await;
    let off = key(&app, &ada, "off", Some(now + days(30))).await;
    let change = ApiKeyChanges {
        enabled: Some(false),
        ..ApiKeyChanges::default()
    };
    keystead::api_keys::ops::update(&app.ctx(), off.id, change)
        .await
        .unwrap();

    let mut given = Vec::new();
    // An hour at a time, past the end of all of them.
    for hour in 0..31 * 24 {
        let count = app.app.announce_expiring().await.unwrap();
        if count > 0 {
            let all = announced(&app.admin()).await;
            let new = all[all.len() - count..].iter();
            given.extend(new.map(|(name, days)| (hour / 24, name.clone(), *days)));
        }
        app.app.clock.advance(TimeDelta::hours(1));
    }
    let expected = [
        (6, "week", 1),
        (16, "month", 14),
        (23, "month", 7),
        (29, "month", 1),
    ];
    let expected = expected.map(|(day, name, days)| (day, name.to_owned(), days));
    assert_eq!(given, expected);

    // The owner reads of it, strangers do not.
    assert_eq!(
        announced(&client).await.len(),
        0,
        "a member has no audit.read"
    );
    let event = "{ auditEvents(first: 1, filter: {action: \"apiKey.expiring\"}) { nodes { action actorId before after } } }";
    let mut found = app.admin().data(event, json!({})).await;
    let node = found["auditEvents"]["nodes"][0].take();
    insta::assert_json_snapshot!(super::redacted(node), {".after.owner" => "[user]"});
}

#[tokio::test]
async fn what_was_missed_is_said_once_and_a_key_that_is_prolonged_is_announced_anew() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let now = app.ctx().now();
    let made = key(&app, &ada, "month", Some(now + days(30))).await;
    // Nobody was there for most of the time: only the last of the notices that were missed.
    app.app.clock.advance(days(25));
    assert_eq!(app.app.announce_expiring().await.unwrap(), 1);
    assert_eq!(app.app.announce_expiring().await.unwrap(), 0);
    let change = ApiKeyChanges {
        expires_at: Some(Some(now + days(60))),
        ..ApiKeyChanges::default()
    };
    keystead::api_keys::ops::update(&app.ctx(), made.id, change)
        .await
        .unwrap();
    assert_eq!(app.app.announce_expiring().await.unwrap(), 0);
    app.app.clock.advance(days(22));
    assert_eq!(app.app.announce_expiring().await.unwrap(), 1);
    let expected = [("month".to_owned(), 7), ("month".to_owned(), 14)];
    assert_eq!(announced(&app.admin()).await, expected);
}

#[tokio::test]
async fn many_servers_give_each_notice_once() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let now = app.ctx().now();
    // More than one transaction takes.
    for number in 0..620 {
        key(&app, &ada, &format!("key{number}"), Some(now + days(20))).await;
    }
    app.app.clock.advance(days(15));
    let mut servers = vec![app.app.clone()];
    for seed in 2..5 {
        let other = app.beside(seed).await;
        other.clock.advance(days(15));
        servers.push(other);
    }
    let all = servers.iter().map(|server| server.announce_expiring());
    let given = futures_util::future::join_all(all).await;
    let given: usize = given.into_iter().map(Result::unwrap).sum();
    let mut more = 0;
    for server in &servers {
        more += server.announce_expiring().await.unwrap();
    }
    assert_eq!(given + more, 620);
    let found = app
        .admin()
        .data(
            "{ auditEvents(filter: {action: \"apiKey.expiring\"}) { totalCount } }",
            json!({}),
        )
        .await;
    assert_eq!(found["auditEvents"]["totalCount"], 620);
}
