//! Reserving a cost, and settling it.

use keystead::ctx::Policy;
use keystead::limits::model::Terms;
use serde_json::json;

use super::Proxy;
use crate::http::v1::{redacted, verdict};
use crate::support::{Setup, TestApp};

fn ever(max: &str) -> serde_json::Value {
    json!({"budgets": [{"name": "ever", "maxUsd": max}]})
}

#[tokio::test]
async fn what_is_reserved_is_settled_at_its_true_cost() {
    let proxy = Proxy::new().await;
    let mut limits = ever("1");
    limits["requestsPerMinute"] = json!(10);
    limits["tokensPerMinute"] = json!(1_000);
    limits["maxParallel"] = json!(2);
    proxy.limit(limits).await;
    let first = proxy.reserve(json!({"tokens": 100, "usd": "0.4"})).await;
    insta::assert_json_snapshot!("reserved", redacted(&first));
    let first = first["reservation"].as_str().unwrap();
    assert_eq!(proxy.budget("ever").await, "0 0.4 0.6");
    let second = proxy.reserved(json!({"usd": 0.5})).await;
    assert_eq!(proxy.budget("ever").await, "0 0.9 0.1");
    // More is counted too, and less gives back.
    proxy
        .settled(first, json!({"tokens": 2_000, "usd": "0.75"}))
        .await;
    assert_eq!(proxy.budget("ever").await, "0.75 0.5 0");
    proxy.settled(&second, json!({"usd": "0.000001"})).await;
    assert_eq!(proxy.budget("ever").await, "0.750001 0 0.249999");
    let stopped = proxy.reserve(json!({"requests": 0, "usd": "0.1"})).await;
    insta::assert_json_snapshot!("stopped", redacted(&stopped));
    // What was left out was as reserved.
    proxy.later(60);
    let third = proxy.reserved(json!({"usd": "0.2"})).await;
    let body = json!({"reservation": third});
    assert_eq!(proxy.settle_as(&proxy.service, body).await.status, 200);
    assert_eq!(proxy.budget("ever").await, "0.950001 0 0.049999");
}

