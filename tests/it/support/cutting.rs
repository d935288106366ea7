//! The database cut off at every message of a request, one after the other: a restart of Postgres at the worst of moments.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use keystead::db::{Endpoint, PoolSettings};
use serde_json::{Value, json};

use super::{Call, Proxy, Routes, Setup, Side, TestApp, database};

/// An app on a real port, whose database can be cut off.
pub struct Cutting {
    pub app: TestApp,
    http: Routes,
    proxy: Proxy,
    /// Whether the last request was cut off, or had fewer messages.
    has_cut: Mutex<bool>,
    /// The database, past the proxy.
    direct: Endpoint,
}

/// A GraphQL request over HTTP.
pub struct Wanted<'w> {
    pub key: Option<&'w str>,
    /// The header `Idempotency-Key`.
    pub once: Option<&'w str>,
    pub document: &'w str,
    pub variables: Value,
}

/// What the server said of a change during which the database was cut off.
#[derive(Debug)]
pub enum Said {
    /// It is made: the data.
    Made(Value),
    /// It is made, and not all that was asked of it could be read.
    Kept,
    /// It is not.
    Nothing,
    /// It may be.
    Perhaps,
}

impl Said {
    /// Whether what is there now, each thing counted that belongs to the change, is what was said: all of it, or nothing.
    pub fn agrees(&self, counts: &[i64]) -> bool {
        let all = |count: i64| counts.iter().all(|each| *each == count);
        match self {
            Said::Made(_) | Said::Kept => all(1),
            Said::Nothing => all(0),
            Said::Perhaps => all(0) || all(1),
        }
    }
}

impl Cutting {
    pub async fn new() -> Cutting {
        let url = database().await;
        let proxy = Proxy::before(&url);
        let app = TestApp::with(Setup {
            endpoint: Some(proxy.endpoint.clone()),
            pool: PoolSettings {
                wait: Duration::from_secs(2),
                ..PoolSettings::default()
            },
            ..Setup::default()
        })
        .await;
        Cutting {
            http: Routes::of(&app).await,
            app,
            proxy,
            has_cut: Mutex::new(false),
            direct: Endpoint::parse(&url).unwrap(),
        }
    }

    /// Runs that once for every message at which there is something to cut, before it and after it; `one` is given the number of the run, and
    /// sends what it is about by [`Cutting::cut`]. Says how often the database was cut off.
    pub async fn at_every_message(&self, mut one: impl AsyncFnMut(Run)) -> usize {
        let mut number = 0;
        for side in [Side::Before, Side::After] {
            for message in 0.. {
                let run = Run {
                    number,
                    message,
                    side,
                };
                one(run).await;
                number += 1;
                if !*self.has_cut.lock().unwrap() {
                    break;
                }
                assert!(message < 300, "it has no end");
            }
        }
        number - 2
    }

    /// Sends the request, during which the database is cut off.
    pub async fn cut(&self, run: Run, wanted: &Wanted<'_>) -> Said {
        // One connection at least is there already: the cut is not one of connecting alone.
        self.ask(&Wanted {
            key: Some(&self.app.admin_key),
            once: None,
            document: "{ users(first: 1) { totalCount } }",
            variables: json!({}),
        })
        .await;
        self.proxy.cut_at(run.message, run.side);
        let answer = self.http.send(call(wanted)).await;
        // What is asked from here on is not part of it.
        *self.has_cut.lock().unwrap() = self.proxy.has_cut();
        let mut json = answer.json();
        let message = json["errors"][0]["message"].as_str().map(str::to_owned);
        let Some(message) = message else {
            assert_eq!(answer.status, 200, "{json}");
            return Said::Made(json["data"].take());
        };
        assert_eq!(answer.code(), "SERVICE_UNAVAILABLE", "{run:?}: {json}");
        if message.starts_with("The change is made") {
            assert_eq!(
                (answer.status, answer.header("retry-after")),
                (200, ""),
                "{run:?}"
            );
            return Said::Kept;
        }
        assert_eq!(answer.status, 503, "{run:?}: {json}");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        if message.contains("Nothing was changed") {
            Said::Nothing
        } else if message.contains("The change is stored") {
            Said::Kept
        } else {
            assert!(message.contains("may or may not"), "{message}");
            Said::Perhaps
        }
    }

    /// Sends the request, again while the server says that it has no database; the answer.
    pub async fn ask(&self, wanted: &Wanted<'_>) -> Value {
        let since = Instant::now();
        loop {
            let answer = self.http.send(call(wanted)).await;
            if answer.status != 503 {
                return answer.json();
            }
            assert!(
                since.elapsed() < Duration::from_secs(5),
                "{}",
                answer.text()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What is asked of the database itself: a row of numbers.
    pub async fn counts(&self, select: &str) -> Vec<i64> {
        let client = self.direct.client().await.unwrap();
        let row = client.query_one(select, &[]).await.unwrap();
        (0..row.len()).map(|column| row.get(column)).collect()
    }
}

/// One of many runs of the same.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub number: usize,
    message: usize,
    side: Side,
}

fn call(wanted: &Wanted<'_>) -> Call {
    let mut call = Call::new("POST", "/graphql");
    if let Some(key) = wanted.key {
        call = call.header("authorization", &format!("Bearer {key}"));
    }
    if let Some(once) = wanted.once {
        call = call.header("idempotency-key", once);
    }
    call.json(&json!({"query": wanted.document, "variables": wanted.variables}))
}
