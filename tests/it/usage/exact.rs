//! Sums are exact: under any run of batches, with repeats, from many callers at once, on two servers.

use std::collections::HashMap;

use futures_util::future::join_all;
use keystead::limits::amount::Usd;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{counts, exact, record};
use crate::limits::Proxy;
use crate::support::TestApp;

/// Two servers on one database, the key with a budget and so its owner.
async fn two() -> (Proxy, TestApp) {
    let proxy = Proxy::new().await;
    let budgets = json!([{"name": "ever", "maxUsd": "1000000"}]);
    proxy
        .limit(json!({"budgets": budgets, "tokensPerMinute": 5}))
        .await;
    let owner = json!({"subject": {"user": proxy.user}, "budgets": budgets});
    crate::limits::manage::update(&proxy.app.admin(), owner).await;
    let other = proxy.app.replica(1, None).await;
    (proxy, other)
}

/// An event of a random run: its id, what it costs, how many seconds ago it was, its resource, its tags.
type Told = (u8, i64, i64, u8, u8);

fn event(proxy: &Proxy, (id, micros, ago, resource, tags): &Told) -> Value {
    let at = proxy.app.app.clock.now() - chrono::TimeDelta::seconds(*ago);
    let tags: Vec<&str> = ["a", "b", "c"]
        .into_iter()
        .take(usize::from(*tags))
        .collect();
    let mut event = json!({"id": format!("{id}"), "at": at, "usd": Usd::from_micros(*micros).to_string(), "tags": tags,
        "resource": format!("/models/{resource}"), "tokensIn": micros % 1000, "tokensOut": 1});
    let (name, who) = match resource % 2 {
        0 => ("apiKey", &proxy.key),
        _ => ("user", &proxy.user),
    };
    event[name] = json!(who);
    event
}

fn batches() -> impl Strategy<Value = Vec<Vec<Told>>> {
    let event = (any::<u8>(), 0..5_000_000i64, 0..200_000i64, 0..4u8, 0..4u8);
    prop::collection::vec(prop::collection::vec(event, 1..40), 12)
}

async fn run(batches: Vec<Vec<Told>>) {
    let (proxy, other) = two().await;
    // The first to come counts; events of one id are alike here, so that it does not matter which that is.
    let mut known: HashMap<u8, Told> = HashMap::new();
    let batches: Vec<Vec<Told>> = batches
        .into_iter()
        .map(|batch| {
            let one = |told: Told| *known.entry(told.0).or_insert(told);
            batch.into_iter().map(one).collect()
        })
        .collect();
    let admins = [proxy.app.admin(), other.with_key(&proxy.app.admin_key)];
    let calls = batches.iter().enumerate().map(|(n, batch)| {
        let events: Vec<Value> = batch.iter().map(|told| event(&proxy, told)).collect();
        let admin = &admins[n % 2];
        async move { record(admin, json!(events)).await }
    });
    let answers = join_all(calls).await;
    let recorded: u64 = answers
        .iter()
        .map(|one| one["recorded"].as_u64().unwrap())
        .sum();
    let refused: u64 = answers
        .iter()
        .map(|one| one["refused"].as_u64().unwrap())
        .sum();
    assert_eq!((recorded, refused), (known.len() as u64, 0));
    let client = proxy.app.app.db.endpoint().client().await.unwrap();
    assert_eq!(exact(&client).await, known.len() as i64);
    // Everything again changes nothing.
    for batch in &batches {
        let events: Vec<Value> = batch.iter().map(|told| event(&proxy, told)).collect();
        let told = record(&admins[0], json!(events)).await;
        assert_eq!(counts(&told), format!("0 {} 0", batch.len()));
    }
    assert_eq!(exact(&client).await, known.len() as i64);
    // Armed at 12:00 of a clock that stands, so only what was used in that moment counts.
    let now: i64 = known
        .values()
        .filter(|told| told.2 == 0 && told.3 % 2 == 0)
        .map(|told| told.1)
        .sum();
    let left = Usd::from_micros(1_000_000_000_000 - now);
    let spent = Usd::from_micros(now);
    assert_eq!(proxy.budget("ever").await, format!("{spent} 0 {left}"));
}

#[test]
fn any_run_of_batches_adds_up() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for _ in 0..5 {
        let batches = batches().new_tree(&mut runner).unwrap();
        runtime.block_on(run(prop::strategy::ValueTree::current(&batches)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_send_the_same_at_once_each_event_counts_once() {
    let (proxy, other) = two().await;
    let admins = [proxy.app.admin(), other.with_key(&proxy.app.admin_key)];
    let events = |forward: bool| -> Value {
        let all = (0..200).map(
            |n| json!({"id": format!("{n}"), "apiKey": proxy.key, "usd": "0.01", "tags": ["t"]}),
        );
        if forward {
            all.collect()
        } else {
            all.rev().collect()
        }
    };
    let calls = (0..20).map(|n| {
        let (admin, events) = (&admins[n % 2], events(n % 3 == 0));
        async move { record(admin, events).await }
    });
    let answers = join_all(calls).await;
    let sum = |name: &str| -> u64 { answers.iter().map(|one| one[name].as_u64().unwrap()).sum() };
    assert_eq!(
        (sum("recorded"), sum("repeated"), sum("refused")),
        (200, 3_800, 0)
    );
    assert_eq!(proxy.budget("ever").await, "2 0 999998");
    let client = proxy.app.app.db.endpoint().client().await.unwrap();
    assert_eq!(exact(&client).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn reserving_settling_and_recording_at_once_add_up() {
    let (proxy, other) = two().await;
    proxy.limit(json!({"tokensPerMinute": null})).await;
    let admins = [proxy.app.admin(), other.with_key(&proxy.app.admin_key)];
    let settling = (0..60).map(|n| {
        let proxy = &proxy;
        async move {
            let reservation = proxy.reserved(json!({"usd": "0.5"})).await;
            if n % 5 > 0 {
                proxy.settled(&reservation, json!({"usd": "0.25"})).await;
            }
        }
    });
    let recording = (0..20).map(|n| {
        let proxy = &proxy;
        let events: Value = (0..50)
            .map(|m| json!({"id": format!("{n} {m}"), "apiKey": proxy.key, "usd": "0.01", "resource": format!("/models/{}", m % 3)}))
            .collect();
        let admin = &admins[n % 2];
        async move { assert_eq!(counts(&record(admin, events).await), "50 0 0") }
    });
    tokio::join!(join_all(settling), join_all(recording));
    assert_eq!(proxy.budget("ever").await, "22 6 999972");
    proxy.later(61);
    let client = proxy.app.app.db.endpoint().client().await.unwrap();
    proxy.reserved(json!({})).await;
    assert_eq!(exact(&client).await, 1_060);
    assert_eq!(proxy.budget("ever").await, "28 0 999972");
}
