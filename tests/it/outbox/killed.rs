//! A server that is killed while it delivers.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use keystead::app::App;
use keystead::ctx::{Actor, Clock, RequestInfo};
use keystead::db::Endpoint;
use keystead::secrets::Sealer;
use serde_json::json;

use nix::sys::signal::Signal;

use crate::cli::Folder;
use crate::mail::{counts, deliver, invitation, put};
use crate::replicas::processes::{Process, Protocol};
use crate::support::{HttpAnswer, Mood, Receiver, Setup, SmtpServer, TestApp, database};
use crate::webhooks::{create, deliveries, setup};

const KEY: &str = "one key for both servers, and long enough";

/// Killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn what_a_killed_server_had_claimed_is_sent_by_another() {
    let (server, url, folder) = (
        SmtpServer::start().await,
        database().await,
        Folder::new("outbox-killed"),
    );
    server.feel(Mood::Hanging);
    let child = Command::new(env!("CARGO_BIN_EXE_keystead"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log", "error"])
        .args(["--smtp-host", "127.0.0.1", "--smtp-security", "none"])
        .args(["--smtp-port", &server.address.port().to_string()])
        .args(["--mail-from", "keystead@example.com"])
        .env_clear()
        .env("DATABASE_URL", &url)
        .env("KEYSTEAD_SEALING_KEY", KEY)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let killed = Killed(child);
    // The other server is this process, by a clock that is moved.
    let clock = Clock::manual(Clock::system().now());
    let other = App::builder(Endpoint::parse(&url).unwrap())
        .clock(clock.clone())
        .sealer(Sealer::with_key(KEY))
        .mail(server.settings(None))
        .build()
        .await
        .unwrap();
    put(&other, invitation("ada@example.com", json!({}))).await;
    tokio::time::timeout(Duration::from_secs(30), server.begun(1))
        .await
        .expect("the server does not look for what others have committed");
    drop(killed);
    server.feel(Mood::Well);
    clock.advance(TimeDelta::seconds(60));
    assert_eq!(other.deliver_due().await.unwrap(), 0, "it is claimed yet");
    clock.advance(TimeDelta::seconds(180));
    assert_eq!(other.deliver_due().await.unwrap(), 1);
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].to, ["RCPT TO:<ada@example.com>"]);
    let ctx = other.ctx(Actor::Keystead, RequestInfo::default());
    assert_eq!(
        keystead::outbox::ops::counts(&ctx.db).await.unwrap(),
        (0, 0)
    );
}

/// What every app under test seals with, for a server of its own process beside it.
const OF_TESTS: &str = "the key of every app under test, as long as one must be";

/// An app, and a server of another process on its database, which is the one that delivers. The app's clock stands years later: what the
/// other had claimed is free for it.
async fn beside(server: &SmtpServer) -> (TestApp, Process) {
    let url = database().await;
    let app = TestApp::with(Setup {
        endpoint: Some(Endpoint::parse(&url).unwrap()),
        mail: server.settings(None),
        ..setup()
    })
    .await;
    let port = server.address.port().to_string();
    let settings = [
        ("KEYSTEAD_SEALING_KEY", OF_TESTS),
        ("KEYSTEAD_SMTP_HOST", "127.0.0.1"),
        ("KEYSTEAD_SMTP_PORT", &port),
        ("KEYSTEAD_SMTP_SECURITY", "none"),
        ("KEYSTEAD_MAIL_FROM", "keystead@example.com"),
        ("KEYSTEAD_WEBHOOK_NETWORKS", "127.0.0.0/8"),
    ];
    (app, Process::with(&url, Protocol::On, &settings).await)
}

/// The receiver has it, and the server dies before it can say so: it comes twice, the same by its id, and then no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_was_sent_by_a_server_that_could_not_say_so_is_sent_again() {
    let server = SmtpServer::start().await;
    let (app, process) = beside(&server).await;
    server.feel(Mood::Hanging);
    let invite = "mutation { createInvitation(input: {email: \"ada@example.com\"}) { mailed } }";
    let made = process.ask(&app.admin_key, invite).await.unwrap();
    assert_eq!(made["data"]["createInvitation"]["mailed"], true, "{made}");
    server.begun(1).await;
    process.proxy.freeze();
    server.feel(Mood::Well);
    server.arrived(1).await;
    process.signal(Signal::SIGKILL);
    drop(process);
    assert_eq!(
        counts(&app).await,
        (1, 0),
        "nobody has said that it was sent"
    );
    assert_eq!(deliver(&app).await, 1);
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[0].header("message-id"),
        received[1].header("message-id")
    );
    assert_eq!((deliver(&app).await, counts(&app).await), (0, (0, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_was_told_by_a_server_that_could_not_say_so_is_told_again() {
    let (server, receiver) = (SmtpServer::start().await, Receiver::start().await);
    let (app, process) = beside(&server).await;
    create(&app.admin(), &receiver, &["role.create"]).await;
    receiver.answer(HttpAnswer::Nothing);
    let role = "mutation { createRole(input: {name: \"told\", privileges: [\"model.use\"]}) { role { id } } }";
    let made = process.ask(&app.admin_key, role).await.unwrap();
    assert!(made["errors"].is_null(), "{made}");
    receiver.wait(1).await;
    process.proxy.freeze();
    receiver.answer(HttpAnswer::Status(204));
    // Until the answer has been read.
    tokio::time::sleep(Duration::from_millis(300)).await;
    process.signal(Signal::SIGKILL);
    drop(process);
    let waiting = deliveries(&app.admin(), json!({})).await;
    assert_eq!(
        (waiting.len(), &waiting[0]["status"]),
        (1, &json!("PENDING")),
        "{waiting:?}"
    );
    assert_eq!(deliver(&app).await, 1);
    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), 2);
    assert_eq!(
        arrived[0].headers["webhook-id"],
        arrived[1].headers["webhook-id"]
    );
    assert_eq!(arrived[0].body, arrived[1].body);
    let done = deliveries(&app.admin(), json!({})).await;
    assert_eq!(
        (&done[0]["status"], &done[0]["attempts"]),
        (&json!("DELIVERED"), &json!(2))
    );
    assert_eq!((deliver(&app).await, counts(&app).await), (0, (0, 0)));
}
