//! Webhooks, delivered to a real receiver over HTTP.

mod deliver;
mod guard;
mod manage;
mod rights;
mod servers;

use ipnet::IpNet;
use keystead::ctx::Policy;
use keystead::webhooks::model::Settings;
use serde_json::{Value, json};

use crate::support::{Client, Receiver, Setup, TestApp};

/// An app that delivers to this machine too.
pub async fn app() -> TestApp {
    TestApp::with(setup()).await
}

pub fn setup() -> Setup {
    Setup {
        policy: Policy {
            webhooks: Settings {
                networks: vec!["127.0.0.0/8".parse::<IpNet>().unwrap()],
                roots: None,
            },
            ..Setup::default().policy
        },
        ..Setup::default()
    }
}

const CREATE: &str = "mutation($input: CreateWebhookInput!) { createWebhook(input: $input) {
    secret webhook { id url events description enabled disabledReason owner { username } previousSecretUntil createdAt updatedAt } } }";

/// Makes a webhook for these events; returns its id and its secret.
pub async fn create(client: &Client, receiver: &Receiver, events: &[&str]) -> (String, String) {
    let input = json!({"url": receiver.url(), "events": events});
    let data = client.data(CREATE, json!({"input": input})).await;
    let made = &data["createWebhook"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["webhook"]["id"]), text(&made["secret"]))
}

/// Makes an event: a role with that name.
pub async fn event(client: &Client, name: &str) {
    let role = json!({"input": {"name": name, "privileges": ["model.use"]}});
    client
        .data(
            "mutation($input: CreateRoleInput!) { createRole(input: $input) { role { id } } }",
            role,
        )
        .await;
}

/// Spreads and delivers what is due.
pub async fn deliver(app: &TestApp) {
    app.app.deliver_due().await.unwrap();
}

/// What came of deliveries, newest first.
pub async fn deliveries(client: &Client, filter: Value) -> Vec<Value> {
    let query = "query($filter: WebhookDeliveryFilter) { webhookDeliveries(filter: $filter) {
        nodes { id action status attempts responseStatus error nextAttemptAt } } }";
    let mut data = client.data(query, json!({"filter": filter})).await;
    match data["webhookDeliveries"]["nodes"].take() {
        Value::Array(nodes) => nodes,
        other => panic!("{other}"),
    }
}

/// Makes deliveries of all events, and has all that wait given up, as after a day without a receiver.
pub async fn give_up(app: &TestApp) {
    while keystead::webhooks::spread::spread(&app.ctx())
        .await
        .unwrap()
        > 0
    {}
    let statements = "UPDATE outbox SET attempts = 11, due_at = NULL, dead_at = created_at WHERE lane = 'WEBHOOK';
        UPDATE webhook_deliveries SET attempts = 11, status = 'DEAD', next_attempt_at = NULL, attempted_at = created_at + interval '1 day',
            error = 'not connected: connection refused' WHERE status = 'PENDING'";
    let client = app.app.db.endpoint().client().await.unwrap();
    client.batch_execute(statements).await.unwrap();
}
