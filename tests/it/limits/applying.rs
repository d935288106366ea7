//! Which limits hold for a key: all that apply.

use chrono::TimeDelta;
use keystead::api_keys::model::NewApiKey;
use keystead::db::ids::{Id, Kind};
use serde_json::{Value, json};

use super::{Proxy, update};
use crate::http::v1::{redacted, verdict};

#[tokio::test]
async fn a_teams_key_obeys_all_of_them() {
    let mut proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let create = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let team = |slug: &'static str, parent: Value| {
        let (admin, user) = (admin.clone(), proxy.user.clone());
        async move {
            let input = json!({"slug": slug, "parent": parent, "members": [{"user": user}]});
            let made = admin.data(create, json!({ "input": input })).await;
            made["createTeam"]["team"]["id"].clone()
        }
    };
    let above = team("above", Value::Null).await;
    let blue = team("blue", above.clone()).await;
    let owner = Id::parse_as(Kind::User, "", &proxy.user).unwrap();
    let new = NewApiKey {
        owner: Some(owner),
        team: Some(Id::parse_as(Kind::Team, "", blue.as_str().unwrap()).unwrap()),
        ..NewApiKey::default()
    };
    let (key, client) = proxy.app.generate(new).await;
    (proxy.key, proxy.secret) = (key.typed_id().to_string(), client.key().unwrap().to_owned());
    // Each with more than the one before, so that each stops in its turn.
    let budget = |max: u32| json!([{"name": "b", "maxUsd": max.to_string()}]);
    let member = json!({"team": blue, "user": proxy.user});
    let subjects = [
        json!({"apiKey": proxy.key}),
        json!({"user": proxy.user}),
        json!({ "member": member }),
        json!({ "team": blue }),
        json!({ "team": above }),
    ];
    for (max, subject) in (1..).zip(&subjects) {
        update(&admin, json!({"subject": subject, "budgets": budget(max)})).await;
    }
    // What is said of the member holds instead of what holds for each; the rest holds beside it.
    let each = json!([{"name": "b", "maxUsd": "100"}, {"name": "each", "maxUsd": "50"}]);
    update(
        &admin,
        json!({"subject": {"eachMemberOf": blue}, "budgets": each}),
    )
    .await;
    let mut told = Vec::new();
    for (usd, subject) in (2..).zip(&subjects) {
        let answer = proxy.reserve(json!({ "usd": usd })).await;
        assert_eq!(answer["code"], "LIMIT_EXCEEDED");
        if usd == 2 {
            // One of each subject, and the one for each member that is not said of this one.
            assert_eq!(answer["limits"].as_array().unwrap().len(), 6, "{answer:#}");
        }
        told.push(redacted(&answer)["message"].clone());
        update(&admin, json!({"subject": subject, "budgets": null})).await;
    }
    told.push(redacted(&proxy.reserve(json!({"usd": 51})).await)["message"].clone());
    insta::assert_json_snapshot!(told);
    let last = proxy.reserve(json!({"usd": 50})).await;
    assert_eq!(last["limits"][0]["member"], json!(proxy.user), "{last:#}");
    // The owner's other keys obey what is the owner's alone.
    update(
        &admin,
        json!({"subject": {"user": proxy.user}, "maxParallel": 0}),
    )
    .await;
    assert_eq!(proxy.reserve(json!({})).await["code"], "RATE_LIMITED");
}

#[tokio::test]
async fn limits_by_the_minute_are_exact_and_begin_anew() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"requestsPerMinute": 3, "tokensPerMinute": 100}))
        .await;
    proxy.later(20);
    for _ in 0..3 {
        proxy.reserved(json!({"tokens": 10})).await;
    }
    let stopped = proxy.reserve(json!({"tokens": 10})).await;
    assert_eq!(
        (&stopped["code"], &stopped["retryAfter"]),
        (&json!("RATE_LIMITED"), &json!(40))
    );
    proxy.later(39);
    assert_eq!(proxy.reserve(json!({})).await["retryAfter"], 1);
    proxy.later(1);
    let stopped = proxy.reserve(json!({"tokens": 101})).await;
    // Waiting would not help.
    assert_eq!(
        (&stopped["code"], &stopped["retryAfter"]),
        (&json!("RATE_LIMITED"), &Value::Null)
    );
    let first = proxy.reserved(json!({"tokens": 100})).await;
    assert_eq!(
        proxy.reserve(json!({"tokens": 1})).await["code"],
        "RATE_LIMITED"
    );
    proxy.settled(&first, json!({"tokens": 99})).await;
    proxy.reserved(json!({"tokens": 1})).await;
    // In the next minute the last one's tokens are no matter.
    proxy.later(60);
    let old = proxy.reserved(json!({"tokens": 50})).await;
    proxy.later(60);
    proxy.settled(&old, json!({"tokens": 1_000})).await;
    proxy.reserved(json!({"tokens": 100})).await;
}

#[tokio::test]
async fn open_reservations_are_counted() {
    let proxy = Proxy::new().await;
    proxy.limit(json!({"maxParallel": 2})).await;
    let first = proxy.reserved(json!({})).await;
    proxy.reserved(json!({})).await;
    let stopped = proxy.reserve(json!({})).await;
    assert_eq!(
        (&stopped["code"], &stopped["retryAfter"]),
        (&json!("RATE_LIMITED"), &json!(1))
    );
    proxy.settled(&first, json!({})).await;
    proxy.reserved(json!({})).await;
    assert_eq!(proxy.reserve(json!({})).await["valid"], false);
    proxy.later(60);
    proxy.reserved(json!({})).await;
    // More for a time, and then no more than usual.
    let until = (proxy.app.app.clock.now() + TimeDelta::seconds(30)).to_rfc3339();
    proxy
        .limit(json!({"increase": {"maxParallel": 4, "until": until}}))
        .await;
    for _ in 0..3 {
        proxy.reserved(json!({})).await;
    }
    proxy.later(30);
    assert_eq!(proxy.reserve(json!({})).await["limits"][0]["max"], "2");
}

#[tokio::test]
async fn what_is_remembered_of_limits_is_as_new_as_the_key() {
    let setup = crate::support::Setup {
        lease: Some(Default::default()),
        ..Default::default()
    };
    let app = crate::support::TestApp::with(setup).await;
    let proxy = Proxy::over(app).await;
    proxy
        .limit(json!({"budgets": [{"name": "b", "maxUsd": "1"}]}))
        .await;
    let body = json!({"key": proxy.secret, "cost": {"usd": "0.1"}});
    verdict(&proxy.service, &body).await;
    // The keys and their limits are remembered: one statement reserves. The lease may be renewed in between.
    let mut fewest = u64::MAX;
    for _ in 0..5 {
        let before = proxy.app.app.db.statements();
        verdict(&proxy.service, &body).await;
        fewest = fewest.min(proxy.app.app.db.statements() - before);
    }
    assert_eq!(fewest, 1);
    proxy
        .limit(json!({"budgets": [{"name": "b", "maxUsd": "0"}]}))
        .await;
    assert_eq!(
        verdict(&proxy.service, &body).await["code"],
        "LIMIT_EXCEEDED"
    );
    proxy.limit(json!({"budgets": null})).await;
    assert_eq!(verdict(&proxy.service, &body).await["code"], "VALID");
}
