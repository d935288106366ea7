//! What breaks in the middle: the worker that finds out who it is, the database while somebody signs in.

use std::time::Duration;

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{app, ask, link, on, setup, sign_in, token_in, told, viewer};
use crate::support::{Mood, Proxy, SmtpServer, TestApp};

/// Holds whatever that statement locks, until it is dropped.
async fn holding(url: &str, sql: &str) -> tokio_postgres::Client {
    let straight = keystead::db::Endpoint::parse(url).unwrap();
    let client = straight.client().await.unwrap();
    client.batch_execute("BEGIN").await.unwrap();
    client.batch_execute(sql).await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_before_it_has_found_out_is_replaced() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    app.user("ada", InstanceRole::Member).await;
    ask(&app.anonymous(), "ada@example.com").await;
    let url = app.app.db.endpoint().clone();
    let lock = {
        let client = url.client().await.unwrap();
        client
            .batch_execute("BEGIN; LOCK TABLE magic_links IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        client
    };
    let working = {
        let app = app.app.clone();
        tokio::spawn(async move { app.deliver_due().await })
    };
    tokio::time::sleep(Duration::from_millis(400)).await;
    working.abort();
    lock.batch_execute("ROLLBACK").await.unwrap();
    let other = app.beside_with(77, &setup(&server, on())).await;
    assert_eq!(other.deliver_due().await.unwrap(), 0, "it is claimed");
    other.clock.advance(chrono::TimeDelta::minutes(4));
    assert_eq!(
        other.deliver_due().await.unwrap(),
        2,
        "the wish and its mail"
    );
    assert_eq!(server.received().len(), 1);
    let token = token_in(&server.received()[0].text);
    assert_eq!(
        viewer(&app, &sign_in(&app.anonymous(), &token).await).await,
        "ada"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_breaks_off_comes_again_with_the_same_link() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    app.user("ada", InstanceRole::Member).await;
    ask(&app.anonymous(), "ada@example.com").await;
    server.feel(Mood::Forgetful);
    app.app.deliver_due().await.unwrap();
    server.feel(Mood::Well);
    app.app.clock.advance(chrono::TimeDelta::seconds(6));
    app.app.deliver_due().await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(token_in(&received[0].text), token_in(&received[1].text));
    // What comes too late to be of use is not sent: who asked has asked again.
    ask(&app.anonymous(), "other@example.com").await;
    app.app.clock.advance(chrono::TimeDelta::minutes(1));
    ask(&app.anonymous(), "ada@example.com").await;
    app.app.clock.advance(chrono::TimeDelta::minutes(15));
    app.app.deliver_due().await.unwrap();
    assert_eq!(server.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_cut_off_leaves_the_link_good() {
    let url = crate::support::database().await;
    let proxy = Proxy::before(&url);
    let server = SmtpServer::start().await;
    let mut setup = setup(&server, on());
    setup.endpoint = Some(proxy.endpoint.clone());
    let app = TestApp::with(setup).await;
    app.user("ada", InstanceRole::Member).await;
    let token = link(&app, &server, "ada@example.com").await;
    let lock = holding(&url, "SELECT id FROM magic_links FOR UPDATE").await;
    let signing = {
        let (client, token) = (app.anonymous(), token.clone());
        tokio::spawn(async move { sign_in(&client, &token).await })
    };
    tokio::time::sleep(Duration::from_millis(400)).await;
    proxy.cut();
    let answer = told(&signing.await.unwrap());
    assert!(answer.starts_with("SERVICE_UNAVAILABLE"), "{answer}");
    lock.batch_execute("ROLLBACK").await.unwrap();
    proxy.mend();
    let sessions = "{ auditEvents(filter: {action: \"session.create\"}) { totalCount } }";
    let held = app.admin().data(sessions, json!({})).await;
    assert_eq!(held["auditEvents"]["totalCount"], 0);
    assert_eq!(
        viewer(&app, &sign_in(&app.anonymous(), &token).await).await,
        "ada"
    );
}
