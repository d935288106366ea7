//! Setting limits, and reading them.

use keystead::api_keys::model::NewApiKey;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

pub const UPDATE: &str = "mutation($input: UpdateLimitsInput!) { updateLimits(input: $input) { changed limits {
    requestsPerMinute tokensPerMinute maxParallel increase { requestsPerMinute tokensPerMinute maxParallel until }
    budgets { name maxUsd softUsd includePastSpend spent reserved remaining resetsAt
        window { every { count unit anchor timeZone } } increase { maxUsd until } } } } }";

/// Changes limits that may be changed; answers with the payload.
pub async fn update(client: &Client, input: Value) -> Value {
    let mut data = client.data(UPDATE, json!({ "input": input })).await;
    data["updateLimits"].take()
}

async fn refusal(client: &Client, input: Value) -> String {
    let answer = client.gql(UPDATE, json!({ "input": input })).await;
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    assert!(answer["data"].is_null(), "{answer}");
    let extensions = &error["extensions"];
    let (code, field) = (text(&extensions["code"]), text(&extensions["field"]));
    format!("{code} {field}: {}", text(&error["message"]))
}

fn monthly(max: &str) -> Value {
    let every = json!({"unit": "MONTH", "anchor": "2029-10-31T00:00:00+01:00", "timeZone": "europe/berlin"});
    json!({"name": "monthly", "maxUsd": max, "softUsd": 8, "window": {"every": every}})
}

#[tokio::test]
async fn limits_are_set_kept_and_cleared() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let subject = json!({"user": user.typed_id().to_string()});
    let all = json!({"subject": subject, "requestsPerMinute": 60, "tokensPerMinute": 100_000, "maxParallel": 0,
        "increase": {"requestsPerMinute": 120, "until": "2030-01-02T00:00:00Z"},
        "budgets": [monthly("10.50"), {"name": "ever", "maxUsd": 0.25, "increase": {"maxUsd": "1", "until": "2030-01-01T13:00:00Z"}}]});
    let set = update(&admin, all.clone()).await;
    insta::assert_json_snapshot!(set);
    let again = update(&admin, all).await;
    assert_eq!(
        (again["changed"].clone(), &again["limits"]),
        (json!(false), &set["limits"])
    );

    let kept = update(&admin, json!({"subject": subject, "maxParallel": 3})).await;
    let mut expected = set["limits"].clone();
    expected["maxParallel"] = json!(3);
    assert_eq!(kept["limits"], expected);

    let seen = ada.data("{ viewer { user { limits { requestsPerMinute maxParallel budgets { name maxUsd } } } } }", json!({})).await;
    assert_eq!(
        seen["viewer"]["user"]["limits"],
        json!({"requestsPerMinute": 60, "maxParallel": 3,
            "budgets": [{"name": "ever", "maxUsd": "0.25"}, {"name": "monthly", "maxUsd": "10.5"}]})
    );

    // What was more for a time is over by itself.
    app.app.clock.advance(chrono::TimeDelta::days(2));
    let later = update(&admin, json!({"subject": subject})).await;
    assert_eq!(later["limits"]["increase"], Value::Null);
    assert_eq!(later["limits"]["budgets"][0]["remaining"], "0.25");

    let cleared = json!({"subject": subject, "requestsPerMinute": null, "tokensPerMinute": null, "maxParallel": null,
        "increase": null, "budgets": null});
    let cleared = update(&admin, cleared).await;
    assert_eq!(
        cleared["limits"],
        json!({"requestsPerMinute": null, "tokensPerMinute": null, "maxParallel": null, "increase": null, "budgets": []})
    );

    let trail =
        "{ auditEvents(filter: {action: \"limits.update\"}) { nodes { action before after } } }";
    insta::assert_json_snapshot!("trail", admin.data(trail, json!({})).await);
}

