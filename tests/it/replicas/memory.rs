//! What one server remembers of keys: it costs nothing to ask again, and whatever changes is seen at once.

use std::time::Duration;

use keystead::permissions::model::InstanceRole;
use keystead::replicas::ReplicaSettings;
use serde_json::json;

use super::{leased, until};
use crate::support::{Client, Proxy, Setup, TestApp};

const WHO: &str = "{ viewer { user { username } } }";

/// Statements of the pool that one request sends. The watch over others' leases sends one every two seconds: of three counts, the
/// least.
async fn cost(app: &TestApp, client: &Client, document: &str) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..3 {
        let before = app.app.db.statements();
        client.data(document, json!({})).await;
        least = least.min(app.app.db.statements() - before);
    }
    least
}

#[tokio::test]
async fn a_key_that_is_known_costs_no_statement() {
    let app = leased().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let ask = "{ __typename }";
    ada.data(ask, json!({})).await;
    assert_eq!(cost(&app, &ada, ask).await, 0);
    let usage = app.app.authenticator.memory();
    assert_eq!((usage.keys, usage.hits, usage.misses), (1, 3, 1));
    assert!((1_000..10_000).contains(&usage.bytes), "{usage:?}");
}

#[tokio::test]
async fn a_change_is_seen_at_once_and_only_where_it_matters() {
    let app = leased().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let (_, as_bob) = app.user("bob", InstanceRole::Member).await;
    for client in [&as_ada, &as_bob] {
        client.data(WHO, json!({})).await;
    }
    let disable =
        "mutation($id: ID!) { updateUser(input: {id: $id, enabled: false}) { user { id } } }";
    app.admin()
        .data(disable, json!({"id": ada.typed_id().to_string()}))
        .await;
    let (code, _, message) = as_ada.error(WHO, json!({})).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("UNAUTHENTICATED", "The owner of this API key is disabled.")
    );
    assert_eq!(cost(&app, &as_bob, "{ __typename }").await, 0);
}

#[tokio::test]
async fn time_passes_for_what_is_remembered() {
    let app = leased().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let soon = app.app.clock.now() + chrono::TimeDelta::seconds(60);
    let (_, client) = app
        .generate(keystead::api_keys::model::NewApiKey {
            owner: Some(ada.id),
            expires_at: Some(soon),
            ..Default::default()
        })
        .await;
    client.data(WHO, json!({})).await;
    app.app.clock.advance(chrono::TimeDelta::seconds(60));
    let (code, _, message) = client.error(WHO, json!({})).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("UNAUTHENTICATED", "This API key has expired.")
    );
}

#[tokio::test]
async fn a_secret_of_nobody_is_asked_for_once_and_a_new_key_works_at_once() {
    let app = leased().await;
    let unknown = keystead::secrets::Secret::generate_api_key(&keystead::ctx::Random::seeded(99));
    let nobody = app.with_key(unknown.expose());
    let before = app.app.db.statements();
    for _ in 0..10 {
        let (code, _, _) = nobody.error(WHO, json!({})).await;
        assert_eq!(code, "UNAUTHENTICATED");
    }
    assert!(app.app.db.statements() - before <= 3);
    assert_eq!(app.app.authenticator.memory().refusals, 9);
    let other = app.replica(1, None).await;
    for maker in [&app, &other] {
        let make = "mutation { generateApiKey(input: {}) { secret apiKey { id } } }";
        let made = maker.admin().data(make, json!({})).await;
        let id = json!({"id": made["generateApiKey"]["apiKey"]["id"]});
        let secret = made["generateApiKey"]["secret"]
            .as_str()
            .unwrap()
            .to_owned();
        app.with_key(&secret).data(WHO, json!({})).await;
        let rotate = "mutation($id: ID!) { rotateApiKey(input: {id: $id}) { secret } }";
        let made = maker.admin().data(rotate, id).await;
        let new = made["rotateApiKey"]["secret"].as_str().unwrap();
        app.with_key(new).data(WHO, json!({})).await;
        let (code, _, _) = app.with_key(&secret).error(WHO, json!({})).await;
        assert_eq!(code, "UNAUTHENTICATED");
    }
}

/// An app with a lease, which reaches its database through the proxy.
async fn leased_behind(proxy: &Proxy) -> TestApp {
    TestApp::with(Setup {
        endpoint: Some(proxy.endpoint.clone()),
        lease: Some(ReplicaSettings::default()),
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn without_its_connection_a_server_forgets_and_then_recovers() {
    let proxy = Proxy::new().await;
    let app = leased_behind(&proxy).await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    ada.data(WHO, json!({})).await;
    ada.data(WHO, json!({})).await;
    assert_eq!(app.app.authenticator.memory().hits, 1);
    proxy.cut();
    until(
        || !app.app.db.replicas().holds_lease(),
        Duration::from_secs(1),
    )
    .await;
    let (code, _, _) = ada.error(WHO, json!({})).await;
    assert_eq!(code, "SERVICE_UNAVAILABLE");
    proxy.mend();
    until(
        || app.app.db.replicas().holds_lease(),
        Duration::from_secs(8),
    )
    .await;
    ada.data(WHO, json!({})).await;
    assert_eq!(
        app.app.authenticator.memory().hits,
        1,
        "what was read under another lease was used"
    );
    ada.data(WHO, json!({})).await;
    assert_eq!(app.app.authenticator.memory().hits, 2);
}

/// A connection that stands and carries nothing is as good as none.
#[tokio::test]
async fn with_a_frozen_connection_the_lease_runs_out() {
    let proxy = Proxy::new().await;
    let app = leased_behind(&proxy).await;
    proxy.freeze();
    tokio::time::sleep(Duration::from_millis(2_000)).await;
    assert!(!app.app.db.replicas().holds_lease());
    proxy.mend();
    until(
        || app.app.db.replicas().holds_lease(),
        Duration::from_secs(8),
    )
    .await;
}
