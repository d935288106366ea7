//! Workers side by side, worker and transaction, worker and database.

use std::collections::BTreeSet;
use std::time::Duration;

use keystead::mail::ops;
use serde_json::json;
use tokio::sync::watch;

use crate::mail::{app, counts, deliver, invitation, pass, put};
use crate::support::{Mood, Proxy, Setup, SmtpServer, TestApp};

#[tokio::test]
async fn what_is_rolled_back_is_never_sent() {
    let server = SmtpServer::start().await;
    let app = app(&server).await;
    let ctx = app.ctx();
    let mut tx = ctx.db.begin("test_mail").await.unwrap();
    let mail = invitation("ada@example.com", json!({}));
    ops::send(&ctx, &mut tx, mail).await.unwrap();
    assert_eq!(deliver(&app).await, 0, "nobody sees it yet");
    drop(tx);
    assert_eq!(deliver(&app).await, 0);
    assert_eq!(counts(&app).await, (0, 0));
}

#[tokio::test]
async fn many_workers_deliver_each_parcel_once() {
    let server = SmtpServer::start().await;
    let first = app(&server).await;
    let setup = Setup {
        mail: server.settings(None),
        ..Setup::default()
    };
    let others = [
        first.beside_with(21, &setup).await,
        first.beside_with(22, &setup).await,
    ];
    for number in 0..60 {
        let to = format!("user{number}@example.com");
        put(&first.app, invitation(&to, json!({}))).await;
    }
    let (a, b, c) = tokio::join!(
        first.app.deliver_due(),
        others[0].deliver_due(),
        others[1].deliver_due()
    );
    let shares = [a.unwrap(), b.unwrap(), c.unwrap()];
    assert_eq!(shares.iter().sum::<usize>(), 60, "{shares:?}");
    let received = server.received();
    let to: BTreeSet<&str> = received.iter().map(|mail| mail.to[0].as_str()).collect();
    assert_eq!((received.len(), to.len()), (60, 60));
    assert_eq!(counts(&first).await, (0, 0));
}

#[tokio::test]
async fn a_running_worker_is_woken_by_a_commit_and_stops_when_told() {
    let server = SmtpServer::start().await;
    let app = app(&server).await;
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(
        app.app
            .clone()
            .keep_delivering(stopping, Duration::from_millis(200)),
    );
    put(&app.app, invitation("ada@example.com", json!({}))).await;
    // Sooner than it looks by itself.
    tokio::time::timeout(Duration::from_secs(4), server.arrived(1))
        .await
        .expect("nobody was woken");
    // What hangs when the time to stop has come is given back, for others to take up at once.
    server.feel(Mood::Hanging);
    put(&app.app, invitation("bob@example.com", json!({}))).await;
    server.begun(2).await;
    stop.send_replace(true);
    tokio::time::timeout(Duration::from_secs(4), running)
        .await
        .expect("it does not stop")
        .unwrap();
    server.feel(Mood::Well);
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(server.received().len(), 2);
    put(&app.app, invitation("eve@example.com", json!({}))).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(counts(&app).await, (1, 0), "it has stopped");
}

#[tokio::test]
async fn a_claim_whose_worker_was_overtaken_changes_nothing() {
    let server = SmtpServer::start().await;
    let app = app(&server).await;
    put(&app.app, invitation("ada@example.com", json!({}))).await;
    server.feel(Mood::Hanging);
    let slow = app.app.clone();
    let slow = tokio::spawn(async move { slow.deliver_due().await });
    server.begun(1).await;
    assert_eq!(deliver(&app).await, 0, "it is claimed");
    pass(&app, 181);
    server.feel(Mood::Refusing(451));
    assert_eq!(deliver(&app).await, 1, "the claim has run out");
    assert_eq!(counts(&app).await, (1, 0));
    // The first comes to its end after all. What became of the parcel since then is not its business.
    server.feel(Mood::Well);
    assert_eq!(slow.await.unwrap().unwrap(), 1);
    assert_eq!(server.received().len(), 1);
    assert_eq!(counts(&app).await, (1, 0));
    pass(&app, 34);
    assert_eq!(deliver(&app).await, 1);
    assert_eq!((server.received().len(), counts(&app).await), (2, (0, 0)));
}

#[tokio::test]
async fn a_database_that_is_cut_off_in_the_middle_costs_a_second_mail_and_none() {
    let server = SmtpServer::start().await;
    let proxy = Proxy::new().await;
    let app = TestApp::with(Setup {
        endpoint: Some(proxy.endpoint.clone()),
        mail: server.settings(None),
        ..Setup::default()
    })
    .await;
    put(&app.app, invitation("ada@example.com", json!({}))).await;
    server.feel(Mood::Hanging);
    let cut = app.app.clone();
    let cut = tokio::spawn(async move { cut.deliver_due().await });
    server.begun(1).await;
    proxy.cut();
    cut.abort();
    let _ = cut.await;
    server.feel(Mood::Well);
    assert!(app.app.deliver_due().await.is_err(), "the database is gone");
    proxy.mend();
    pass(&app, 181);
    assert_eq!(deliver(&app).await, 1);
    assert_eq!((server.received().len(), counts(&app).await), (1, (0, 0)));
}
