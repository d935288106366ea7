//! A server that is killed while it delivers.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use keystead::app::App;
use keystead::ctx::{Actor, Clock, RequestInfo};
use keystead::db::Endpoint;
use keystead::secrets::Sealer;
use serde_json::json;

use crate::cli::Folder;
use crate::mail::{invitation, put};
use crate::support::{Mood, SmtpServer, database};

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
