//! Several servers on one database: what each remembers, and that no change is answered before all know.

mod acknowledged;
mod every_change;
mod history;
mod memory;
pub mod processes;
mod subjects;
mod what_is_read;

use std::time::Duration;

use keystead::db::Endpoint;
use keystead::replicas::ReplicaSettings;

use crate::support::{Setup, TestApp};

/// A server that holds a lease, over a database of its own.
async fn leased() -> TestApp {
    leased_on(None).await
}

/// A server that holds a lease.
async fn leased_on(endpoint: Option<Endpoint>) -> TestApp {
    TestApp::with(Setup {
        endpoint,
        lease: Some(ReplicaSettings::default()),
        ..Setup::default()
    })
    .await
}

async fn until(what: impl Fn() -> bool, patience: Duration) {
    let wait = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(patience, wait).await.unwrap();
}
