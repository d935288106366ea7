//! `/v1/verify`, `checkPermission`, `apiKey(by: {secret})` and signing on give the same answers, of every key of a world with all kinds
//! of switches, ends and rights.

use chrono::TimeDelta;
use keystead::api_keys::model::{ApiKey, ApiKeyChanges, NewApiKey};
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{service, verdict};
use crate::api_keys::{grant, team};
use crate::support::TestApp;

/// Keys with their secrets, each of its own kind.
async fn keys(app: &TestApp) -> Vec<(ApiKey, String)> {
    let (ada, _) = app.user_with_key("ada", InstanceRole::Member).await;
    let (boss, _) = app.user_with_key("boss", InstanceRole::Admin).await;
    let (gone, _) = app.user_with_key("gone", InstanceRole::Member).await;
    grant(app, &ada, "/models", "USE").await;
    grant(app, &ada, "/models/secret", "NO_ACCESS").await;
    grant(app, &gone, "/models", "USE").await;
    let mut teams = Vec::new();
    for slug in ["on", "off"] {
        let id = team(app, slug, &[(&ada, "MEMBER"), (&boss, "ADMIN")]).await;
        teams.push(keystead::db::ids::Id::parse("id", &id).unwrap());
    }
    let soon = app.ctx().now() + TimeDelta::minutes(1);
    let mut made = Vec::new();
    for owner in [&ada, &boss, &gone] {
        for (restricted, expires_at, team) in [
            (false, None, None),
            (true, None, None),
            (false, Some(soon), None),
            (false, None, Some(teams[0].uuid)),
            (true, None, Some(teams[1].uuid)),
        ] {
            if team.is_some() && owner.id == gone.id {
                continue;
            }
            let permission = keystead::api_keys::model::KeyPermission {
                path: "/models/a".into(),
                role: "USE".into(),
                propagate: true,
                expires_at: None,
            };
            let new = NewApiKey {
                owner: Some(owner.id),
                permissions: restricted.then(|| vec![permission]),
                expires_at,
                team,
                ..NewApiKey::default()
            };
            let (key, client) = app.generate(new).await;
            made.push((key, client.key().unwrap().to_owned()));
        }
    }
    let off = ApiKeyChanges {
        enabled: Some(false),
        ..ApiKeyChanges::default()
    };
    keystead::api_keys::ops::update(&app.ctx(), made[0].0.id, off)
        .await
        .unwrap();
    app.admin()
        .data(
            "mutation($team: ID!, $user: ID!) { updateTeam(input: {id: $team, enabled: false}) { __typename }
                updateUser(input: {id: $user, enabled: false}) { __typename } }",
            json!({"team": teams[1].to_string(), "user": gone.typed_id().to_string()}),
        )
        .await;
    made
}

#[tokio::test]
async fn all_ways_to_ask_agree() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let keys = keys(&app).await;
    app.app.clock.advance(TimeDelta::minutes(1));
    let (mut allowed, mut refused) = (0, 0);
    for (key, secret) in &keys {
        let id = key.typed_id().to_string();
        let found = app
            .admin()
            .data(
                "query($secret: String!) { apiKey(by: {secret: $secret}) { id } }",
                json!({"secret": secret}),
            )
            .await;
        assert_eq!(found["apiKey"]["id"], id);
        let good = verdict(&service, &json!({"key": secret})).await;
        assert_eq!(good["key"], id);
        // Whoever cannot sign on with it is told the same.
        let viewer = app
            .with_key(secret)
            .gql("{ viewer { user { id } } }", json!({}))
            .await;
        match good["message"].as_str() {
            None => assert!(viewer["errors"].is_null(), "{viewer}"),
            Some(message) => assert_eq!(viewer["errors"][0]["message"], message),
        }
        for (privilege, path) in [
            ("model.use", "/models/a"),
            ("model.use", "/models/b"),
            ("model.use", "/models/secret"),
            ("model.edit", "/models/a"),
            ("user.read", "/"),
        ] {
            let body = json!({"key": secret, "privilege": privilege, "path": path});
            let verified = verdict(&service, &body).await;
            let checked = app
                .admin()
                .data(
                    "query($id: ID!, $privilege: String!, $path: String!) {
                        checkPermission(principal: $id, privilege: $privilege, path: $path) {
                            allowed decidedBy { id path role { name } } } }",
                    json!({"id": id, "privilege": privilege, "path": path}),
                )
                .await;
            let checked = &checked["checkPermission"];
            assert_eq!(
                verified["valid"], checked["allowed"],
                "{verified} {checked}"
            );
            if good["valid"] == true {
                let decided: Vec<_> = verified["decidedBy"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|one| json!({"id": one["id"], "path": one["path"], "role": {"name": one["role"]}}))
                    .collect();
                assert_eq!(json!(decided), checked["decidedBy"]);
                let expected = if checked["allowed"] == true {
                    "VALID"
                } else {
                    "FORBIDDEN"
                };
                assert_eq!(verified["code"], expected);
            } else {
                assert_eq!(verified["code"], good["code"]);
            }
            match checked["allowed"] == true {
                true => allowed += 1,
                false => refused += 1,
            }
        }
    }
    assert!(allowed > 10 && refused > 10, "{allowed} {refused}");
}
