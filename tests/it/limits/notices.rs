//! `budget.soft` and `budget.exhausted`: once for each window and amount, however many servers tell.

use futures_util::future::join_all;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::Proxy;
use super::manage::update;
use crate::support::Client;

const ASKED: &str = "{ auditEvents(first: 100, filter: {action: \"budget.\"}) { nodes { action target actorId actorName paths before after } } }";

/// What was told so far, oldest first.
async fn events(client: &Client) -> Vec<Value> {
    let found = client.data(ASKED, json!({})).await;
    let nodes = found["auditEvents"]["nodes"].as_array().unwrap();
    nodes.iter().rev().cloned().collect()
}

/// The same in short: `exhausted b 10 of 12`, as far as it is new.
async fn told(proxy: &Proxy, seen: &mut usize) -> Vec<String> {
    let count = proxy.app.app.announce_budgets().await.unwrap();
    let all = events(&proxy.app.admin()).await;
    assert_eq!(all.len(), *seen + count);
    let new = all[*seen..].iter().map(|event| {
        let after = &event["after"];
        let text = |name: &str| after[name].as_str().unwrap_or("-").to_owned();
        let kind = event["action"].as_str().unwrap().replace("budget.", "");
        let amount = text(if kind == "soft" { "softUsd" } else { "maxUsd" });
        format!("{kind} {} {amount} of {}", text("budget"), text("spent"))
    });
    let new = new.collect();
    *seen = all.len();
    new
}

async fn spend(proxy: &Proxy, usd: &str) {
    let reservation = proxy.reserved(json!({})).await;
    proxy.settled(&reservation, json!({ "usd": usd })).await;
}

fn daily(max: &str, soft: Option<&str>) -> Value {
    let every = json!({"unit": "DAY", "anchor": "2030-01-01T00:00:00Z"});
    json!({"name": "b", "maxUsd": max, "softUsd": soft, "window": {"every": every}})
}

#[tokio::test]
async fn each_amount_is_told_once_in_each_window() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"budgets": [daily("10", Some("8"))]}))
        .await;
    let mut seen = 0;
    spend(&proxy, "7.999999").await;
    // What is reserved is not spent.
    let open = proxy.reserved(json!({"usd": "2"})).await;
    assert_eq!(told(&proxy, &mut seen).await, [""; 0]);
    proxy.settled(&open, json!({"usd": "0.000001"})).await;
    assert_eq!(told(&proxy, &mut seen).await, ["soft b 8 of 8"]);
    spend(&proxy, "1").await;
    assert_eq!(told(&proxy, &mut seen).await, [""; 0]);
    spend(&proxy, "3").await;
    assert_eq!(told(&proxy, &mut seen).await, ["exhausted b 10 of 12"]);
    assert_eq!(told(&proxy, &mut seen).await, [""; 0]);
    insta::assert_json_snapshot!(events(&proxy.app.admin()).await, {
        "[].target" => "[key]", "[].paths" => "[paths]",
    });

    // The next day both are reached by one request, which is not settled and is charged when it has run out.
    proxy.later(86_400);
    proxy.reserved(json!({"usd": "10"})).await;
    assert_eq!(told(&proxy, &mut seen).await, [""; 0]);
    proxy.later(60);
    let app = &proxy.app.app;
    keystead::limits::ops::lapse(&app.db, app.clock.now(), true)
        .await
        .unwrap();
    assert_eq!(
        told(&proxy, &mut seen).await,
        ["soft b 8 of 10", "exhausted b 10 of 10"]
    );
}

