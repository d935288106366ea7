//! Limits: amounts, windows, what may be set, and what is reserved and settled.

mod amounts;
mod applying;
mod calendar;
mod every_way;
mod exact;
mod lapse;
mod malformed;
pub mod manage;
mod notices;
mod policy;
mod servers;
mod settle;
mod spent;
mod windows;

use keystead::api_keys::model::NewApiKey;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::http::v1::{openapi, service};
use crate::support::{Answer, Client, TestApp};
use manage::update;

/// A service that reserves and settles, and a key whose holder it asks about.
pub struct Proxy {
    pub app: TestApp,
    pub service: Client,
    /// The key's owner.
    pub user: String,
    /// The key.
    pub key: String,
    /// Its secret.
    pub secret: String,
}

impl Proxy {
    pub async fn new() -> Proxy {
        Proxy::over(TestApp::new().await).await
    }

    pub async fn over(app: TestApp) -> Proxy {
        let (user, _) = app.user("ada", InstanceRole::Member).await;
        let new = NewApiKey {
            owner: Some(user.id),
            ..NewApiKey::default()
        };
        let (key, client) = app.generate(new).await;
        Proxy {
            service: service(&app).await,
            user: user.typed_id().to_string(),
            key: key.typed_id().to_string(),
            secret: client.key().unwrap().to_owned(),
            app,
        }
    }

    /// Sets limits of the key.
    pub async fn limit(&self, mut limits: Value) {
        limits["subject"] = json!({"apiKey": self.key});
        update(&self.app.admin(), limits).await;
    }

    /// Reserves that cost for the key.
    pub async fn reserve(&self, cost: Value) -> Value {
        let body = json!({"key": self.secret, "cost": cost});
        crate::http::v1::verdict(&self.service, &body).await
    }

    /// Reserves what must pass; answers with the reservation.
    pub async fn reserved(&self, cost: Value) -> String {
        let answer = self.reserve(cost).await;
        assert_eq!(answer["code"], "VALID", "{answer:#}");
        answer["reservation"].as_str().unwrap().to_owned()
    }

    /// Settles, as `client`.
    pub async fn settle_as(&self, client: &Client, body: Value) -> Answer {
        let call = client.request("POST", "/v1/settle").json(&body);
        let answer = client.send(call).await;
        openapi::described("post", "/v1/settle", &answer);
        answer
    }

    /// Settles what must be settled.
    pub async fn settled(&self, reservation: &str, cost: Value) {
        let body = json!({"reservation": reservation, "cost": cost});
        let answer = self.settle_as(&self.service, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// `spent reserved remaining` of the key's budget of that name.
    pub async fn budget(&self, name: &str) -> String {
        let document = "query($id: ID!) { apiKey(by: {id: $id}) { limits { budgets { name spent reserved remaining } } } }";
        let data = self
            .app
            .admin()
            .data(document, json!({"id": self.key}))
            .await;
        let budgets = data["apiKey"]["limits"]["budgets"]
            .as_array()
            .unwrap()
            .clone();
        let budget = budgets.iter().find(|one| one["name"] == name).unwrap();
        let text = |member: &str| budget[member].as_str().unwrap().to_owned();
        format!(
            "{} {} {}",
            text("spent"),
            text("reserved"),
            text("remaining")
        )
    }

    /// Moves the clock.
    pub fn later(&self, seconds: i64) {
        self.app
            .app
            .clock
            .advance(chrono::TimeDelta::seconds(seconds));
    }
}