#[tokio::test]
async fn a_member_has_what_is_said_of_it_and_else_what_each_has() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let (other, _) = app.user("eve", InstanceRole::Member).await;
    let (user, other) = (user.typed_id().to_string(), other.typed_id().to_string());
    let made = admin
        .data(
            "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }",
            json!({"input": {"slug": "blue", "members": [{"user": user}, {"user": other, "role": "ADMIN"}]}}),
        )
        .await;
    let team = made["createTeam"]["team"]["id"].clone();
    let each = json!({"subject": {"eachMemberOf": team}, "requestsPerMinute": 10, "maxParallel": 2,
        "budgets": [{"name": "daily", "maxUsd": "1"}, {"name": "ever", "maxUsd": "5"}]});
    update(&admin, each).await;
    update(
        &admin,
        json!({"subject": {"team": team}, "tokensPerMinute": 1_000}),
    )
    .await;
    let own = json!({"subject": {"member": {"team": team, "user": user}}, "requestsPerMinute": 99,
        "budgets": [{"name": "daily", "maxUsd": "7"}]});
    update(&admin, own).await;
    let document = "query($id: ID!) { team(by: {id: $id}) { limits { tokensPerMinute budgets { name } }
        memberLimits { requestsPerMinute budgets { name maxUsd } }
        members { nodes { user { username } limits { requestsPerMinute maxParallel budgets { name maxUsd remaining } } } } } }";
    insta::assert_json_snapshot!(ada.data(document, json!({"id": team})).await);

    let stranger = json!({"subject": {"member": {"team": team, "user": app.user("bob", InstanceRole::Member).await.0.typed_id().to_string()}}});
    let refused = refusal(&admin, stranger).await;
    assert!(
        refused.starts_with("NOT_FOUND input.subject.member.user:"),
        "{refused}"
    );
}

#[tokio::test]
async fn who_is_bound_by_limits_may_tighten_them_alone() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let (_, eve) = app.user("eve", InstanceRole::Member).await;
    let new = NewApiKey {
        owner: Some(user.id),
        ..NewApiKey::default()
    };
    let (key, _) = app.generate(new).await;
    let key = key.typed_id().to_string();
    let subject = json!({ "apiKey": key });
    let of_key = |rest: Value| {
        let mut input = rest;
        input["subject"] = subject.clone();
        input
    };
    update(
        &admin,
        of_key(json!({"requestsPerMinute": 10, "budgets": [monthly("10")]})),
    )
    .await;
    for tightened in [
        json!({"requestsPerMinute": 9}),
        json!({"maxParallel": 1}),
        json!({"budgets": [monthly("9"), {"name": "own", "maxUsd": "1"}]}),
    ] {
        assert_eq!(update(&ada, of_key(tightened)).await["changed"], true);
    }
    let mut told = Vec::new();
    for lifted in [
        json!({"requestsPerMinute": 10}),
        json!({"requestsPerMinute": null}),
        json!({"maxParallel": 2}),
        json!({"increase": {"maxParallel": 2, "until": "2031-01-01T00:00:00Z"}}),
        json!({"budgets": null}),
        json!({"budgets": [monthly("9.000001"), {"name": "own", "maxUsd": "1"}]}),
        json!({"budgets": [{"name": "monthly", "maxUsd": "1"}, {"name": "own", "maxUsd": "1"}]}),
    ] {
        told.push(refusal(&ada, of_key(lifted)).await);
    }
    // Its own self is not its to limit, and others do not see it.
    let me = json!({"subject": {"user": user.typed_id().to_string()}, "maxParallel": 1});
    told.push(refusal(&ada, me).await);
    told.push(refusal(&eve, of_key(json!({"maxParallel": 0}))).await);
    told.push(refusal(&app.anonymous(), of_key(json!({"maxParallel": 0}))).await);
    let names = [(key.clone(), "KEY"), (user.typed_id().to_string(), "ADA")];
    let told = names
        .iter()
        .fold(told.join("\n"), |text, (id, name)| text.replace(id, name));
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_teams_admin_divides_and_does_not_lift() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let made = admin
        .data(
            "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }",
            json!({"input": {"slug": "blue", "members": [{"user": user.typed_id().to_string(), "role": "ADMIN"}]}}),
        )
        .await;
    let team = made["createTeam"]["team"]["id"].clone();
    update(
        &admin,
        json!({"subject": {"team": team}, "tokensPerMinute": 1_000}),
    )
    .await;
    let lifted = json!({"subject": {"team": team}, "tokensPerMinute": null});
    let refused = refusal(&ada, lifted).await;
    assert!(
        refused.starts_with("FORBIDDEN input.tokensPerMinute:"),
        "{refused}"
    );
    let member = json!({"team": team, "user": user.typed_id().to_string()});
    for divided in [
        json!({"subject": {"team": team}, "tokensPerMinute": 900}),
        json!({"subject": {"eachMemberOf": team}, "tokensPerMinute": 10}),
        json!({"subject": {"eachMemberOf": team}, "tokensPerMinute": 20}),
        json!({"subject": {"member": member}, "tokensPerMinute": 500}),
    ] {
        assert_eq!(update(&ada, divided).await["changed"], true);
    }
}

