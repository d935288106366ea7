//! What is used without a reservation counts against every limit that applies, and is refused for none.

use serde_json::json;

use super::{counts, exact, record};
use crate::limits::Proxy;
use crate::limits::manage::update;

fn hourly(name: &str, past: bool) -> serde_json::Value {
    let every = json!({"unit": "HOUR", "anchor": "2030-01-01T12:00:00Z"});
    json!({"name": name, "maxUsd": "10", "window": {"every": every}, "includePastSpend": past})
}

#[tokio::test]
async fn it_counts_in_the_window_and_the_minute_that_it_lies_in() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    proxy
        .limit(json!({"tokensPerMinute": 100, "requestsPerMinute": 5, "budgets": [hourly("b", false)]}))
        .await;
    let key = &proxy.key;
    proxy.later(5_400);
    // Of this hour, of the hour before, of this minute and of the minute before.
    let events = json!([
        {"id": "1", "apiKey": key, "usd": 1, "tokens": 10},
        {"id": "2", "apiKey": key, "usd": 2, "tokens": 20, "at": "2030-01-01T13:29:59.999999Z"},
        {"id": "3", "apiKey": key, "usd": 4, "tokens": 40, "at": "2030-01-01T12:59:59.999999Z"},
        {"id": "4", "apiKey": key, "usd": 8, "tokens": 80, "at": "2030-01-01T13:00:00Z", "requests": 0},
        {"id": "5", "apiKey": key, "usd": 16, "tokens": 5, "at": "2030-01-01T11:59:59Z"},
    ]);
    assert_eq!(counts(&record(&admin, events).await), "5 0 0");
    assert_eq!(proxy.budget("b").await, "11 0 0");
    let stopped = proxy.reserve(json!({"tokens": 1})).await;
    assert_eq!(stopped["code"], "LIMIT_EXCEEDED");
    let left = |answer: &serde_json::Value, limit: &str| {
        let limits = answer["limits"].as_array().unwrap();
        let one = limits.iter().find(|one| one["limit"] == limit).unwrap();
        one["remaining"].as_str().unwrap().to_owned()
    };
    assert_eq!(left(&stopped, "TOKENS_PER_MINUTE"), "90");
    assert_eq!(left(&stopped, "REQUESTS_PER_MINUTE"), "4");
    // More than there is counts too.
    let more = json!([{"id": "6", "apiKey": key, "usd": 500, "requests": 9}]);
    assert_eq!(counts(&record(&admin, more).await), "1 0 0");
    assert_eq!(proxy.budget("b").await, "511 0 0");
    // A new hour begins with the event itself.
    proxy.later(3_600);
    let next = json!([{"id": "7", "apiKey": key, "usd": "0.25"}]);
    assert_eq!(counts(&record(&admin, next).await), "1 0 0");
    assert_eq!(proxy.budget("b").await, "0.25 0 9.75");
    // Another window counts what lies in it since the budget was armed, at 12:00.
    let mut day = hourly("b", false);
    day["window"]["every"]["unit"] = json!("DAY");
    proxy.limit(json!({ "budgets": [day] })).await;
    assert_eq!(proxy.budget("b").await, "515.25 0 0");
    let client = proxy.app.app.db.endpoint().client().await.unwrap();
    assert_eq!(exact(&client).await, 7);
}

#[tokio::test]
async fn a_budget_that_includes_past_spend_counts_to_the_microsecond() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let key = &proxy.key;
    // Three days and some, in which the window begins within a quarter of an hour.
    proxy.later(3 * 86_400 + 3_000);
    let at = [
        "2030-01-02T07:07:06.999999Z",
        "2030-01-02T07:07:07Z",
        "2030-01-02T07:14:59.999999Z",
        "2030-01-02T07:15:00Z",
        "2030-01-02T23:59:59Z",
        "2030-01-03T00:00:00Z",
        "2030-01-04T12:49:00Z",
    ];
    let events: Vec<_> = (0..7)
        .map(|n| json!({"id": n.to_string(), "apiKey": key, "usd": 1 << n, "at": at[n]}))
        .collect();
    assert_eq!(counts(&record(&admin, json!(events)).await), "7 0 0");
    let every = json!({"unit": "WEEK", "anchor": "2030-01-02T07:07:07Z"});
    let budget = json!({"name": "b", "maxUsd": "1000", "window": {"every": every}, "includePastSpend": true});
    for subject in [json!({"apiKey": key}), json!({"user": proxy.user})] {
        let changed = update(&admin, json!({"subject": subject, "budgets": [budget]})).await;
        assert_eq!(changed["limits"]["budgets"][0]["spent"], "126");
    }
}

#[tokio::test]
async fn a_team_a_member_and_a_key_each_count_it() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let made = admin
        .data(
            "mutation { createTeam(input: {slug: \"above\"}) { team { id } } }",
            json!({}),
        )
        .await;
    let above = made["createTeam"]["team"]["id"].clone();
    let made = admin
        .data(
            "mutation($above: ID!, $user: ID!) {
                createTeam(input: {slug: \"below\", parent: $above, members: [{user: $user}]}) { team { id } } }",
            json!({"above": above, "user": proxy.user}),
        )
        .await;
    let below = made["createTeam"]["team"]["id"].clone();
    let budget = json!([{"name": "b", "maxUsd": "100"}]);
    let subjects = [
        json!({"apiKey": proxy.key}),
        json!({"user": proxy.user}),
        json!({"team": above}),
        json!({"team": below}),
        json!({"eachMemberOf": below}),
        json!({"member": {"team": below, "user": proxy.user}}),
    ];
    for subject in &subjects {
        // What is said of one member holds instead of what holds for each, under another name beside it.
        let mut budget = budget.clone();
        if subject.get("member").is_some() {
            budget[0]["name"] = json!("own");
        }
        update(&admin, json!({"subject": subject, "budgets": budget})).await;
    }
    let events = json!([
        {"id": "1", "apiKey": proxy.key, "usd": 1},
        {"id": "2", "user": proxy.user, "usd": 2},
        {"id": "3", "user": proxy.user, "team": below, "usd": 4},
        {"id": "4", "apiKey": proxy.key, "team": below, "usd": 8},
        {"id": "5", "user": proxy.user, "team": above, "usd": 16},
    ]);
    let told = record(&admin, events).await;
    assert_eq!(counts(&told), "4 0 1", "{told:#}");
    let spent = "query($key: ID!, $user: ID!, $above: ID!, $below: ID!) {
        apiKey(by: {id: $key}) { limits { budgets { name spent } } }
        user(by: {id: $user}) { limits { budgets { name spent } } memberships { nodes { limits { budgets { name spent } } } } }
        above: team(by: {id: $above}) { limits { budgets { name spent } } }
        below: team(by: {id: $below}) { limits { budgets { name spent } } } }";
    let ids = json!({"key": proxy.key, "user": proxy.user, "above": above, "below": below});
    insta::assert_json_snapshot!(admin.data(spent, ids).await);
    let client = proxy.app.app.db.endpoint().client().await.unwrap();
    assert_eq!(exact(&client).await, 4);
}
