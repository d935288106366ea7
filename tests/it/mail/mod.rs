//! Mails: what is written, and how it is sent.

mod files;
mod smtp;
mod templates;

use chrono::TimeDelta;
use keystead::app::App;
use keystead::ctx::{Actor, RequestInfo};
use keystead::mail::model::{Mail, Template};
use keystead::mail::ops;
use serde_json::{Map, Value, json};

use crate::support::{Setup, SmtpServer, TestApp};

/// An invitation to that address.
pub fn invitation(to: &str, values: Value) -> Mail {
    let mut all = json!({
        "inviter": "Grace Hopper", "purpose": "join the team Research",
        "link": "https://keystead.example.com/join?token=ksi_test", "expires": "2030-01-08 12:00 UTC",
    });
    for (name, value) in values.as_object().unwrap() {
        all[name] = value.clone();
    }
    let Value::Object(values) = all else {
        unreachable!("it is written above")
    };
    Mail {
        to: to.into(),
        name: Some("Ada Lovelace".into()),
        template: Template::Invitation,
        values,
    }
}

/// Has a mail sent, as an operation does.
pub async fn put(app: &App, mail: Mail) {
    let ctx = app.ctx(Actor::Keystead, RequestInfo::default());
    let mut tx = ctx.db.begin("test_mail").await.unwrap();
    ops::send(&ctx, &mut tx, mail).await.unwrap();
    tx.commit().await.unwrap();
    ctx.events.publish();
}

/// An app that sends to that server.
pub async fn app(server: &SmtpServer) -> TestApp {
    TestApp::with(Setup {
        mail: server.settings(None),
        ..Setup::default()
    })
    .await
}

/// Makes an attempt at what is due; returns how many were made.
pub async fn deliver(app: &TestApp) -> usize {
    app.app.deliver_due().await.unwrap()
}

/// Lets so many seconds pass.
pub fn pass(app: &TestApp, seconds: i64) {
    app.app.clock.advance(TimeDelta::seconds(seconds));
}

/// How many parcels wait, and how many were given up.
pub async fn counts(app: &TestApp) -> (i64, i64) {
    keystead::outbox::ops::counts(&app.app.db).await.unwrap()
}

#[tokio::test]
async fn a_mail_without_a_value_of_its_template_is_never_stored() {
    let app = TestApp::new().await;
    let ctx = app.ctx();
    let mut tx = ctx.db.begin("test_mail").await.unwrap();
    let mail = Mail {
        values: Map::new(),
        ..invitation("ada@example.com", json!({}))
    };
    let refused = ops::send(&ctx, &mut tx, mail).await.unwrap_err();
    assert_eq!(
        refused.cause.as_deref(),
        Some("the mail invitation lacks the value inviter")
    );
}
