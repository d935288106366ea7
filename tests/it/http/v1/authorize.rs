//! `/v1/authorize` by query: credentials, answers, headers.

use base64::Engine;
use keystead::api_keys::model::NewApiKey;
use keystead::ctx::Random;
use keystead::http::Settings;
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use serde_json::{Value, json};

use super::openapi::described;
use super::redacted;
use crate::api_keys::{grant, team};
use crate::support::{Answer, Call, TestApp};

async fn send(app: &TestApp, call: Call) -> Answer {
    let answer = app
        .anonymous()
        .send(call.header("x-request-id", "test-request"))
        .await;
    described("get", "/v1/authorize", &answer);
    answer
}

/// The whole answer: the status, what it says of the caller, and the refusal.
fn whole(answer: &Answer) -> Value {
    let mut headers = serde_json::Map::new();
    for (name, value) in &answer.headers {
        let name = name.as_str();
        if name.starts_with("x-keystead") || name == "www-authenticate" || name == "retry-after" {
            headers.insert(name.into(), json!(value.to_str().unwrap()));
        }
    }
    let body = match answer.body.is_empty() {
        true => Value::Null,
        false => answer.json(),
    };
    redacted(&json!({"status": answer.status, "headers": headers, "body": body}))
}

fn get(query: &str) -> Call {
    Call::new("GET", &format!("/v1/authorize{query}"))
}

const USE: &str = "?privilege=model.use&path=/models/gpt-4o";

#[tokio::test]
async fn every_answer_with_its_headers() {
    let app = TestApp::new().await;
    let (ada, plain) = app.user_with_key("ada", InstanceRole::Member).await;
    grant(&app, &ada, "/models", "USE").await;
    let id = team(&app, "ml", &[(&ada, "ADMIN")]).await;
    let uuid = keystead::db::ids::Id::parse("id", &id).unwrap().uuid;
    let new = NewApiKey {
        owner: Some(ada.id),
        team: Some(uuid),
        ..NewApiKey::default()
    };
    let (_, of_team) = app.generate(new).await;
    let (_, narrow) = app.restricted(&ada, &[("/models/gpt-4o", "EDIT")]).await;
    let (off, disabled) = app.restricted(&ada, &[]).await;
    let change = keystead::api_keys::model::ApiKeyChanges {
        enabled: Some(false),
        ..Default::default()
    };
    keystead::api_keys::ops::update(&app.ctx(), off.id, change)
        .await
        .unwrap();
    let unknown = Secret::generate_api_key(&Random::seeded(99));
    let bearer = |call: Call, key: &str| call.header("authorization", &format!("Bearer {key}"));
    let mut answers = serde_json::Map::new();
    for (what, call) in [
        ("no credential", get(USE)),
        ("no key", bearer(get(USE), "ks_wrong")),
        ("an unknown key", bearer(get(USE), unknown.expose())),
        ("a disabled key", bearer(get(USE), disabled.key().unwrap())),
        ("only a good key", bearer(get(""), &plain)),
        ("what it may", bearer(get(USE), &plain)),
        ("a team's key", bearer(get(USE), of_team.key().unwrap())),
        (
            "a restricted key, by its own role",
            bearer(get(USE), narrow.key().unwrap()),
        ),
        ("an administrator's", bearer(get(USE), &app.admin_key)),
        (
            "what it may not",
            bearer(get("?privilege=model.edit&path=/models/gpt-4o"), &plain),
        ),
        (
            "half a question",
            bearer(get("?privilege=model.edit"), &plain),
        ),
        (
            "a misspelt question",
            bearer(get("?privelege=model.use&path=/models/gpt-4o"), &plain),
        ),
        (
            "a question twice",
            bearer(get("?privilege=a&path=/&path=/b"), &app.admin_key),
        ),
        (
            "no path",
            bearer(get("?privilege=a&path=/a/../b"), &app.admin_key),
        ),
    ] {
        answers.insert(what.into(), whole(&send(&app, call).await));
    }
    insta::assert_json_snapshot!(answers);
}

#[tokio::test]
async fn a_key_comes_in_one_of_three_ways_and_no_more_than_one() {
    let app = TestApp::new().await;
    let key = app.admin_key.to_string();
    let basic = |text: &str| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        format!("Basic {encoded}")
    };
    let bearer = format!("Bearer {key}");
    let named = basic(&format!("whoever:{key}"));
    for (headers, status) in [
        (vec![("authorization", bearer.as_str())], 200),
        (vec![("authorization", named.as_str())], 200),
        (vec![("x-api-key", key.as_str())], 200),
        (vec![("X-API-Key", key.as_str())], 200),
        (vec![("x-api-key", bearer.as_str())], 401),
        (vec![("authorization", key.as_str())], 401),
        (vec![("authorization", "Digest a")], 401),
        (
            vec![("authorization", "Digest a"), ("x-api-key", key.as_str())],
            401,
        ),
        (
            vec![
                ("authorization", bearer.as_str()),
                ("x-api-key", key.as_str()),
            ],
            401,
        ),
        (
            vec![
                ("authorization", bearer.as_str()),
                ("authorization", bearer.as_str()),
            ],
            401,
        ),
        (
            vec![("x-api-key", key.as_str()), ("x-api-key", key.as_str())],
            401,
        ),
        (vec![("cookie", bearer.as_str())], 401),
        (vec![("x-keystead-user", "user_1")], 401),
    ] {
        let call = headers
            .iter()
            .fold(get(""), |call, (name, value)| call.header(name, value));
        let answer = send(&app, call).await;
        assert_eq!(answer.status, status, "{headers:?}");
        assert_eq!(answer.header("www-authenticate").is_empty(), status == 200);
    }
    // Every method is answered alike; a body is not looked at.
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND",
    ] {
        let call = Call::new(method, "/v1/authorize")
            .header("x-api-key", &key)
            .body("{");
        let status = app.anonymous().send(call).await.status;
        assert_eq!(status, 200, "{method}");
        let call = Call::new(method, "/v1/authorize");
        assert_eq!(app.anonymous().send(call).await.status, 401, "{method}");
    }
}

#[tokio::test]
async fn the_address_is_the_clients_where_the_proxy_is_trusted() {
    let settings = Settings {
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..Settings::default()
    };
    let app = TestApp::with_settings(Default::default(), settings).await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let new = NewApiKey {
        owner: Some(ada.id),
        allowed_cidrs: vec![
            "192.0.2.0/24".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ],
        ..NewApiKey::default()
    };
    let (_, client) = app.generate(new).await;
    for (from, forwarded, status) in [
        ("192.0.2.1", None, 200),
        ("10.0.0.1", Some("192.0.2.1"), 200),
        ("10.0.0.1", Some("2001:db8::1"), 200),
        ("10.0.0.1", Some("198.51.100.1, 192.0.2.1"), 200),
        ("10.0.0.1", Some("192.0.2.1, 198.51.100.1"), 401),
        ("10.0.0.1", None, 401),
        // Nobody believes what this one says of its client.
        ("198.51.100.1", Some("192.0.2.1"), 401),
    ] {
        let mut call = get("")
            .header("x-api-key", client.key().unwrap())
            .from(from);
        if let Some(forwarded) = forwarded {
            call = call.header("x-forwarded-for", forwarded);
        }
        let answer = send(&app, call).await;
        assert_eq!(answer.status, status, "{from} {forwarded:?}");
    }
}