#[tokio::test]
async fn what_makes_no_limits_is_refused_by_name() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (user, _) = app.user("ada", InstanceRole::Member).await;
    let id = user.typed_id().to_string();
    let budget = |changes: Value| {
        let mut budget = monthly("10");
        for (name, value) in changes.as_object().unwrap() {
            budget[name] = value.clone();
        }
        json!({ "budgets": [budget] })
    };
    let every = |changes: Value| {
        let mut every = json!({"unit": "MONTH", "anchor": "2030-01-01T00:00:00Z"});
        for (name, value) in changes.as_object().unwrap() {
            every[name] = value.clone();
        }
        budget(json!({"window": {"every": every}}))
    };
    let forty = "1234567890123456789012345678901234567890";
    let mut told = Vec::new();
    for input in [
        budget(json!({"maxUsd": "-1"})),
        budget(json!({"maxUsd": -0.5})),
        budget(json!({"maxUsd": "NaN"})),
        budget(json!({"maxUsd": "Infinity"})),
        budget(json!({"maxUsd": forty})),
        budget(json!({"maxUsd": 1e39})),
        budget(json!({"maxUsd": "0.0000001"})),
        budget(json!({"maxUsd": true})),
        budget(json!({"softUsd": "10.01"})),
        budget(json!({"softUsd": "x"})),
        budget(json!({"name": " "})),
        budget(json!({"increase": {"maxUsd": "10", "until": "2031-01-01T00:00:00Z"}})),
        budget(json!({"increase": {"maxUsd": "11", "until": "2030-01-01T12:00:00Z"}})),
        every(json!({"count": 0})),
        every(json!({"count": 1_000, "unit": "YEAR"})),
        every(json!({"timeZone": "Mars/Olympus"})),
        every(json!({"anchor": "2500-01-01T00:00:00Z"})),
        json!({"budgets": [monthly("10"), monthly("20")]}),
        json!({"budgets": vec![monthly("1"); 21]}),
        json!({"requestsPerMinute": -1}),
        json!({"increase": {"until": "2031-01-01T00:00:00Z"}}),
        json!({"increase": {"maxParallel": -1, "until": "2031-01-01T00:00:00Z"}}),
        json!({"increase": {"maxParallel": 1, "until": "2029-01-01T00:00:00Z"}}),
    ] {
        let mut input = input;
        input["subject"] = json!({ "user": id });
        told.push(refusal(&admin, input).await);
    }
    let wrong = json!({"subject": {"apiKey": id}});
    told.push(refusal(&admin, wrong).await.replace(&id, "USER"));
    insta::assert_snapshot!(told.join("\n"));
    let shown = admin
        .data(
            "query($id: ID!) { user(by: {id: $id}) { limits { requestsPerMinute budgets { name } } } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(
        shown["user"]["limits"],
        json!({"requestsPerMinute": null, "budgets": []})
    );
}

#[tokio::test]
async fn limits_of_a_list_cost_one_statement() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for number in 0..10 {
        let (user, _) = app
            .user(&format!("user{number}"), InstanceRole::Member)
            .await;
        let subject = json!({"user": user.typed_id().to_string()});
        update(
            &admin,
            json!({"subject": subject, "budgets": [monthly("10")]}),
        )
        .await;
    }
    let document = "{ users(first: 50) { nodes { limits { budgets { spent remaining } } } } }";
    admin.data(document, json!({})).await;
    let before = app.app.db.statements();
    admin.data(document, json!({})).await;
    // The sign-on, the users, their limits.
    assert_eq!(app.app.db.statements() - before, 3);
}
