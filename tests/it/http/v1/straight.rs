//! `POST /v1/verify` goes from the connection to its handler, around the router: with the same answers, headers and all.

use std::collections::BTreeMap;

use keystead::http::Settings;
use serde_json::json;

use super::service;
use crate::support::{Answer, Bound, Call, Client, TestApp};

/// Everything that an answer says, but when it was sent and how its length is told.
fn whole(answer: &Answer) -> (u16, BTreeMap<String, String>, String) {
    let headers = answer.headers.iter();
    let said = headers
        .filter(|(name, _)| !["date", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status, said.collect(), answer.text())
}

fn calls(asker: &Client, stranger: &Client) -> Vec<Call> {
    let key = asker.key().unwrap();
    let to = |client: &Client, method| client.request(method, "/v1/verify").from("127.0.0.1");
    let good = json!({"key": key, "privilege": "model.use", "path": "/models/a"});
    vec![
        to(asker, "POST").json(&good),
        to(asker, "POST").json(&json!({"checks": [good, good]})),
        to(asker, "POST").json(&json!({"key": key, "ip": "here"})),
        to(asker, "POST").json(&json!({"key": "nonsense"})),
        to(asker, "POST").json(&json!(7)),
        to(asker, "POST").body("key=1"),
        to(asker, "POST")
            .header("content-type", "application/json")
            .body("{"),
        to(asker, "POST")
            .header("content-type", "application/json")
            .body(vec![b' '; 10_000_000]),
        to(asker, "GET"),
        to(asker, "OPTIONS"),
        to(stranger, "POST").json(&good),
        to(stranger, "POST")
            .header("authorization", "Bearer ks_cut")
            .json(&good),
    ]
}

#[tokio::test]
async fn the_short_way_answers_what_the_router_answers() {
    let app = TestApp::new().await;
    let asker = service(&app).await;
    let stranger = app.anonymous();
    let server = Bound::new(&app, Settings::default()).await;
    let (routed, straight) = (calls(&asker, &stranger), calls(&asker, &stranger));
    let mut statuses = Vec::new();
    for (routed, straight) in routed.into_iter().zip(straight) {
        let (routed, straight) = (asker.send(routed).await, server.send(straight).await);
        assert_eq!(whole(&straight), whole(&routed));
        assert_eq!(straight.header("x-request-id"), "test-request");
        statuses.push(straight.status);
    }
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 400, 401, 405, 413, 415]);
}
