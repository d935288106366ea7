//! What breaks in the middle: the database while somebody approves, the worker while it tells.

use std::time::Duration;

use serde_json::json;

use super::{approve, asked, listed, may, people, told};
use crate::support::{Mood, Proxy, Setup, SmtpServer, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_is_cut_off_gives_nothing_and_is_made_again() {
    let url = crate::support::database().await;
    let proxy = Proxy::before(&url);
    let server = SmtpServer::start().await;
    let app = TestApp::with(Setup {
        endpoint: Some(proxy.endpoint.clone()),
        mail: server.settings(None),
        ..Setup::default()
    })
    .await;
    let ((_, ada), (_, boss)) = people(&app).await;
    let request = asked(&ada, "/models/x", "USE").await;
    app.app.deliver_due().await.unwrap();
    let before = server.received().len();
    // Somebody holds the row, so that the approval stands still in the middle of its transaction.
    let straight = keystead::db::Endpoint::parse(&url).unwrap();
    let mut client = straight.client().await.unwrap();
    let holding = client.transaction().await.unwrap();
    holding
        .batch_execute("SELECT id FROM access_requests FOR UPDATE")
        .await
        .unwrap();
    let approving = {
        let (boss, request) = (boss.clone(), request.clone());
        tokio::spawn(async move { approve(&boss, &request).await })
    };
    tokio::time::sleep(Duration::from_millis(400)).await;
    proxy.cut();
    let answer = told(&approving.await.unwrap());
    assert!(answer.starts_with("SERVICE_UNAVAILABLE"), "{answer}");
    holding.rollback().await.unwrap();
    proxy.mend();
    assert_eq!(
        listed(&ada, json!({"status": "PENDING"})).await,
        std::slice::from_ref(&request)
    );
    assert!(!may(&ada, "model.use", "/models/x").await);
    app.app.deliver_due().await.unwrap();
    assert_eq!(server.received().len(), before, "nobody is told of nothing");
    assert_eq!(approve(&boss, &request).await["status"], "APPROVED");
    assert!(may(&ada, "model.use", "/models/x").await);
    app.app.deliver_due().await.unwrap();
    assert_eq!(server.received().len(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_was_telling_another_tells() {
    let server = SmtpServer::start().await;
    let setup = || Setup {
        mail: server.settings(None),
        ..Setup::default()
    };
    let app = TestApp::with(setup()).await;
    let ((_, ada), _) = people(&app).await;
    server.feel(Mood::Hanging);
    asked(&ada, "/models/x", "USE").await;
    let working = {
        let app = app.app.clone();
        tokio::spawn(async move { app.deliver_due().await })
    };
    server.begun(1).await;
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());
    server.feel(Mood::Well);
    let other = app.beside_with(77, &setup()).await;
    assert_eq!(other.deliver_due().await.unwrap(), 0, "it is claimed");
    other.clock.advance(chrono::TimeDelta::minutes(4));
    assert_eq!(other.deliver_due().await.unwrap(), 1);
    assert_eq!(server.received().len(), 1);
    assert_eq!(server.received()[0].to, ["RCPT TO:<boss@example.com>"]);
}
