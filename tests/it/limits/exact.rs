//! Exactness under many requests at once, on one process.

use futures_util::future::join_all;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Proxy;

async fn at_once(proxy: &Proxy, cost: Value, times: usize) -> Vec<Value> {
    let asked = (0..times).map(|_| proxy.reserve(cost.clone()));
    join_all(asked).await
}

fn valid(answers: &[Value]) -> usize {
    answers.iter().filter(|one| one["valid"] == true).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_that_have_room_for_one_exactly_one_passes() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"budgets": [{"name": "ever", "maxUsd": "0.01"}]}))
        .await;
    let before = proxy.app.app.db.statements();
    assert_eq!(
        valid(&at_once(&proxy, json!({"usd": "0.01"}), 200).await),
        1
    );
    // They share statements: some hundred, were each alone.
    let statements = proxy.app.app.db.statements() - before;
    assert!(statements < 200, "{statements}");
    assert_eq!(proxy.budget("ever").await, "0 0.01 0");
    proxy
        .limit(json!({"budgets": null, "requestsPerMinute": 50, "maxParallel": 30}))
        .await;
    assert_eq!(valid(&at_once(&proxy, json!({}), 200).await), 30);
    proxy.limit(json!({"maxParallel": null})).await;
    assert_eq!(valid(&at_once(&proxy, json!({}), 200).await), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_settle_one_reservation_one_does() {
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"budgets": [{"name": "ever", "maxUsd": "1"}]}))
        .await;
    let reservation = proxy.reserved(json!({"usd": "0.5"})).await;
    let settling = (0..40).map(|n| {
        let body = json!({"reservation": reservation, "cost": {"usd": format!("0.{:02}", n + 10)}});
        proxy.settle_as(&proxy.service, body)
    });
    let answers = join_all(settling).await;
    let done = answers.iter().filter(|one| one.status == 200).count();
    let late = answers.iter().filter(|one| one.status == 409).count();
    assert_eq!((done, late), (1, 39));
    let budget = proxy.budget("ever").await;
    assert!(
        budget.starts_with("0.") && budget.contains(" 0 "),
        "{budget}"
    );
}

/// A step of a random run.
#[derive(Debug, Clone)]
enum Step {
    Reserve(i64),
    /// One of those that were reserved, at that cost.
    Settle(usize, i64),
    Later(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_000_000i64).prop_map(Step::Reserve),
        3 => (0..100usize, 0..5_000_000i64).prop_map(|(n, micros)| Step::Settle(n, micros)),
        1 => (1..50i64).prop_map(Step::Later),
    ]
}

fn usd(micros: i64) -> Value {
    json!({"usd": keystead::limits::amount::Usd::from_micros(micros).to_string()})
}

/// Runs the steps, and keeps account beside: of `max`, what was spent and what is held, each with its end.
async fn run(steps: Vec<Step>) {
    const MAX: i64 = 10_000_000;
    let proxy = Proxy::new().await;
    proxy
        .limit(json!({"budgets": [{"name": "ever", "maxUsd": "10"}]}))
        .await;
    let (mut now, mut spent) = (0, 0);
    // The reservation, what it holds, when it runs out, and whether it was settled.
    let mut made: Vec<(String, i64, i64, bool)> = Vec::new();
    for step in steps {
        match step {
            Step::Later(seconds) => {
                proxy.later(seconds);
                now += seconds;
            }
            Step::Reserve(micros) => {
                let held: i64 = made.iter().filter(|one| !one.3).map(|one| one.1).sum();
                let passes = spent + held < MAX && spent + held + micros <= MAX;
                let answer = proxy.reserve(usd(micros)).await;
                assert_eq!(answer["valid"], passes, "{answer:#}");
                if let Some(id) = answer["reservation"].as_str() {
                    made.push((id.to_owned(), micros, now + 60, false));
                }
            }
            Step::Settle(n, micros) => {
                let count = made.len().max(1);
                if let Some(one) = made.get_mut(n % count) {
                    let body = json!({"reservation": one.0, "cost": usd(micros)});
                    let answer = proxy.settle_as(&proxy.service, body).await;
                    assert_eq!(answer.status, if one.3 { 409 } else { 200 });
                    if !one.3 {
                        one.3 = true;
                        spent += micros;
                    }
                }
            }
        }
        // What has run out is charged: it counts as spent until its true cost is told.
        let open = made.iter().filter(|one| !one.3);
        let (held, over): (Vec<_>, Vec<_>) = open.partition(|one| one.2 > now);
        let sum = |all: Vec<&(String, i64, i64, bool)>| all.iter().map(|one| one.1).sum::<i64>();
        let (held, over) = (sum(held), sum(over));
        let text = |micros| keystead::limits::amount::Usd::from_micros(micros).to_string();
        let left = (MAX - spent - over - held).max(0);
        let expected = format!("{} {} {}", text(spent + over), text(held), text(left));
        assert_eq!(proxy.budget("ever").await, expected);
    }
}

#[test]
fn any_run_of_steps_adds_up() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for _ in 0..6 {
        let steps = prop::collection::vec(step(), 40)
            .new_tree(&mut runner)
            .unwrap();
        runtime.block_on(run(prop::strategy::ValueTree::current(&steps)));
    }
}
