//! The policy for limits: what is new has its defaults, and what others than administrators make or change keeps its bounds.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::support::{Client, TestApp, told};

const UPDATE: &str = "mutation($input: UpdateLimitPolicyInput!) { updateLimitPolicy(input: $input) { changed limitPolicy {
    userDefaults { requestsPerMinute tokensPerMinute maxParallel budgets { name maxUsd } }
    apiKeyDefaults { requestsPerMinute tokensPerMinute maxParallel budgets { name } }
    apiKeyBounds { requestsPerMinute tokensPerMinute maxParallel
        budgets { name maxUsd softUsd window { every { count unit anchor timeZone } } } } } } }";
const GENERATE: &str = "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { apiKey { id expiresAt
    limits { requestsPerMinute tokensPerMinute maxParallel budgets { name maxUsd softUsd remaining } } } } }";

/// Changes the policy, as an administrator.
pub async fn set(app: &TestApp, input: Value) -> Value {
    let mut data = app.admin().data(UPDATE, json!({ "input": input })).await;
    data["updateLimitPolicy"].take()
}

async fn limits(client: &Client, input: Value) -> Value {
    let mut data = client.data(GENERATE, json!({ "input": input })).await;
    data["generateApiKey"]["apiKey"]["limits"].take()
}

async fn refusal(client: &Client, document: &str, input: Value) -> String {
    told(&client.gql(document, json!({ "input": input })).await)
}

fn month(max: &str) -> Value {
    let every = json!({"unit": "MONTH", "anchor": "2030-01-01T00:00:00Z"});
    json!({"name": "month", "maxUsd": max, "window": {"every": every}})
}

#[tokio::test]
async fn it_is_declarative_and_in_the_trail() {
    let app = TestApp::new().await;
    let mut told = vec![
        set(
            &app,
            json!({"userDefaults": {"requestsPerMinute": 60, "budgets": [{"name": "ever", "maxUsd": "5"}]},
                "apiKeyBounds": {"requestsPerMinute": 100, "budgets": [month("10")]}}),
        )
        .await,
    ];
    for input in [
        json!({"apiKeyDefaults": {"maxParallel": 2}, "userDefaults": {"requestsPerMinute": 60}}),
        json!({"apiKeyDefaults": {"maxParallel": 2}}),
        json!({"userDefaults": null, "apiKeyBounds": {"budgets": []}}),
        json!({"apiKeyBounds": null}),
        json!({}),
    ] {
        told.push(set(&app, input).await);
    }
    insta::assert_json_snapshot!("declarative", told);
    let trail = app
        .admin()
        .data(
            "{ auditEvents(filter: {action: \"limitPolicy.update\"}) { nodes { target paths before after } } }",
            json!({}),
        )
        .await;
    insta::assert_json_snapshot!("trail", trail["auditEvents"]["nodes"]);
}

