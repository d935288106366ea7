//! Signing on with a key.

use chrono::TimeDelta;
use keystead::api_keys::model::NewApiKey;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::team;
use crate::support::{Client, TestApp};

const ASK: &str = "{ apiKeys { totalCount } }";

/// What the answer to a request says: `ok`, or the refusal's message.
async fn from(client: &Client, ip: &str) -> String {
    let call = client
        .request("POST", "/graphql")
        .json(&json!({"query": ASK}))
        .from(ip);
    let answer = client.send(call).await;
    if answer.status == 200 {
        return "ok".into();
    }
    assert_eq!(answer.status, 401);
    assert!(!answer.header("www-authenticate").is_empty());
    let body = answer.json();
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    body["errors"][0]["message"].as_str().unwrap().to_owned()
}

async fn here(client: &Client) -> String {
    from(client, "192.0.2.1").await
}

#[tokio::test]
async fn a_key_works_as_bearer_and_as_the_password_of_basic() {
    use base64::Engine;
    let app = TestApp::new().await;
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    assert_eq!(here(&ada).await, "ok");
    let (_, secret) = keystead::api_keys::ops::generate(
        &app.ctx(),
        NewApiKey {
            owner: Some(user.id),
            ..NewApiKey::default()
        },
    )
    .await
    .unwrap();
    for name in ["ada", "", "whoever", "with:colon"] {
        let text = format!("{name}:{}", secret.expose());
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let anonymous = app.anonymous();
        let call = anonymous
            .request("POST", "/graphql")
            .header("authorization", &format!("Basic {encoded}"))
            .json(&json!({"query": ASK}));
        let status = anonymous.send(call).await.status;
        // The name ends at the first colon (RFC 7617): with another one the key is not the password.
        assert_eq!(
            status,
            if name == "with:colon" { 401 } else { 200 },
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_key_as_the_user_name_of_basic_is_told_where_it_belongs() {
    use base64::Engine;
    let app = TestApp::new().await;
    for password in ["", "x-oauth-basic"] {
        let text = format!("{}:{password}", app.admin_key);
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let anonymous = app.anonymous();
        for path in ["/graphql", "/v1/authorize"] {
            let call = anonymous
                .request("POST", path)
                .header("authorization", &format!("Basic {encoded}"))
                .json(&json!({"query": ASK}));
            let answer = anonymous.send(call).await;
            assert_eq!(answer.status, 401);
            assert_eq!(
                answer.json()["errors"][0]["message"],
                "The API key stands where the user name belongs. Send it as the password, as `curl -u :ks_…` does."
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_a_malformed_one_costs_no_statement() {
    let app = TestApp::new().await;
    let unknown = keystead::secrets::Secret::generate_api_key(&keystead::ctx::Random::seeded(99));
    let said = here(&app.with_key(unknown.expose())).await;
    assert_eq!(
        said,
        "There is no such API key. It may have been deleted or rotated."
    );
    let mut wrong = unknown.expose().to_owned();
    let last = if wrong.ends_with('A') { "B" } else { "A" };
    wrong.replace_range(39.., last);
    for malformed in [wrong.as_str(), "ks_", "x", "ks_short"] {
        let before = app.app.db.statements();
        let said = here(&app.with_key(malformed)).await;
        assert!(
            said.starts_with("The credential is not an API key"),
            "{said}"
        );
        assert_eq!(app.app.db.statements(), before);
    }
}

#[tokio::test]
async fn an_expired_key_does_not_work() {
    let app = TestApp::new().await;
    let (user, _) = app.user("ada", InstanceRole::Member).await;
    let (_, client) = app
        .generate(NewApiKey {
            owner: Some(user.id),
            expires_at: Some(app.ctx().now() + TimeDelta::hours(1)),
            ..NewApiKey::default()
        })
        .await;
    assert_eq!(here(&client).await, "ok");
    app.app
        .clock
        .advance(TimeDelta::hours(1) - TimeDelta::microseconds(1));
    assert_eq!(here(&client).await, "ok");
    app.app.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(here(&client).await, "This API key has expired.");
}

#[tokio::test]
async fn switches_of_key_owner_and_team_stop_it() {
    let app = TestApp::new().await;
    let (user, _) = app.user("ada", InstanceRole::Member).await;
    let team_id = team(&app, "ml", &[(&user, "ADMIN")]).await;
    let team = keystead::db::ids::Id::parse("id", &team_id).unwrap().uuid;
    let (key, client) = app
        .generate(NewApiKey {
            owner: Some(user.id),
            team: Some(team),
            ..NewApiKey::default()
        })
        .await;
    assert_eq!(here(&client).await, "ok");
    let change = async |document: &str, id: &str, enabled: bool| {
        let input = json!({"input": {"id": id, "enabled": enabled}});
        app.admin().data(document, input).await;
    };
    const KEY: &str =
        "mutation($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { apiKey { id } } }";
    const USER: &str =
        "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }";
    const TEAM: &str =
        "mutation($input: UpdateTeamInput!) { updateTeam(input: $input) { team { id } } }";
    let key_id = key.typed_id().to_string();
    change(KEY, &key_id, false).await;
    assert_eq!(here(&client).await, "This API key is disabled.");
    change(KEY, &key_id, true).await;
    assert_eq!(here(&client).await, "ok");

    change(TEAM, &team_id, false).await;
    assert_eq!(here(&client).await, "The team of this API key is disabled.");
    change(TEAM, &team_id, true).await;
    assert_eq!(here(&client).await, "ok");

    let user_id = user.typed_id().to_string();
    app.admin()
        .data(
            USER,
            json!({"input": {"id": user_id, "expiresAt": "2030-01-02T00:00:00Z", "allowTeamsWithoutAdmin": true}}),
        )
        .await;
    assert_eq!(here(&client).await, "ok");
    app.app.clock.advance(TimeDelta::days(1));
    assert_eq!(
        here(&client).await,
        "The owner of this API key has expired."
    );
    app.admin()
        .data(
            USER,
            json!({"input": {"id": user_id, "expiresAt": null, "enabled": false, "allowTeamsWithoutAdmin": true}}),
        )
        .await;
    assert_eq!(
        here(&client).await,
        "The owner of this API key is disabled."
    );
}

#[tokio::test]
async fn a_key_works_only_from_its_addresses() {
    let app = TestApp::new().await;
    let (user, _) = app.user("ada", InstanceRole::Member).await;
    let (_, client) = app
        .generate(NewApiKey {
            owner: Some(user.id),
            allowed_cidrs: vec![
                "192.0.2.0/24".parse().unwrap(),
                "2001:db8::/32".parse().unwrap(),
            ],
            ..NewApiKey::default()
        })
        .await;
    for ip in [
        "192.0.2.0",
        "192.0.2.255",
        "2001:db8::1",
        "::ffff:192.0.2.7",
    ] {
        assert_eq!(from(&client, ip).await, "ok", "{ip}");
    }
    for ip in [
        "192.0.3.0",
        "2001:db9::1",
        "::ffff:198.51.100.1",
        "::1",
        "127.0.0.1",
    ] {
        let said = from(&client, ip).await;
        assert_eq!(
            said, "This API key may not be used from this address.",
            "{ip}"
        );
    }
}

#[tokio::test]
async fn a_range_given_in_ipv4_mapped_form_means_the_ipv4_range() {
    let app = TestApp::new().await;
    let (user, _) = app.user("ada", InstanceRole::Member).await;
    let (key, client) = app
        .generate(NewApiKey {
            owner: Some(user.id),
            allowed_cidrs: vec!["::ffff:192.0.2.0/120".parse().unwrap()],
            ..NewApiKey::default()
        })
        .await;
    assert_eq!(key.allowed_cidrs, ["192.0.2.0/24"]);
    assert_eq!(from(&client, "192.0.2.9").await, "ok");
    assert_eq!(from(&client, "::ffff:192.0.2.9").await, "ok");
}