#[tokio::test]
async fn a_reservation_is_settled_once_and_by_whom_it_is() {
    let proxy = Proxy::new().await;
    proxy.limit(ever("1")).await;
    let reservation = proxy.reserved(json!({"usd": "0.4"})).await;
    let admin = proxy.app.admin();
    let body = json!({"reservation": reservation, "cost": {"usd": "0.1"}});
    let mut told = Vec::new();
    told.push(proxy.settle_as(&admin, body.clone()).await);
    assert_eq!(proxy.budget("ever").await, "0 0.4 0.6");
    assert_eq!(
        proxy.settle_as(&proxy.service, body.clone()).await.status,
        200
    );
    told.push(proxy.settle_as(&proxy.service, body.clone()).await);
    told.push(proxy.settle_as(&admin, body.clone()).await);
    told.push(proxy.settle_as(&proxy.app.anonymous(), body.clone()).await);
    told.push(
        proxy
            .settle_as(&proxy.app.with_key(&proxy.secret), body)
            .await,
    );
    let told: Vec<String> = told
        .iter()
        .map(|answer| {
            let error = &answer.json()["errors"][0];
            format!(
                "{} {} {}",
                answer.status, error["extensions"]["field"], error["message"]
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(proxy.budget("ever").await, "0.1 0 0.9");
}

#[tokio::test]
async fn what_is_not_settled_in_time_is_charged_and_may_be_settled_still() {
    let proxy = Proxy::new().await;
    let mut limits = ever("1");
    limits["maxParallel"] = json!(1);
    proxy.limit(limits).await;
    let first = proxy.reserved(json!({"usd": "0.4"})).await;
    assert_eq!(proxy.reserve(json!({})).await["code"], "RATE_LIMITED");
    proxy.later(59);
    assert_eq!(proxy.budget("ever").await, "0 0.4 0.6");
    assert_eq!(proxy.reserve(json!({})).await["code"], "RATE_LIMITED");
    proxy.later(1);
    // No job has run: it is computed where it is read.
    assert_eq!(proxy.budget("ever").await, "0.4 0 0.6");
    let second = proxy.reserved(json!({"usd": "0.6"})).await;
    assert_eq!(proxy.budget("ever").await, "0.4 0.6 0");
    proxy.settled(&first, json!({"usd": "0.3"})).await;
    assert_eq!(proxy.budget("ever").await, "0.3 0.6 0.1");
    // One that has run out and that nobody has looked at since.
    proxy.later(60);
    proxy.settled(&second, json!({"usd": "0.1"})).await;
    assert_eq!(proxy.budget("ever").await, "0.4 0 0.6");
}

#[tokio::test]
async fn by_another_policy_it_is_released() {
    let app = TestApp::with(Setup {
        policy: Policy {
            password_cost: 4,
            reservations: Terms {
                lifetime: chrono::TimeDelta::seconds(10),
                charging: false,
            },
            ..Policy::default()
        },
        ..Setup::default()
    })
    .await;
    let proxy = Proxy::over(app).await;
    let mut limits = ever("1");
    limits["tokensPerMinute"] = json!(100);
    proxy.limit(limits).await;
    let first = proxy.reserved(json!({"usd": "1", "tokens": 100})).await;
    assert_eq!(
        proxy.reserve(json!({"usd": "0.1"})).await["code"],
        "RATE_LIMITED"
    );
    proxy.later(10);
    assert_eq!(proxy.budget("ever").await, "0 0 1");
    let second = proxy.reserved(json!({"usd": "0.9", "tokens": 100})).await;
    proxy.settled(&first, json!({"usd": "0.05"})).await;
    assert_eq!(proxy.budget("ever").await, "0.05 0.9 0.05");
    // What is left out was as it was reserved, though it had been released.
    proxy.later(10);
    assert_eq!(proxy.budget("ever").await, "0.05 0 0.95");
    keystead::limits::ops::lapse(&proxy.app.app.db, proxy.app.app.clock.now(), false)
        .await
        .unwrap();
    let body = json!({"reservation": second});
    assert_eq!(proxy.settle_as(&proxy.service, body).await.status, 200);
    assert_eq!(proxy.budget("ever").await, "0.95 0 0.05");
}

#[tokio::test]
async fn without_a_cost_nothing_is_counted_and_nothing_is_told() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"requestsPerMinute": 0, "budgets": [{"name": "ever", "maxUsd": "0"}]}))
        .await;
    let body = json!({"key": proxy.secret});
    verdict(&proxy.service, &body).await;
    let before = proxy.app.app.db.statements();
    let answer = verdict(&proxy.service, &body).await;
    // The service's own key, and the key that it asks about.
    assert_eq!(proxy.app.app.db.statements() - before, 2);
    assert_eq!(answer["code"], "VALID");
    assert_eq!(
        (answer.get("reservation"), answer.get("limits")),
        (None, None)
    );
    assert_eq!(proxy.reserve(json!({})).await["valid"], false);
    // What is refused for another reason reserves nothing.
    let body = json!({"key": proxy.secret, "privilege": "model.use", "path": "/x", "cost": {}});
    let answer = verdict(&proxy.service, &body).await;
    assert_eq!(answer["code"], "FORBIDDEN");
    assert_eq!(answer.get("reservation"), None);
}

#[tokio::test]
async fn many_are_asked_at_once_each_at_its_own_cost() {
    let proxy = Proxy::new().await;
    proxy.limit(ever("1")).await;
    let checks = [
        json!({"usd": "0.7"}),
        json!(null),
        json!({"usd": "0.7"}),
        json!({"usd": "0.2"}),
    ];
    let checks: Vec<_> = checks.iter().map(|cost| json!({"cost": cost})).collect();
    let body = json!({"key": proxy.secret, "checks": checks});
    let answer = verdict(&proxy.service, &body).await;
    let results = answer["results"].as_array().unwrap();
    let valid = results.iter().filter(|one| one["valid"] == true).count();
    assert_eq!((valid, results[1].get("limits")), (3, None), "{answer:#}");
    assert_eq!(proxy.budget("ever").await, "0 0.9 0.1");
}