#[tokio::test]
async fn administrators_alone_set_it_and_everybody_knows_the_bounds() {
    let app = TestApp::new().await;
    set(
        &app,
        json!({"apiKeyBounds": {"maxParallel": 5, "budgets": [month("10")]}}),
    )
    .await;
    let asked = "{ serverInfo { apiKeyPolicy { bounds { requestsPerMinute maxParallel
        budgets { name maxUsd } } } } }";
    let info = app.anonymous().data(asked, json!({})).await;
    assert_eq!(
        info["serverInfo"]["apiKeyPolicy"]["bounds"],
        json!({"requestsPerMinute": null, "maxParallel": 5,
            "budgets": [{"name": "month", "maxUsd": "10"}]})
    );
    let (_, member) = app.user("ada", InstanceRole::Member).await;
    let (manager, as_manager) = app.user("manager", InstanceRole::Member).await;
    let manager = manager.typed_id().to_string();
    crate::users::world::grant(&app, &manager, "/", &["MANAGE"]).await;
    let (_, auditor) = app.user("auditor", InstanceRole::Auditor).await;
    let admin = app.admin();
    let mut told = Vec::new();
    let change = json!({"apiKeyBounds": null});
    for client in [&app.anonymous(), &member, &as_manager, &auditor] {
        told.push(refusal(client, UPDATE, change.clone()).await);
    }
    for input in [
        json!({"userDefaults": {"requestsPerMinute": -1}}),
        json!({"apiKeyDefaults": {"budgets": [{"name": "a", "maxUsd": "1", "softUsd": "2"}]}}),
        json!({"apiKeyBounds": {"budgets": [month("1"), month("1")]}}),
        json!({"apiKeyBounds": {"budgets": [{"name": "a", "maxUsd": "much"}]}}),
    ] {
        told.push(refusal(&admin, UPDATE, input).await);
    }
    insta::assert_snapshot!(told.join("\n"));
    let read = "{ limitPolicy { apiKeyBounds { maxParallel } } }";
    for client in [&admin, &auditor, &as_manager] {
        let found = client.data(read, json!({})).await;
        assert_eq!(found["limitPolicy"]["apiKeyBounds"]["maxParallel"], 5);
    }
    let answer = member.gql(read, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn what_is_new_has_the_defaults_unless_something_else_is_said() {
    let app = TestApp::new().await;
    let admin = app.admin();
    set(
        &app,
        json!({"userDefaults": {"tokensPerMinute": 7, "budgets": [month("20")]},
            "apiKeyDefaults": {"requestsPerMinute": 60, "maxParallel": 9, "budgets": [{"name": "ever", "maxUsd": "3", "softUsd": "2"}]},
            "apiKeyBounds": {"requestsPerMinute": 100, "tokensPerMinute": 1_000, "maxParallel": 4, "budgets": [month("10")]}}),
    )
    .await;
    let (_, member) = app.user("ada", InstanceRole::Member).await;
    // The first is an administrator's: bounds are not for it.
    let own = json!({"limits": {"requestsPerMinute": null, "maxParallel": 50, "budgets": []}});
    let other = json!({"limits": {"requestsPerMinute": 99, "budgets": [month("4")]}});
    let told = [
        limits(&admin, json!({})).await,
        limits(&admin, own).await,
        limits(&member, json!({})).await,
        limits(&member, other).await,
    ];
    insta::assert_json_snapshot!("new_keys", told);
    let create = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id limits { tokensPerMinute maxParallel
        budgets { name maxUsd } } } apiKey { limits { requestsPerMinute } } } }";
    let mut users = Vec::new();
    for input in [
        json!({"username": "one"}),
        json!({"username": "two", "limits": {"tokensPerMinute": 8, "budgets": []},
            "apiKey": {"limits": {"requestsPerMinute": 500}}}),
    ] {
        let mut made = admin.data(create, json!({ "input": input })).await;
        let id = made["createUser"]["user"]["id"].take();
        users.push(made);
        let trail =
            "query($id: ID!) { auditEvents(filter: {target: $id}) { nodes { action after } } }";
        let mut events = admin.data(trail, json!({ "id": id })).await;
        let first = &mut events["auditEvents"]["nodes"][0];
        assert_eq!(first["action"], "limits.update");
        users.push(first["after"].take());
    }
    insta::assert_json_snapshot!("new_users", users);
}

