//! The app under test, and its clients.

use std::sync::Arc;

use axum::Router;
use chrono::{DateTime, TimeZone, Utc};
use keystead::api_keys::model::{ApiKey, KeyPermission, NewApiKey};
use keystead::app::App;
use keystead::ctx::{Actor, Clock, Ctx, Policy, Random, RequestInfo};
use keystead::db::{Endpoint, PoolSettings};
use keystead::graphql::settings::Settings as ApiSettings;
use keystead::http::Settings as HttpSettings;
use keystead::mail::model::Settings as MailSettings;
use keystead::permissions::model::InstanceRole;
use keystead::replicas::ReplicaSettings;
use keystead::secrets::Sealer;
use keystead::users::model::{NewUser, User};
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::cluster;

/// An app over a database of its own. Its clock stands at 2030-01-01T12:00:00Z until it is moved.
#[derive(Clone)]
pub struct TestApp {
    pub app: App,
    router: Router,
    /// The first administrator's key.
    pub admin_key: Arc<str>,
    leased: Option<Arc<Leased>>,
}

/// Holds a lease until it is dropped.
struct Leased(tokio::task::JoinHandle<()>);

impl Drop for Leased {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What an app under test is made of, where it is not the usual.
pub struct Setup {
    /// Its database; `None`: one of its own.
    pub endpoint: Option<Endpoint>,
    pub pool: PoolSettings,
    pub policy: Policy,
    pub api: ApiSettings,
    pub http: HttpSettings,
    /// Whether it holds a lease, and so answers about keys from memory. Without one every count of statements is the same whenever it is
    /// taken.
    pub lease: Option<ReplicaSettings>,
    /// How mails are sent, by whoever calls `deliver_due`.
    pub mail: MailSettings,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            endpoint: None,
            pool: PoolSettings::default(),
            // Passwords that hash quickly, and all there is switched on.
            policy: Policy {
                password_cost: 4,
                // With a name: browsers make passkeys for no address.
                public_url: "http://localhost:4000".into(),
                magic_links: keystead::magic_links::model::Settings {
                    enabled: true,
                    ..Default::default()
                },
                ..Policy::default()
            },
            api: ApiSettings::default(),
            http: HttpSettings::default(),
            lease: None,
            mail: MailSettings::default(),
        }
    }
}

impl TestApp {
    pub async fn new() -> TestApp {
        TestApp::with(Setup::default()).await
    }

    /// An app with those settings.
    pub async fn with_settings(api: ApiSettings, http: HttpSettings) -> TestApp {
        TestApp::with(Setup {
            api,
            http,
            ..Setup::default()
        })
        .await
    }

    pub async fn with(setup: Setup) -> TestApp {
        let endpoint = match &setup.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => Endpoint::parse(&cluster::database().await).unwrap(),
        };
        let app = app(endpoint, 1, &setup).await;
        let ctx = app.ctx(Actor::Keystead, RequestInfo::default());
        let admin = keystead::users::ops::first_admin(&ctx, "admin")
            .await
            .unwrap()
            .unwrap();
        let admin_key = key(&ctx, &admin, "first").await;
        let made = TestApp {
            router: keystead::http::router(app.clone(), setup.http),
            app,
            admin_key: admin_key.into(),
            leased: None,
        };
        match setup.lease {
            Some(_) => made.leased().await,
            None => made,
        }
    }

    /// Another server on the same database, which holds a lease. `number` tells it from others; its clock stands where this one began.
    pub async fn replica(&self, number: u64, endpoint: Option<Endpoint>) -> TestApp {
        let setup = Setup::default();
        let endpoint = endpoint.unwrap_or_else(|| self.app.db.endpoint().clone());
        let app = app(endpoint, 100 + number, &setup).await;
        let made = TestApp {
            router: keystead::http::router(app.clone(), setup.http),
            app,
            admin_key: self.admin_key.clone(),
            leased: None,
        };
        made.leased().await
    }

    /// The same app, holding a lease.
    async fn leased(mut self) -> TestApp {
        self.leased = Some(Arc::new(Leased(tokio::spawn(
            self.app.clone().keep_lease(),
        ))));
        while !self.app.db.replicas().holds_lease() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        self
    }

    /// Another server beside this one, on the same database; its random numbers begin at that seed.
    pub async fn beside(&self, seed: u64) -> App {
        self.beside_with(seed, &Setup::default()).await
    }

    /// The same with those settings.
    pub async fn beside_with(&self, seed: u64, setup: &Setup) -> App {
        app(self.app.db.endpoint().clone(), seed, setup).await
    }

    /// A usual app over a copy of this one's database. This one is not to be used any more.
    pub async fn copy(&self) -> TestApp {
        let url = cluster::copy(self.app.db.endpoint()).await;
        let setup = Setup::default();
        // Other random numbers than those that are used up.
        let endpoint = Endpoint::parse(&url).unwrap();
        let app = app(endpoint, 2, &setup).await;
        TestApp {
            router: keystead::http::router(app.clone(), setup.http),
            app,
            admin_key: self.admin_key.clone(),
            leased: None,
        }
    }

    /// Keystead itself as the actor.
    pub fn ctx(&self) -> Ctx {
        self.app.ctx(Actor::Keystead, RequestInfo::default())
    }

    /// A client without credentials.
    pub fn anonymous(&self) -> Client {
        Client {
            app: self.clone(),
            key: None,
        }
    }

    /// The first administrator.
    pub fn admin(&self) -> Client {
        self.with_key(&self.admin_key)
    }

    /// A client with that key.
    pub fn with_key(&self, key: &str) -> Client {
        Client {
            app: self.clone(),
            key: Some(key.into()),
        }
    }

    /// A new user with that name and role, and a client with an unrestricted key of its.
    pub async fn user(&self, username: &str, role: InstanceRole) -> (User, Client) {
        let (user, key) = self.user_with_key(username, role).await;
        let client = self.with_key(&key);
        (user, client)
    }

    /// A new user with that name and role, and an unrestricted key of its.
    pub async fn user_with_key(&self, username: &str, role: InstanceRole) -> (User, String) {
        let ctx = self.ctx();
        let new = NewUser {
            email: Some(format!("{username}@example.com")),
            role: Some(role),
            memberships: Some(Vec::new()),
            ..NewUser::named(username.into())
        };
        let user = keystead::users::ops::create(&ctx, new).await.unwrap();
        let key = key(&ctx, &user, "first").await;
        (user, key)
    }

    /// A new restricted key of that user with these permissions, each a path and a role, and a client with it.
    pub async fn restricted(&self, owner: &User, permissions: &[(&str, &str)]) -> (ApiKey, Client) {
        let permission = |(path, role): &(&str, &str)| KeyPermission {
            path: (*path).into(),
            role: (*role).into(),
            propagate: true,
            expires_at: None,
        };
        let new = NewApiKey {
            owner: Some(owner.id),
            permissions: Some(permissions.iter().map(permission).collect()),
            ..NewApiKey::default()
        };
        self.generate(new).await
    }

    /// A new key, and a client with it.
    pub async fn generate(&self, new: NewApiKey) -> (ApiKey, Client) {
        let (key, secret) = keystead::api_keys::ops::generate(&self.ctx(), new)
            .await
            .unwrap();
        (key, self.with_key(secret.expose()))
    }
}

