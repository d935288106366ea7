//! What was spent counts in the window that it was reserved in, from the budget's arming on.

use serde_json::{Value, json};

use super::Proxy;

fn every(unit: &str, past: bool) -> Value {
    let every = json!({"unit": unit, "anchor": "2030-01-01T12:00:00Z"});
    json!({"name": "b", "maxUsd": "10", "window": {"every": every}, "includePastSpend": past})
}

async fn spend(proxy: &Proxy, usd: &str) {
    let reservation = proxy.reserved(json!({ "usd": usd })).await;
    proxy.settled(&reservation, json!({})).await;
}

#[tokio::test]
async fn a_new_window_begins_at_zero_by_itself() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"budgets": [every("HOUR", false)]}))
        .await;
    spend(&proxy, "9").await;
    let open = proxy.reserved(json!({"usd": "1"})).await;
    assert_eq!(
        proxy.reserve(json!({"usd": "1"})).await["retryAfter"],
        3_600
    );
    proxy.later(3_590);
    assert_eq!(proxy.budget("b").await, "10 0 0");
    proxy.later(10);
    assert_eq!(proxy.budget("b").await, "0 0 10");
    spend(&proxy, "4").await;
    // What was reserved in the last window is settled in it.
    proxy.settled(&open, json!({"usd": "7"})).await;
    assert_eq!(proxy.budget("b").await, "4 0 6");
}

#[tokio::test]
async fn another_window_keeps_what_was_spent_in_it() {
    let proxy = Proxy::new().await;
    proxy.limit(json!({"budgets": [every("DAY", false)]})).await;
    spend(&proxy, "1").await;
    proxy.later(7_200);
    spend(&proxy, "2").await;
    let open = proxy.reserved(json!({"usd": "4"})).await;
    assert_eq!(proxy.budget("b").await, "3 4 3");
    proxy
        .limit(json!({"budgets": [every("HOUR", false)]}))
        .await;
    assert_eq!(proxy.budget("b").await, "2 4 4");
    proxy
        .limit(json!({"budgets": [every("WEEK", false)]}))
        .await;
    assert_eq!(proxy.budget("b").await, "3 4 3");
    proxy.settled(&open, json!({"usd": "5"})).await;
    assert_eq!(proxy.budget("b").await, "8 0 2");
    let mut lifetime = every("DAY", false);
    lifetime["window"] = Value::Null;
    proxy.limit(json!({ "budgets": [lifetime] })).await;
    assert_eq!(proxy.budget("b").await, "8 0 2");
}

#[tokio::test]
async fn arming_begins_at_zero_unless_it_includes_what_was_spent() {
    let proxy = Proxy::new().await;
    // Nothing is limited, and all is recorded.
    spend(&proxy, "1").await;
    proxy.later(3_600);
    spend(&proxy, "2").await;
    let open = proxy.reserved(json!({"usd": "4"})).await;
    proxy.limit(json!({"budgets": [every("DAY", false)]})).await;
    assert_eq!(proxy.budget("b").await, "0 0 10");
    let mut hourly = every("HOUR", true);
    hourly["name"] = json!("hourly");
    proxy
        .limit(json!({"budgets": [every("DAY", true), hourly]}))
        .await;
    assert_eq!(proxy.budget("b").await, "3 0 7");
    assert_eq!(proxy.budget("hourly").await, "2 4 4");
    proxy.settled(&open, json!({"usd": "3"})).await;
    assert_eq!(proxy.budget("hourly").await, "5 0 5");
    proxy.limit(json!({"budgets": [every("WEEK", true)]})).await;
    assert_eq!(proxy.budget("b").await, "6 0 4");
}
