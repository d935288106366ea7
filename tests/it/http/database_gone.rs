//! The database gone, silent, or slow: 503 with Retry-After, nothing half done, and recovery without a restart.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use keystead::db::PoolSettings;
use keystead::graphql::settings::Settings as ApiSettings;
use serde_json::json;

use crate::support::{Proxy, Setup, TestApp};

const USERS: &str = "{ users(first: 1) { totalCount } }";
const CREATE: &str =
    "mutation($name: String!) { createUser(input: {username: $name}) { user { id } } }";

async fn app(proxy: &Proxy) -> TestApp {
    TestApp::with(Setup {
        endpoint: Some(proxy.endpoint.clone()),
        pool: PoolSettings {
            wait: Duration::from_millis(400),
            ..PoolSettings::default()
        },
        api: ApiSettings {
            deadline: Duration::from_millis(600),
            ..ApiSettings::default()
        },
        ..Setup::default()
    })
    .await
}

/// Asks until it works again; panics if that takes longer than five seconds.
async fn recovered(app: &TestApp) {
    let since = Instant::now();
    loop {
        let answer = app.admin().post(&json!({"query": USERS})).await;
        if answer.status == 200 && answer.json().get("errors").is_none() {
            return;
        }
        assert!(
            since.elapsed() < Duration::from_secs(5),
            "{}",
            answer.text()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn assert_unavailable(app: &TestApp) {
    for accept in ["application/json", "application/graphql-response+json"] {
        let client = app.admin();
        let call = client
            .request("POST", "/graphql")
            .header("accept", accept)
            .json(&json!({"query": USERS}));
        let answer = client.send(call).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(["SERVICE_UNAVAILABLE", "TIMEOUT"].contains(&answer.code().as_str()));
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    let client = app.anonymous();
    assert_eq!(
        client.send(client.request("GET", "/healthz")).await.status,
        200
    );
    assert_eq!(
        client.send(client.request("GET", "/readyz")).await.status,
        503
    );
    // What needs no database still answers.
    let answer = client
        .post(&json!({"query": "{ serverInfo { version } }"}))
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_database_that_is_gone_is_503_until_it_is_back() {
    let proxy = Proxy::new().await;
    let app = app(&proxy).await;
    recovered(&app).await;
    proxy.cut();
    assert_unavailable(&app).await;
    proxy.mend();
    recovered(&app).await;
}

#[tokio::test]
async fn a_database_that_says_nothing_is_503_until_it_speaks() {
    let proxy = Proxy::new().await;
    let app = app(&proxy).await;
    recovered(&app).await;
    proxy.freeze();
    assert_unavailable(&app).await;
    proxy.mend();
    recovered(&app).await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_and_what_was_refused_can_be_sent_again() {
    let proxy = Proxy::new().await;
    let app = app(&proxy).await;
    let mut done = Vec::new();
    let breaking = async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            proxy.cut();
            tokio::time::sleep(Duration::from_millis(60)).await;
            proxy.mend();
        }
    };
    let creating = async {
        for number in 0..40 {
            let name = format!("user{number}");
            let body = json!({"query": CREATE, "variables": {"name": name}});
            let answer = app.admin().post(&body).await;
            if answer.status == 200 && answer.json()["data"]["createUser"].is_object() {
                done.push(name);
            } else {
                assert!(answer.status == 503, "{}: {}", answer.status, answer.text());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::join!(breaking, creating);
    recovered(&app).await;
    let client = app.app.db.endpoint().client().await.unwrap();
    let rows = client
        .query(
            "SELECT u.username, count(a.id) FROM users u LEFT JOIN audit_events a ON a.after ->> 'username' = u.username GROUP BY 1",
            &[],
        )
        .await
        .unwrap();
    let there: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for name in &done {
        assert!(
            there.iter().any(|(there, _)| there == name),
            "{name} was acknowledged"
        );
    }
    for (name, events) in there.iter().filter(|(name, _)| name.starts_with("user")) {
        assert_eq!(*events, 1, "{name} has its audit event");
    }
    assert!(!done.is_empty());
}

#[tokio::test]
async fn what_takes_too_long_is_given_up_and_undone() {
    let proxy = Proxy::new().await;
    let app = app(&proxy).await;
    recovered(&app).await;
    let mut client = app.app.db.endpoint().client().await.unwrap();
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let body = json!({"query": CREATE, "variables": {"name": "late"}});
    let answer = app.admin().post(&body).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "TIMEOUT"));
    lock.rollback().await.unwrap();
    recovered(&app).await;
    // The same request succeeds now: nothing of the first is left.
    let answer = app.admin().post(&body).await;
    assert!(
        answer.json()["data"]["createUser"].is_object(),
        "{}",
        answer.text()
    );
}

/// What the database's administrator does, whatever the database is set to.
async fn administer(app: &TestApp, sql: &str) {
    let client = app.app.db.endpoint().client().await.unwrap();
    client
        .batch_execute("SET default_transaction_read_only = off")
        .await
        .unwrap();
    client.batch_execute(sql).await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_read_only_takes_changes_again_when_it_may() {
    let app = TestApp::new().await;
    let database = app.app.db.endpoint().database().unwrap().to_owned();
    let set =
        |to: &str| format!("ALTER DATABASE \"{database}\" {to} default_transaction_read_only");
    administer(&app, &format!("{} = on", set("SET"))).await;
    // Connections keep what they were made with: the server's own must be new.
    administer(&app, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").await;
    recovered(&app).await;
    for name in ["one", "two"] {
        let body = json!({"query": CREATE, "variables": {"name": name}});
        let answer = app.admin().post(&body).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.code(), "SERVICE_UNAVAILABLE");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    let client = app.anonymous();
    let ready = client.send(client.request("GET", "/readyz")).await;
    assert_eq!(ready.status, 200, "it can be read: {}", ready.text());

    // Many connections that know it no other way, none of which has refused anything.
    let reads = (0..40).map(|_| async {
        let body = json!({"query": USERS});
        assert_eq!(app.admin().post(&body).await.status, 200);
    });
    join_all(reads).await;
    let open = app.app.db.connections().0;
    assert!(open > 4, "{open} connections are too few to tell");

    // So long a refusal speaks for those after it.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    administer(&app, &set("RESET")).await;
    let create = async |name: &str| {
        let body = json!({"query": CREATE, "variables": {"name": name}});
        app.admin().post(&body).await
    };
    // The first change meets a connection from before, and says so for all of them.
    assert_eq!(create("three").await.status, 503);
    for number in 0..open {
        let answer = create(&format!("user{number}")).await;
        assert!(
            answer.json()["data"]["createUser"].is_object(),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_database_that_falls_silent_is_not_ready_within_seconds() {
    let proxy = Proxy::new().await;
    let app = app(&proxy).await;
    recovered(&app).await;
    proxy.freeze();
    let client = app.anonymous();
    let since = Instant::now();
    let ready = client.send(client.request("GET", "/readyz")).await;
    assert_eq!(ready.status, 503, "{}", ready.text());
    assert!(since.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_database_that_is_full_is_503_and_nothing_is_half_done() {
    let app = TestApp::new().await;
    // What Postgres says when it is, word for word.
    administer(
        &app,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE EXCEPTION 'could not extend file \"base/1/1\": No space left on device' USING ERRCODE = 'disk_full';
         END $$;
         CREATE TRIGGER full_disk BEFORE INSERT ON audit_events EXECUTE FUNCTION full_disk()",
    )
    .await;
    let body = json!({"query": CREATE, "variables": {"name": "ada"}});
    let answer = app.admin().post(&body).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "SERVICE_UNAVAILABLE"),
        "{}",
        answer.text()
    );
    administer(&app, "DROP TRIGGER full_disk ON audit_events").await;
    let answer = app.admin().post(&body).await;
    assert!(
        answer.json()["data"]["createUser"].is_object(),
        "{}",
        answer.text()
    );
}
