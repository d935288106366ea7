//! Who may verify: nobody without a credential, nobody with a lesser role; how often; and what happens when the database is gone.

use std::time::Duration;

use keystead::db::PoolSettings;
use keystead::graphql::settings::Settings as ApiSettings;
use keystead::http::Settings;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{ask, service};
use crate::support::{Proxy, Setup, TestApp};

#[tokio::test]
async fn who_asks_needs_the_privilege_at_the_root() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let (ada, member) = app.user("ada", InstanceRole::Member).await;
    let (_, auditor) = app.user("olga", InstanceRole::Auditor).await;
    // Held at another path it says nothing.
    crate::api_keys::grant(&app, &ada, "/users", "VERIFIER").await;
    let body = json!({"key": *app.admin_key});
    let mut answers = Vec::new();
    for (who, client) in [
        ("nobody", app.anonymous()),
        ("a wrong key", app.with_key("ks_wrong")),
        ("a member", member),
        ("an auditor", auditor),
        ("a service", service),
        ("an administrator", app.admin()),
    ] {
        let answer = ask(&client, &body).await;
        let mut said = answer.json();
        if answer.status == 200 {
            said = said["code"].take();
        }
        answers.push(json!([who, answer.status, said]));
    }
    insta::assert_json_snapshot!(answers);
}

#[tokio::test]
async fn refused_askers_count_against_their_address_and_checks_against_the_service() {
    let api = ApiSettings {
        requests_per_address: 3,
        requests_per_actor: 5,
        ..ApiSettings::default()
    };
    let http = Settings {
        checks_per_actor: 10,
        ..Settings::default()
    };
    let app = TestApp::with_settings(api, http).await;
    // The administrator asks: whoever makes a service has used up its operations.
    let body = json!({"key": *app.admin_key});
    for status in [401, 401, 401, 429] {
        assert_eq!(ask(&app.anonymous(), &body).await.status, status);
    }
    // Operations of GraphQL are not counted here, checks are.
    for _ in 0..6 {
        assert_eq!(ask(&app.admin(), &body).await.status, 200);
    }
    let five = json!({"key": *app.admin_key, "checks": [{}, {}, {}, {}, {}]});
    let refused = ask(&app.admin(), &five).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "RATE_LIMITED")
    );
    assert_eq!(ask(&app.admin(), &body).await.status, 200);
}

#[tokio::test]
async fn a_database_that_is_gone_is_503_with_retry_after() {
    let proxy = Proxy::new().await;
    let app = TestApp::with(Setup {
        endpoint: Some(proxy.endpoint.clone()),
        pool: PoolSettings {
            wait: Duration::from_millis(300),
            ..PoolSettings::default()
        },
        api: ApiSettings {
            deadline: Duration::from_millis(500),
            ..ApiSettings::default()
        },
        ..Setup::default()
    })
    .await;
    let client = app.admin();
    let body = json!({"key": *app.admin_key});
    assert_eq!(ask(&client, &body).await.status, 200);
    for breaking in [Proxy::cut, Proxy::freeze] {
        breaking(&proxy);
        let answer = ask(&client, &body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "SERVICE_UNAVAILABLE")
        );
        let call = client.request("GET", "/v1/authorize");
        let answer = client.send(call).await;
        super::openapi::described("get", "/v1/authorize", &answer);
        assert_eq!(answer.status, 503, "{}", answer.text());
        proxy.mend();
        let mut tries = 0;
        while ask(&client, &body).await.status != 200 {
            tries += 1;
            assert!(tries < 200, "it does not recover");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
