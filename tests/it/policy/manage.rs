//! Reading and changing the policy.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{UPDATE, refusal, set, team};
use crate::support::{Setup, TestApp};

#[tokio::test]
async fn it_is_declarative_and_in_the_trail() {
    let app = TestApp::new().await;
    let team = team(&app, "everyone", json!([])).await;
    let mut told = Vec::new();
    for input in [
        json!({"userDefaults": {"role": "VIEWER", "memberships": [{"team": team}]},
            "apiKeys": {"personalKeyMakers": ["MEMBER", "AUDITOR", "MEMBER"], "teamKeyMakers": [], "requiredFields": ["EXPIRES_AT", "DESCRIPTION"],
                "maxLifetimeSeconds": 86_400, "maxPerUser": 3}}),
        json!({"apiKeys": {"maxPerUser": 3}}),
        json!({"apiKeys": {"personalKeyMakers": null, "maxLifetimeSeconds": null}, "userDefaults": {"role": null}}),
        json!({"userDefaults": null}),
        json!({"apiKeys": null}),
        json!({}),
    ] {
        told.push(set(&app, input).await);
    }
    insta::assert_json_snapshot!("declarative", told);
    let trail =
        "{ auditEvents(filter: {action: \"policy.update\"}) { nodes { target before after } } }";
    let trail = app.admin().data(trail, json!({})).await;
    let mut events = trail["auditEvents"]["nodes"].clone();
    for event in events.as_array_mut().unwrap() {
        for side in ["before", "after"] {
            let teams = event[side].pointer_mut("/userDefaults/memberships");
            for each in teams.and_then(Value::as_array_mut).into_iter().flatten() {
                assert_eq!(each["team"], team);
                each["team"] = json!("[team]");
            }
        }
    }
    insta::assert_json_snapshot!("trail", events);
}

#[tokio::test]
async fn administrators_alone_set_it_and_everybody_knows_the_rules_for_keys() {
    let app = TestApp::new().await;
    set(
        &app,
        json!({"apiKeys": {"maxPerUser": 5, "requiredFields": ["DESCRIPTION"]}}),
    )
    .await;
    let asked = "{ serverInfo { apiKeyPolicy { rules { requiredFields maxPerUser } } } }";
    let info = app.anonymous().data(asked, json!({})).await;
    assert_eq!(
        info["serverInfo"]["apiKeyPolicy"]["rules"],
        json!({"requiredFields": ["DESCRIPTION"], "maxPerUser": 5})
    );
    let (_, member) = app.user("ada", InstanceRole::Member).await;
    let (manager, as_manager) = app.user("manager", InstanceRole::Member).await;
    let manager = manager.typed_id().to_string();
    crate::users::world::grant(&app, &manager, "/", &["MANAGE"]).await;
    let (_, auditor) = app.user("auditor", InstanceRole::Auditor).await;
    let admin = app.admin();
    let mut told = Vec::new();
    for client in [&app.anonymous(), &member, &as_manager, &auditor] {
        told.push(refusal(client, UPDATE, json!({"apiKeys": null})).await);
    }
    let unknown = "team_01h455vb4pex5vsknk084sn02q";
    let here = team(&app, "here", json!([])).await;
    for input in [
        json!({"userDefaults": {"role": "ADMIN"}}),
        json!({"userDefaults": {"memberships": [{"team": here}, {"team": unknown}]}}),
        json!({"userDefaults": {"memberships": [{"team": unknown}, {"team": unknown}]}}),
        json!({"userDefaults": {"memberships": [{"team": manager}]}}),
        json!({"apiKeys": {"maxLifetimeSeconds": 0}}),
        json!({"apiKeys": {"maxPerUser": -1}}),
        json!({"apiKeys": {"maxPerUser": 1_000_001}}),
    ] {
        let told_one = refusal(&admin, UPDATE, input).await;
        told.push(
            told_one
                .replace(&here, "[here]")
                .replace(&manager, "[user]"),
        );
    }
    insta::assert_snapshot!("refused", told.join("\n"));
    let read = "{ policy { apiKeys { maxPerUser } } }";
    for client in [&admin, &auditor, &as_manager] {
        let found = client.data(read, json!({})).await;
        assert_eq!(found["policy"]["apiKeys"]["maxPerUser"], 5);
    }
    let answer = member.gql(read, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn it_is_the_configurations_until_somebody_changes_it() {
    let mut first = keystead::policy::model::Policy {
        user_role: InstanceRole::Viewer,
        ..Default::default()
    };
    first.keys.max_per_user = Some(7);
    first.keys.max_lifetime = Some(chrono::TimeDelta::days(1));
    let policy = keystead::ctx::Policy {
        password_cost: 4,
        first,
        ..Default::default()
    };
    let app = TestApp::with(Setup {
        policy,
        ..Setup::default()
    })
    .await;
    let read = "{ policy { userDefaults { role } apiKeys { maxLifetimeSeconds maxPerUser } } }";
    let shown = async || app.admin().data(read, json!({})).await["policy"].take();
    let expected = |role: &str, life: Value, most: i64| json!({"userDefaults": {"role": role}, "apiKeys": {"maxLifetimeSeconds": life, "maxPerUser": most}});
    assert_eq!(shown().await, expected("VIEWER", json!(86_400), 7));
    // What is not named is kept, and from now on the configuration's first values are read no more.
    set(&app, json!({"apiKeys": {"maxLifetimeSeconds": null}})).await;
    assert_eq!(shown().await, expected("VIEWER", Value::Null, 7));
    let plain = app.replica(1, None).await;
    let found = plain.admin().data(read, json!({})).await;
    assert_eq!(found["policy"], expected("VIEWER", Value::Null, 7));
}

#[tokio::test]
async fn every_server_knows_it_when_it_is_set() {
    let app = TestApp::new().await;
    let (_, member) = app.user("ada", InstanceRole::Member).await;
    let origin = app.replica(1, None).await;
    let other = app.replica(2, None).await;
    let member = other.with_key(member.key().unwrap());
    let wish = json!({"input": {}});
    member.data(super::GENERATE, wish.clone()).await;
    // It is remembered: begin, key, audit, commit.
    let before = other.app.db.statements();
    member.data(super::GENERATE, wish.clone()).await;
    assert_eq!(other.app.db.statements() - before, 4);
    set(&origin, json!({"apiKeys": {"personalKeyMakers": []}})).await;
    let told = refusal(&member, super::GENERATE, json!({})).await;
    assert!(told.starts_with("FORBIDDEN"), "{told}");
    set(&origin, json!({"apiKeys": null})).await;
    member.data(super::GENERATE, wish).await;
}
