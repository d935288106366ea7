//! Exactness on three servers, each a process of its own, also where they are killed.

use std::time::Duration;

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::Proxy;
use crate::replicas::processes::{Process, Protocol, post};
use crate::support::{Setup, TestApp, database};

/// A key with that budget, and three servers.
async fn three(max: &str) -> (Proxy, Vec<Process>) {
    let url = database().await;
    let setup = Setup {
        endpoint: Some(keystead::db::Endpoint::parse(&url).unwrap()),
        ..Setup::default()
    };
    let proxy = Proxy::over(TestApp::with(setup).await).await;
    proxy
        .limit(json!({"budgets": [{"name": "ever", "maxUsd": max}]}))
        .await;
    let starting = (0..3).map(|_| Process::start(&url, Protocol::On));
    (proxy, join_all(starting).await)
}

async fn reserve(proxy: &Proxy, server: &Process, usd: &str) -> Option<Value> {
    let body = json!({"key": proxy.secret, "cost": {"usd": usd}});
    post(
        server.address,
        "/v1/verify",
        proxy.service.key().unwrap(),
        &body,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_on_three_servers_exactly_one_passes() {
    let (proxy, servers) = three("0.01").await;
    let asked = (0..200).map(|n| reserve(&proxy, &servers[n % 3], "0.01"));
    let answers = join_all(asked).await;
    let codes = answers
        .iter()
        .map(|one| one.as_ref().unwrap()["code"].as_str().unwrap());
    let codes: Vec<&str> = codes.collect();
    assert_eq!(codes.iter().filter(|code| **code == "VALID").count(), 1);
    assert_eq!(
        codes
            .iter()
            .filter(|code| **code == "LIMIT_EXCEEDED")
            .count(),
        199
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_the_sums_are_those_of_what_is_recorded() {
    let (proxy, servers) = three("1000000").await;
    let admin = proxy.app.app.db.endpoint().client().await.unwrap();
    let work = |lane: usize| {
        let (proxy, servers) = (&proxy, &servers);
        async move {
            let mut told = 0_u32;
            for round in 0..40 {
                let server = &servers[(lane + round) % 3];
                let Some(answer) = reserve(proxy, server, "0.5").await else {
                    continue;
                };
                let Some(id) = answer["reservation"].as_str() else {
                    continue;
                };
                // Some are never settled.
                if round % 7 == 3 {
                    continue;
                }
                let body = json!({"reservation": id, "cost": {"usd": "0.25"}});
                let server = &servers[(lane + round + 1) % 3];
                let key = proxy.service.key().unwrap();
                let answer = post(server.address, "/v1/settle", key, &body).await;
                told += u32::from(answer.is_some_and(|one| one["settled"] == true));
            }
            told
        }
    };
    let killing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // Every connection to the database breaks, in the middle of whatever it does.
        for _ in 0..5 {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%limits_%'";
            admin.execute(cut, &[]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        servers[2].signal(Signal::SIGKILL);
    };
    let (told, ()) = tokio::join!(join_all((0..12).map(work)), killing);
    let told: u32 = told.iter().sum();
    assert!(told > 50, "only {told} were settled");
    let sums = "SELECT c.spent, c.reserved,
            (SELECT coalesce(sum(micros), 0)::bigint FROM usage_events WHERE state <> 'RELEASED' AND c.id = ANY(counters)),
            (SELECT coalesce(sum(micros), 0)::bigint FROM reservations WHERE c.id = ANY(counters)),
            (SELECT count(*) FROM usage_events WHERE state = 'SETTLED'),
            (SELECT sum(micros)::bigint FROM usage_quarters WHERE tag = ''), (SELECT sum(micros)::bigint FROM usage_days WHERE tag = '')
        FROM limit_counters c WHERE c.budget_id IS NOT NULL";
    let row = admin.query_one(sums, &[]).await.unwrap();
    let (spent, reserved): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!((spent, reserved), (row.get(2), row.get(3)));
    assert_eq!((spent, spent), (row.get(5), row.get(6)), "the rollups");
    // What was answered with yes is among them; what was not answered may be.
    assert!(row.get::<_, i64>(4) >= i64::from(told));
    assert!(spent >= i64::from(told) * 250_000);
}
