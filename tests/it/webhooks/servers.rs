//! Any number of servers, and one that dies.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::json;

use super::{app, create, deliver, deliveries, event, setup};
use crate::support::{HttpAnswer, Proxy, Receiver, Setup, TestApp};

#[tokio::test]
async fn many_servers_deliver_each_event_once() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let others = [
        app.beside_with(31, &setup()).await,
        app.beside_with(32, &setup()).await,
    ];
    create(&app.admin(), &receiver, &["role.create"]).await;
    for number in 0..30 {
        event(&app.admin(), &format!("role{number}")).await;
    }
    let (a, b, c) = tokio::join!(
        app.app.deliver_due(),
        others[0].deliver_due(),
        others[1].deliver_due()
    );
    let shares = [a.unwrap(), b.unwrap(), c.unwrap()];
    deliver(&app).await;
    let arrived = receiver.arrived();
    let ids: BTreeSet<&String> = arrived
        .iter()
        .map(|one| &one.headers["webhook-id"])
        .collect();
    assert_eq!((arrived.len(), ids.len()), (30, 30), "{shares:?}");
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_loses_nothing() {
    let (proxy, receiver) = (Proxy::new().await, Receiver::start().await);
    let app = TestApp::with(Setup {
        endpoint: Some(proxy.endpoint.clone()),
        ..setup()
    })
    .await;
    create(&app.admin(), &receiver, &["role.create"]).await;
    event(&app.admin(), "tester").await;
    receiver.answer(HttpAnswer::Nothing);
    let dying = app.app.clone();
    let dying = tokio::spawn(async move { dying.deliver_due().await });
    receiver.wait(1).await;
    proxy.cut();
    dying.abort();
    let _ = dying.await;
    receiver.answer(HttpAnswer::Status(200));
    proxy.mend();
    // Connections that broke while they were idle are found out by using them.
    while app.app.deliver_due().await.is_err() {}
    assert_eq!(receiver.arrived().len(), 1, "it is claimed yet");
    app.app.clock.advance(TimeDelta::seconds(181));
    deliver(&app).await;
    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), 2);
    assert_eq!(
        arrived[0].headers["webhook-id"],
        arrived[1].headers["webhook-id"]
    );
    let made = deliveries(&app.admin(), json!({})).await;
    assert_eq!(made[0]["status"], "DELIVERED");
}

#[tokio::test]
async fn an_event_that_is_rolled_back_is_none() {
    let (app, receiver) = (app().await, Receiver::start().await);
    create(&app.admin(), &receiver, &["role."]).await;
    event(&app.admin(), "tester").await;
    deliver(&app).await;
    let again =
        "mutation { createRole(input: {name: \"tester\", privileges: []}) { role { id } } }";
    let (code, _, _) = app.admin().error(again, json!({})).await;
    assert_eq!(code, "ALREADY_EXISTS");
    deliver(&app).await;
    assert_eq!(receiver.arrived().len(), 1);
}