async fn app(endpoint: Endpoint, seed: u64, setup: &Setup) -> App {
    let start: DateTime<Utc> = Utc.with_ymd_and_hms(2030, 1, 1, 12, 0, 0).unwrap();
    App::builder(endpoint)
        .clock(Clock::manual(start))
        .random(Random::seeded(seed))
        .pool(setup.pool.clone())
        .policy(setup.policy.clone())
        .api(setup.api.clone())
        .replicas(setup.lease.clone().unwrap_or_default())
        .mail(setup.mail.clone())
        .sealer(Sealer::with_key(
            "the key of every app under test, as long as one must be",
        ))
        .build()
        .await
        .unwrap()
}

/// An unrestricted key of that user.
async fn key(ctx: &Ctx, owner: &User, name: &str) -> String {
    let new = NewApiKey {
        owner: Some(owner.id),
        name: Some(name.into()),
        ..NewApiKey::default()
    };
    let (_, secret) = keystead::api_keys::ops::generate(ctx, new).await.unwrap();
    secret.expose().to_owned()
}

/// Somebody who calls.
#[derive(Clone)]
pub struct Client {
    app: TestApp,
    key: Option<Arc<str>>,
}

impl Client {
    /// Sends a document with variables and returns the answer, without what it cost.
    pub async fn gql(&self, document: &str, variables: Value) -> Value {
        let body = json!({"query": document, "variables": variables});
        let mut answer = self.post(&body).await.json();
        if let Some(extensions) = answer["extensions"].as_object_mut() {
            extensions.remove("cost");
            if extensions.is_empty() {
                answer.as_object_mut().unwrap().remove("extensions");
            }
        }
        answer
    }

    /// Sends a GraphQL request, or a batch of them, as it is.
    pub async fn post(&self, body: &Value) -> Answer {
        self.send(self.request("POST", "/graphql").json(body)).await
    }

    /// The key it calls with.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Begins a request with this client's credential.
    pub fn request(&self, method: &str, path: &str) -> Call {
        let call = Call::new(method, path).header("x-request-id", "test-request");
        match &self.key {
            Some(key) => call.header("authorization", &format!("Bearer {key}")),
            None => call,
        }
    }

    /// Sends any request through the router.
    pub async fn send(&self, call: Call) -> Answer {
        Answer::read(self.app.router.clone(), call).await
    }

    /// Sends a document that must succeed and returns its data.
    pub async fn data(&self, document: &str, variables: Value) -> Value {
        let mut answer = self.gql(document, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }

    /// Sends a document that must fail and returns (code, field, message) of its first error.
    pub async fn error(&self, document: &str, variables: Value) -> (String, String, String) {
        let answer = self.gql(document, variables).await;
        let error = &answer["errors"][0];
        assert!(error.is_object(), "{answer:#}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&error["extensions"]["code"]),
            text(&error["extensions"]["field"]),
            text(&error["message"]),
        )
    }
}

/// A refusal on a line: code, field and message.
pub fn told(answer: &Value) -> String {
    let error = &answer["errors"][0];
    assert!(error["message"].is_string(), "{answer}");
    let code = error["extensions"]["code"].as_str().unwrap();
    let field = error["extensions"]["field"].as_str().unwrap_or("-");
    format!("{code} {field}: {}", error["message"].as_str().unwrap())
}