#[tokio::test]
async fn a_bound_holds_for_what_is_set_from_then_on() {
    let app = TestApp::new().await;
    let (_, member) = app.user("ada", InstanceRole::Member).await;
    let made = member.data(GENERATE, json!({"input": {}})).await;
    let key = made["generateApiKey"]["apiKey"]["id"].clone();
    let (manager, as_manager) = app.user("manager", InstanceRole::Member).await;
    crate::users::world::grant(&app, &manager.typed_id().to_string(), "/", &["MANAGE"]).await;
    set(
        &app,
        json!({"apiKeyBounds": {"requestsPerMinute": 100, "tokensPerMinute": 1_000, "budgets": [month("10")]}}),
    )
    .await;
    let update = "mutation($input: UpdateLimitsInput!) { updateLimits(input: $input) { limits { requestsPerMinute tokensPerMinute
        maxParallel budgets { name maxUsd spent } } } }";
    let change = async |client: &Client, mut input: Value| {
        input["subject"] = json!({"apiKey": key});
        client.gql(update, json!({ "input": input })).await
    };
    let shown = async |client: &Client, input: Value| {
        let mut answer = change(client, input).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["updateLimits"]["limits"].take()
    };
    let admin = app.admin();
    let large = json!({"requestsPerMinute": 500, "budgets": [month("50")]});
    let told = [
        // What is not named stays, also where it is more.
        shown(&as_manager, json!({"maxParallel": 3})).await,
        shown(&as_manager, json!({"requestsPerMinute": 50})).await,
        // An administrator may allow more, which stays with those who send it back.
        shown(&admin, large.clone()).await,
        shown(&as_manager, large).await,
        shown(
            &as_manager,
            json!({"budgets": [month("5"), {"name": "a", "maxUsd": "99"}]}),
        )
        .await,
        // A budget that is left out has the bound.
        shown(&as_manager, json!({"budgets": null})).await,
    ];
    insta::assert_json_snapshot!("afterwards", told);
    let mut refused = Vec::new();
    let mut yearly = month("1");
    yearly["window"]["every"]["unit"] = json!("YEAR");
    let mut raised = month("1");
    raised["increase"] = json!({"maxUsd": "11", "until": "2031-01-01T00:00:00Z"});
    for input in [
        json!({"requestsPerMinute": 501}),
        json!({"requestsPerMinute": null}),
        json!({"tokensPerMinute": 1_001}),
        json!({"increase": {"requestsPerMinute": 1_000, "until": "2031-01-01T00:00:00Z"}}),
        json!({"budgets": [{"name": "a", "maxUsd": "99"}, month("10.000001")]}),
        json!({ "budgets": [yearly] }),
        json!({"budgets": [{"name": "month", "maxUsd": "1"}]}),
        json!({ "budgets": [raised] }),
    ] {
        let answer = change(&as_manager, input).await;
        let error = &answer["errors"][0];
        let (field, message) = (&error["extensions"]["field"], &error["message"]);
        refused.push(format!(
            "{} {}",
            field.as_str().unwrap(),
            message.as_str().unwrap()
        ));
    }
    insta::assert_snapshot!("refused", refused.join("\n"));
}

#[tokio::test]
async fn every_server_knows_a_bound_when_it_is_set() {
    let app = TestApp::new().await;
    let (_, member) = app.user("ada", InstanceRole::Member).await;
    let origin = app.replica(1, None).await;
    let other = app.replica(2, None).await;
    let member = other.with_key(member.key().unwrap());
    let wish = json!({"limits": {"requestsPerMinute": 101}});
    limits(&member, wish.clone()).await;
    // It is remembered: begin, key, limits, their budgets, audit, commit; and the limits shown.
    let before = other.app.db.statements();
    limits(&member, wish.clone()).await;
    assert_eq!(other.app.db.statements() - before, 7);
    set(&origin, json!({"apiKeyBounds": {"requestsPerMinute": 100}})).await;
    let told = refusal(&member, GENERATE, wish.clone()).await;
    assert!(told.contains("101") && told.contains("100"), "{told}");
    set(&origin, json!({"apiKeyBounds": null})).await;
    limits(&member, wish).await;
}

#[tokio::test]
async fn within_one_request_the_policy_is_the_one_that_it_has_set() {
    let app = TestApp::new().await;
    let leased = app.replica(1, None).await;
    let admin = leased.admin();
    let document = "mutation($a: UpdateLimitPolicyInput!, $b: UpdateLimitPolicyInput!) {
        a: updateLimitPolicy(input: $a) { changed } first: generateApiKey(input: {}) { apiKey { limits { maxParallel } } }
        b: updateLimitPolicy(input: $b) { changed } second: generateApiKey(input: {}) { apiKey { limits { maxParallel } } } }";
    let one = |max: Value| json!({"apiKeyDefaults": {"maxParallel": max}});
    let variables = json!({"a": one(json!(3)), "b": one(json!(4))});
    for key in [None, Some("once"), Some("once")] {
        let body = json!({"query": document, "variables": variables});
        let mut call = admin.request("POST", "/graphql").json(&body);
        if let Some(key) = key {
            call = call.header("idempotency-key", key);
        }
        let answer = admin.send(call).await.json();
        let max = |name: &str| answer["data"][name]["apiKey"]["limits"]["maxParallel"].clone();
        assert_eq!(
            (max("first"), max("second")),
            (json!(3), json!(4)),
            "{answer}"
        );
    }
    // An answer that is replayed makes no key.
    let count = admin.data("{ apiKeys { totalCount } }", json!({})).await;
    assert_eq!(count["apiKeys"]["totalCount"], 1 + 4);
}