#[tokio::test]
async fn another_amount_is_told_again_and_a_raise_when_it_counts() {
    let proxy = Proxy::new().await;
    proxy.limit(json!({"budgets": [daily("10", None)]})).await;
    let mut seen = 0;
    spend(&proxy, "5").await;
    // Less than what is spent already.
    proxy.limit(json!({"budgets": [daily("5", None)]})).await;
    assert_eq!(told(&proxy, &mut seen).await, ["exhausted b 5 of 5"]);
    let raised = |until: &str| {
        let mut budget = daily("6", None);
        budget["increase"] = json!({"maxUsd": "20", "until": until});
        json!({ "budgets": [budget] })
    };
    proxy.limit(raised("2030-01-01T13:00:00Z")).await;
    spend(&proxy, "2").await;
    // Meanwhile there is room.
    assert_eq!(told(&proxy, &mut seen).await, [""; 0]);
    proxy.later(3_600);
    assert_eq!(told(&proxy, &mut seen).await, ["exhausted b 6 of 7"]);
    proxy.limit(raised("2030-01-01T14:00:00Z")).await;
    spend(&proxy, "13").await;
    assert_eq!(told(&proxy, &mut seen).await, ["exhausted b 20 of 20"]);
    proxy.later(3_600);
    assert_eq!(told(&proxy, &mut seen).await, [""; 0]);
    // One that is reached and no longer holds before anybody could be told.
    proxy.later(86_400);
    spend(&proxy, "6").await;
    proxy.limit(json!({"budgets": [daily("7", None)]})).await;
    assert_eq!(told(&proxy, &mut seen).await, [""; 0]);
    // With what was spent before it was armed.
    let mut past = daily("4", None);
    past["includePastSpend"] = json!(true);
    past["name"] = json!("past");
    proxy
        .limit(json!({"budgets": [daily("7", None), past]}))
        .await;
    assert_eq!(told(&proxy, &mut seen).await, ["exhausted past 4 of 6"]);
    // Nothing is spent of what allows nothing.
    let mut none = daily("0", None);
    none["name"] = json!("none");
    proxy.limit(json!({ "budgets": [none] })).await;
    assert_eq!(told(&proxy, &mut seen).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_servers_tell_it_once_and_each_member_by_itself() {
    let proxy = Proxy::new().await;
    let app = &proxy.app;
    let admin = app.admin();
    let (grace, _) = app.user("grace", InstanceRole::Member).await;
    let (_, stranger) = app.user("eve", InstanceRole::Member).await;
    let grace = grace.typed_id().to_string();
    let data = admin
        .data(
            "mutation($members: [TeamMemberInput!]!) { createTeam(input: {slug: \"red\", members: $members}) { team { id } } }",
            json!({"members": [{"user": proxy.user}, {"user": grace}]}),
        )
        .await;
    let team = data["createTeam"]["team"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    update(
        &admin,
        json!({"subject": {"eachMemberOf": team}, "budgets": [{"name": "each", "maxUsd": "1"}]}),
    )
    .await;
    for owner in [&proxy.user, &grace] {
        let made = admin
            .data(
                "mutation($owner: ID!, $team: ID!) { generateApiKey(input: {owner: $owner, team: $team}) { secret } }",
                json!({"owner": owner, "team": team}),
            )
            .await;
        let body = json!({"key": made["generateApiKey"]["secret"], "cost": {"usd": "1"}});
        let answer = crate::http::v1::verdict(&proxy.service, &body).await;
        proxy
            .settled(answer["reservation"].as_str().unwrap(), json!({}))
            .await;
    }
    let mut servers = vec![app.app.clone()];
    for seed in 1..4 {
        servers.push(app.beside(seed).await);
    }
    let telling = join_all(servers.iter().map(|server| server.announce_budgets())).await;
    let count: usize = telling.into_iter().map(Result::unwrap).sum();
    assert_eq!(count, 2);
    let mut members: Vec<String> = Vec::new();
    for event in events(&admin).await {
        let member = event["after"]["member"].as_str().unwrap().to_owned();
        assert_eq!(event["target"], team);
        assert_eq!(
            event["paths"],
            json!([format!("/teams/{team}"), format!("/users/{member}")])
        );
        members.push(member);
    }
    members.sort();
    let mut expected = [proxy.user.clone(), grace];
    expected.sort();
    assert_eq!(members, expected);
    // Whoever sees neither sees nothing of it.
    assert_eq!(events(&stranger).await, [json!(null); 0]);
}
