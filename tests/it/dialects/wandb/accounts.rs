//! Service accounts: their key is seen once more by who has made them, and by nobody else.

use keystead::api_keys::model::NewApiKey;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{
    ACCOUNT, DELETE_INVITE, INVITE, TEAM, app_with_team, data, masked, members, refused, send,
    viewer,
};
use crate::support::{Client, TestApp};

/// The newest member of the team.
async fn newest(client: &Client) -> Value {
    let seen = data(client, TEAM, json!({"name": "research"})).await;
    let list = seen["entity"]["members"].as_array().unwrap();
    list.last().unwrap().clone()
}

async fn create(client: &Client, description: &str) {
    let variables = json!({"entity": "research", "description": description});
    data(client, ACCOUNT, variables).await;
}

#[tokio::test]
async fn its_key_is_with_the_newest_member_for_a_minute() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    app.user("bob", InstanceRole::Member).await;
    data(
        &admin,
        INVITE,
        json!({"entity": "research", "username": "bob"}),
    )
    .await;
    create(&admin, "CI of the research team").await;
    let made = newest(&admin).await;
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("-[0-9a-z]{6}\"", "-<own>\"");
    settings.bind(|| insta::assert_json_snapshot!("account", masked(made.clone())));
    let secret = made["apiKey"].as_str().unwrap();
    let account = app.with_key(secret);
    let own = data(&account, &viewer(), json!({})).await;
    assert_eq!(own["viewer"]["name"], "CI of the research team");
    assert_eq!(
        own["viewer"]["teams"]["edges"][1]["node"]["name"],
        "research"
    );
    // Asking again is no harm within the minute, and none of use after it.
    assert_eq!(newest(&admin).await["apiKey"], secret);
    app.app.clock.advance(chrono::TimeDelta::seconds(59));
    assert_eq!(newest(&admin).await["apiKey"], secret);
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    assert_eq!(newest(&admin).await["apiKey"], Value::Null);
    // It works on.
    assert_eq!(send(&account, &viewer(), json!({})).await.status, 200);
    // What is over is forgotten.
    let db = &app.app.db;
    let gone = keystead::api_keys::ops::forget_shown(db, &app.app.clock).await;
    assert_eq!(gone.unwrap(), 1);
}

#[tokio::test]
async fn nobody_else_sees_it_and_no_other_server_lacks_it() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    let (user, other) = app.user("root", InstanceRole::Admin).await;
    data(
        &admin,
        INVITE,
        json!({"entity": "research", "username": "root", "admin": true}),
    )
    .await;
    create(&admin, "CI").await;
    assert_eq!(newest(&other).await["apiKey"], Value::Null);
    // Nor does its maker by another credential.
    let found = app.ctx();
    let own = keystead::users::ops::by_username(&found, "admin")
        .await
        .unwrap()
        .unwrap();
    let new = NewApiKey {
        owner: Some(own.id),
        ..NewApiKey::default()
    };
    let (_, by_another_key) = app.generate(new).await;
    assert_eq!(newest(&by_another_key).await["apiKey"], Value::Null);
    let replica = app.replica(1, None).await;
    let there = newest(&replica.admin()).await;
    assert_eq!(there["apiKey"].as_str().unwrap().len(), 40);
    // Not in the clear.
    let client = app.app.db.endpoint().client().await.unwrap();
    let row = client
        .query_one("SELECT encode(sealed, 'escape') FROM shown_secrets", &[])
        .await
        .unwrap();
    assert!(!row.get::<_, String>(0).contains("ks_"));
    assert_ne!(user.id, own.id);
}

#[tokio::test]
async fn accounts_that_cannot_be_made() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let (_, chief) = app.user("chief", InstanceRole::Member).await;
    for (name, is_admin) in [("bob", false), ("chief", true)] {
        let variables = json!({"entity": "research", "username": name, "admin": is_admin});
        data(&admin, INVITE, variables).await;
    }
    let mut told = Vec::new();
    for (name, client, entity, description) in [
        ("no team", &admin, "nothing", "CI"),
        ("a user's place", &admin, "admin", "CI"),
        ("empty", &admin, "research", ""),
        ("too long", &admin, "research", &*"x".repeat(300)),
        ("large", &admin, "research", &*"x".repeat(100_000)),
        ("two lines", &admin, "research", "a\nb"),
        ("by a member", &bob, "research", "CI"),
        ("by the team's admin", &chief, "research", "CI"),
    ] {
        let variables = json!({"entity": entity, "description": description});
        told.push(format!(
            "{name}: {}",
            refused(client, ACCOUNT, variables).await
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
    let natively = admin.data("{ users { totalCount } }", json!({})).await;
    assert_eq!(
        natively["users"]["totalCount"], 3,
        "nothing was made by what failed"
    );
    assert_eq!(members(&admin, "research").await.len(), 3);
}

#[tokio::test]
async fn two_at_once_are_two() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    let variables = json!({"entity": "research", "description": "CI"});
    let (one, other) = tokio::join!(
        send(&admin, ACCOUNT, variables.clone()),
        send(&admin, ACCOUNT, variables)
    );
    assert_eq!((one.status, other.status), (200, 200));
    let seen = data(&admin, TEAM, json!({"name": "research"})).await;
    let list = seen["entity"]["members"].as_array().unwrap();
    assert_eq!(list.len(), 3);
    let keys: std::collections::HashSet<&str> = list[1..]
        .iter()
        .map(|one| one["apiKey"].as_str().unwrap())
        .collect();
    assert_eq!(keys.len(), 2);
}

async fn made(app: &TestApp) -> (Value, Client) {
    create(&app.admin(), "CI").await;
    let member = newest(&app.admin()).await;
    let account = app.with_key(member["apiKey"].as_str().unwrap());
    (member, account)
}

#[tokio::test]
async fn taken_away_its_key_works_no_more() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    let (member, account) = made(&app).await;
    let variables = json!({"id": member["id"], "entity": "research"});
    data(&admin, DELETE_INVITE, variables.clone()).await;
    assert_eq!(send(&account, &viewer(), json!({})).await.status, 401);
    assert_eq!(members(&admin, "research").await, ["Administrator admin"]);
    // The account is there, without team and key.
    let native = "{ users(filter: {kind: SERVICE}) { nodes { name apiKeys { totalCount } teams { totalCount } } } }";
    insta::assert_json_snapshot!("account_left", admin.data(native, json!({})).await);
    insta::assert_snapshot!(refused(&admin, DELETE_INVITE, variables).await, @"404 NOT_FOUND: There is no such member of this team, or you may not see it.");
}

#[tokio::test]
async fn whatever_else_it_has_stays() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    let (member, _) = made(&app).await;
    let name = member["username"].as_str().unwrap();
    let user = keystead::users::ops::by_username(&app.ctx(), name)
        .await
        .unwrap()
        .unwrap();
    let new = NewApiKey {
        owner: Some(user.id),
        ..NewApiKey::default()
    };
    let (_, own) = app.generate(new).await;
    data(
        &admin,
        DELETE_INVITE,
        json!({"id": member["id"], "entity": "research"}),
    )
    .await;
    assert_eq!(send(&own, &viewer(), json!({})).await.status, 200);
}
