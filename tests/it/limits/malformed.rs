//! Costs and settlements that cannot be: each fault is named, and nothing is counted.

use serde_json::{Value, json};

use super::Proxy;
use crate::http::v1::ask;

#[tokio::test]
async fn each_fault_is_named_and_nothing_is_counted() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"budgets": [{"name": "ever", "maxUsd": "1"}]}))
        .await;
    let reservation = proxy.reserved(json!({"usd": "0.5"})).await;
    let costs = [
        json!({"usd": "-1"}),
        json!({"usd": -0.001}),
        json!({"usd": "NaN"}),
        json!({"usd": "Infinity"}),
        json!({"usd": 1e300}),
        json!({"usd": "1234567890123456789012345678901234567890"}),
        json!({"usd": "0.0000001"}),
        json!({"usd": 1e-7}),
        json!({"usd": "1000000.000001"}),
        json!({"usd": true}),
        json!({"usd": []}),
        json!({"tokens": -1}),
        json!({"tokens": 1.5}),
        json!({"tokens": "7"}),
        json!({"tokens": 1_000_000_001_u64}),
        json!({"tokens": u64::MAX}),
        json!({"requests": -1}),
        json!({"requests": 1_000_001}),
        json!({"euros": 1}),
        json!("1"),
        json!([]),
    ];
    let told = |answer: crate::support::Answer| {
        let error: Value = answer.json()["errors"][0].take();
        let field = error["extensions"]["field"]
            .as_str()
            .unwrap_or("-")
            .to_owned();
        format!(
            "{} {field}: {}",
            answer.status,
            error["message"].as_str().unwrap()
        )
    };
    let mut verified = Vec::new();
    let mut settled = Vec::new();
    for cost in costs {
        let body = json!({"key": proxy.secret, "cost": cost});
        verified.push(told(ask(&proxy.service, &body).await));
        let body = json!({"reservation": reservation, "cost": cost});
        settled.push(told(proxy.settle_as(&proxy.service, body).await));
    }
    assert_eq!(verified, settled);
    let within = json!({"key": proxy.secret, "checks": [{}, {"cost": {"usd": "x"}}]});
    verified.push(told(ask(&proxy.service, &within).await));
    let beside = json!({"key": proxy.secret, "cost": {}, "checks": [{}]});
    verified.push(told(ask(&proxy.service, &beside).await));
    for body in [
        json!({}),
        json!([]),
        json!({"reservation": null}),
        json!({"reservation": 7}),
        json!({"reservation": "rsv_"}),
        json!({"reservation": "user_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"reservation": "rsv_7zzzzzzzzzzzzzzzzzzzzzzzzz"}),
        json!({"reservation": reservation, "more": 1}),
    ] {
        let answer = proxy.settle_as(&proxy.service, body).await;
        verified.push(told(answer).replace(&reservation, "RESERVATION"));
    }
    insta::assert_snapshot!(verified.join("\n"));
    assert_eq!(proxy.budget("ever").await, "0 0.5 0.5");
}
