//! Events that cannot be: each fault is named with its field, and nothing is counted.

use serde_json::{Value, json};

use super::{exact, post, record};
use crate::limits::Proxy;

#[tokio::test]
async fn each_fault_is_named_and_nothing_is_counted() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    proxy
        .limit(json!({"budgets": [{"name": "ever", "maxUsd": "1"}]}))
        .await;
    let team = admin
        .data(
            "mutation { createTeam(input: {slug: \"strangers\"}) { team { id } } }",
            json!({}),
        )
        .await;
    let team = &team["createTeam"]["team"]["id"];
    let eleven: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let faults = [
        json!({"usd": "-1"}),
        json!({"usd": -0.001}),
        json!({"usd": "NaN"}),
        json!({"usd": "Infinity"}),
        json!({"usd": 1e300}),
        json!({"usd": "1234567890123456789012345678901234567890"}),
        json!({"usd": "0.0000001"}),
        json!({"usd": 1e-7}),
        json!({"usd": "1000000.000001"}),
        json!({"usd": []}),
        json!({"requests": -1}),
        json!({"requests": 1_000_001}),
        json!({"tokens": 1.5}),
        json!({"tokens": "7"}),
        json!({"tokensIn": u64::MAX}),
        json!({"tokensOut": -1}),
        json!({"tokensIn": 5, "tokensCached": 6}),
        json!({"tokensCached": 1}),
        json!({"tokensIn": 5, "tokensOut": 6, "tokens": 12}),
        json!({"at": "2030-01-01T12:05:00.000001Z"}),
        json!({"at": "2030-13-01T12:00:00Z"}),
        json!({"at": "9999-12-31T23:59:59Z"}),
        json!({"at": "2028-11-27T11:59:59Z"}),
        json!({"at": "yesterday"}),
        json!({"at": 1893499200}),
        json!({"id": null}),
        json!({"id": ""}),
        json!({"id": "x".repeat(129)}),
        json!({"id": "a\u{0}b"}),
        json!({"id": 7}),
        json!({"apiKey": null}),
        json!({"apiKey": proxy.user}),
        json!({"apiKey": proxy.secret}),
        json!({"apiKey": "key_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"apiKey": null, "user": proxy.key}),
        json!({"apiKey": null, "user": "user_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"user": proxy.user}),
        json!({"team": proxy.user}),
        json!({"team": team}),
        json!({"team": "team_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"resource": "models"}),
        json!({"resource": "/models/../x"}),
        json!({"resource": ""}),
        json!({"tags": "prod"}),
        json!({"tags": [7]}),
        json!({"tags": [""]}),
        json!({"tags": ["a", "x".repeat(65)]}),
        json!({"tags": ["a\u{1f}b"]}),
        json!({"tags": eleven}),
        json!({"reservation": "rsv_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"reservation": "rsv_7zzzzzzzzzzzzzzzzzzzzzzzzz", "id": null, "apiKey": null}),
        json!({"reservation": proxy.key, "id": null, "apiKey": null}),
        json!({"euros": 1}),
    ];
    let events: Vec<Value> = faults
        .iter()
        .map(|fault| {
            let mut event = json!({"id": "one", "apiKey": proxy.key, "usd": "0.5"});
            for (name, value) in fault.as_object().unwrap() {
                event[name] = value.clone();
            }
            event
        })
        .collect();
    let answer = record(&admin, json!(events)).await;
    let told: Vec<String> = faults
        .iter()
        .zip(answer["lines"].as_array().unwrap())
        .map(|(fault, line)| {
            let error = &line["error"];
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let fault: String = fault.to_string().chars().take(60).collect();
            format!(
                "{fault}\n  {} {}: {}",
                text(&error["code"]),
                text(&error["field"]),
                text(&error["message"])
            )
        })
        .collect();
    let names = [
        (&proxy.user, "USER"),
        (&proxy.key, "KEY"),
        (&proxy.secret, "SECRET"),
    ];
    let mut told = told.join("\n").replace(team.as_str().unwrap(), "TEAM");
    for (value, name) in names {
        told = told.replace(value, name);
    }
    assert!(!told.contains("ks_"), "{told}");
    insta::assert_snapshot!(told);

    let mut whole = Vec::new();
    for body in [
        json!([]),
        json!({}),
        json!({"events": null}),
        json!({"events": []}),
        json!({"events": {}}),
        json!({"events": [], "more": 1}),
        json!(7),
    ] {
        let answer = post(&admin, &body).await;
        whole.push(format!(
            "{body} {}: {}",
            answer.status,
            answer.json()["errors"][0]["message"].as_str().unwrap()
        ));
    }
    for (kind, body) in [
        ("application/json", "{\"events\": [{}"),
        ("application/json", ""),
        ("text/plain", "{}"),
        ("application/x-www-form-urlencoded", "a=b"),
    ] {
        let call = admin
            .request("POST", "/v1/usage")
            .header("Content-Type", kind)
            .body(body);
        let answer = admin.send(call).await;
        crate::http::v1::openapi::described("post", "/v1/usage", &answer);
        whole.push(format!(
            "{kind} {body:?} {}: {}",
            answer.status,
            answer.json()["errors"][0]["message"].as_str().unwrap()
        ));
    }
    let answer = admin.send(admin.request("PUT", "/v1/usage")).await;
    whole.push(format!("PUT {}", answer.status));
    insta::assert_snapshot!("bodies", whole.join("\n"));

    assert_eq!(proxy.budget("ever").await, "0 0 1");
    let client = proxy.app.app.db.endpoint().client().await.unwrap();
    assert_eq!(exact(&client).await, 0);
}
