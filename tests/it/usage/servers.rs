//! Exactness on two servers, each a process of its own, where one is killed and connections break.

use std::time::Duration;

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::exact;
use crate::limits::Proxy;
use crate::replicas::processes::{Process, Protocol, post};
use crate::support::{Setup, TestApp, database};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_each_event_counts_once_and_the_sums_are_theirs() {
    let url = database().await;
    let setup = Setup {
        endpoint: Some(keystead::db::Endpoint::parse(&url).unwrap()),
        ..Setup::default()
    };
    let proxy = Proxy::over(TestApp::with(setup).await).await;
    // The processes have a clock of their own: everything counts, whenever it was.
    let budget = json!([{"name": "ever", "maxUsd": "1000000", "includePastSpend": true}]);
    proxy.limit(json!({ "budgets": budget })).await;
    let servers: Vec<Process> = join_all((0..2).map(|_| Process::start(&url, Protocol::On))).await;
    let admin = proxy.app.app.db.endpoint().client().await.unwrap();
    let events = |lane: usize, round: usize| -> Value {
        (0..40)
            .map(|n| json!({"id": format!("{lane} {round} {n}"), "apiKey": proxy.key, "usd": "0.25", "tags": ["t"]}))
            .collect()
    };
    let work = |lane: usize| {
        let (proxy, servers, events) = (&proxy, &servers, &events);
        async move {
            let key = &*proxy.app.admin_key;
            let mut unanswered = Vec::new();
            let mut answered = 0;
            for round in 0..15 {
                let server = &servers[(lane + round) % 2];
                let body = json!({"events": events(lane, round)});
                match post(server.address, "/v1/usage", key, &body).await {
                    Some(answer) if answer["refused"] == 0 => answered += 1,
                    _ => unanswered.push(round),
                }
            }
            (lane, answered, unanswered)
        }
    };
    let killing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        for _ in 0..5 {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%usage_record%'";
            admin.execute(cut, &[]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        servers[1].signal(Signal::SIGKILL);
    };
    let (lanes, ()) = tokio::join!(join_all((0..8).map(work)), killing);
    let answered: usize = lanes.iter().map(|lane| lane.1).sum();
    assert!(answered > 30, "only {answered} were answered");
    let there = exact(&admin).await;
    assert!(there >= 40 * answered as i64);
    // What was not answered is sent again, and all is there once.
    let mut again = 0;
    for (lane, _, rounds) in lanes {
        for round in rounds {
            let body = json!({"events": events(lane, round)});
            let key = &*proxy.app.admin_key;
            let answer = post(servers[0].address, "/v1/usage", key, &body).await;
            assert_eq!(answer.unwrap()["refused"], 0);
            again += 1;
        }
    }
    assert!(again > 0, "nothing was interrupted");
    assert_eq!(exact(&admin).await, 8 * 15 * 40);
    assert_eq!(proxy.budget("ever").await, "1200 0 998800");
}
