//! Who may make which key for whom.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{grant, team};
use crate::support::{Client, TestApp};

const GENERATE: &str = "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { apiKey { owner { username } restricted } } }";

async fn refused(client: &Client, input: Value) -> (String, String, String) {
    client.error(GENERATE, json!({"input": input})).await
}

async fn made(client: &Client, input: Value) -> Value {
    client.data(GENERATE, json!({"input": input})).await["generateApiKey"]["apiKey"].take()
}

#[tokio::test]
async fn a_member_makes_keys_for_itself_and_a_viewer_does_not() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let (_, vera) = app.user("vera", InstanceRole::Viewer).await;
    assert_eq!(made(&ada, json!({})).await["owner"]["username"], "ada");
    let (code, _, message) = refused(&vera, json!({})).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    assert!(
        message.contains("apiKey.write at /users/user_"),
        "{message}"
    );
    let (code, _, message) = refused(&app.anonymous(), json!({})).await;
    assert_eq!(code, "UNAUTHENTICATED", "{message}");
}

#[tokio::test]
async fn another_user_that_may_not_be_seen_does_not_exist() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let unseen = refused(&ada, json!({"owner": bob.typed_id().to_string()})).await;
    let unknown = refused(&ada, json!({"owner": "user_01h455vb4pex5vsknk084sn02q"})).await;
    assert_eq!(
        (unseen.0.as_str(), unseen.1.as_str()),
        ("NOT_FOUND", "input.owner")
    );
    assert_eq!(
        (unknown.0.as_str(), unknown.1.as_str()),
        ("NOT_FOUND", "input.owner")
    );
    let admin = refused(
        &app.admin(),
        json!({"owner": "user_01h455vb4pex5vsknk084sn02q"}),
    )
    .await;
    assert_eq!(admin.0, "NOT_FOUND");
    let (_, auditor) = app.user("otto", InstanceRole::Auditor).await;
    let seen = refused(&auditor, json!({"owner": bob.typed_id().to_string()})).await;
    assert_eq!(seen.0, "FORBIDDEN", "{}", seen.2);
}

#[tokio::test]
async fn nobody_makes_a_key_that_may_do_what_they_may_not() {
    let app = TestApp::new().await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let (max, client) = app.user("max", InstanceRole::Member).await;
    let owner = bob.typed_id().to_string();
    grant(&app, &max, "/users", "MANAGE").await;
    grant(&app, &bob, "/models", "USE").await;
    // Unrestricted: it answers as bob, who may use models.
    let (code, _, message) = refused(&client, json!({"owner": owner})).await;
    assert_eq!(code, "FORBIDDEN");
    assert!(message.contains("/models"), "{message}");
    // Restricted to what max holds: fine. To more: not.
    let own = json!([{"path": format!("/users/{owner}"), "role": "READ"}]);
    assert_eq!(
        made(&client, json!({"owner": owner, "permissions": own})).await["restricted"],
        true
    );
    let more = json!([{"path": "/models", "role": "READ"}]);
    let (code, _, message) = refused(&client, json!({"owner": owner, "permissions": more})).await;
    assert_eq!(code, "FORBIDDEN");
    assert!(message.contains("/models"), "{message}");
    // What the owner lacks is no gain.
    let nothing = json!([{"path": "/vms", "role": "ADMIN"}]);
    made(&client, json!({"owner": owner, "permissions": nothing})).await;
    made(&client, json!({"owner": owner, "permissions": []})).await;
}

#[tokio::test]
async fn a_restricted_key_never_makes_an_unrestricted_one_of_its_owner() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (_, everything) = app.restricted(&ada, &[("/", "ADMIN")]).await;
    let (code, _, message) = refused(&everything, json!({})).await;
    assert_eq!(code, "FORBIDDEN");
    assert!(message.contains("restricted key"), "{message}");
    let own = format!("/users/{}", ada.typed_id());
    let (_, narrow) = app.restricted(&ada, &[(&own, "MANAGE")]).await;
    made(
        &narrow,
        json!({"permissions": [{"path": own, "role": "READ"}]}),
    )
    .await;
    grant(&app, &ada, "/models", "USE").await;
    let (_, narrow) = app.restricted(&ada, &[(&own, "MANAGE")]).await;
    let (code, _, message) = refused(
        &narrow,
        json!({"permissions": [{"path": "/models", "role": "READ"}]}),
    )
    .await;
    assert_eq!(code, "FORBIDDEN");
    assert!(message.contains("/models"), "{message}");
    let (_, nothing) = app.restricted(&ada, &[]).await;
    assert_eq!(
        refused(&nothing, json!({"permissions": []})).await.0,
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn a_teams_key_is_for_its_members_and_service_accounts_by_its_admins() {
    let app = TestApp::new().await;
    let (ada, admin) = app.user("ada", InstanceRole::Member).await;
    let (bob, member) = app.user("bob", InstanceRole::Member).await;
    let (_, stranger) = app.user("eve", InstanceRole::Member).await;
    let ml = team(&app, "ml", &[(&ada, "ADMIN"), (&bob, "MEMBER")]).await;

    made(&admin, json!({"team": ml})).await;
    assert_eq!(refused(&member, json!({"team": ml})).await.0, "FORBIDDEN");
    let (code, field, _) = refused(&stranger, json!({"team": ml})).await;
    assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.team"));
    let unknown = refused(
        &app.admin(),
        json!({"team": "team_01h455vb4pex5vsknk084sn02q"}),
    )
    .await;
    assert_eq!(
        (unknown.0.as_str(), unknown.1.as_str()),
        ("NOT_FOUND", "input.team")
    );
    // The team's admin makes a team's key for another member, as long as it holds what the key holds.
    let owner = bob.typed_id().to_string();
    let own = json!([{"path": format!("/teams/{ml}"), "role": "READ"}]);
    made(
        &admin,
        json!({"owner": owner, "team": ml, "permissions": own}),
    )
    .await;
    assert_eq!(
        refused(&admin, json!({"owner": owner})).await.0,
        "FORBIDDEN"
    );
    // The instance's admin is no member.
    let (code, field, message) = refused(&app.admin(), json!({"team": ml})).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("BAD_USER_INPUT", "input.team"),
        "{message}"
    );
    let service = app
        .admin()
        .data(
            "mutation { createUser(input: {username: \"ci\", kind: SERVICE}) { user { id } } }",
            json!({}),
        )
        .await;
    made(
        &app.admin(),
        json!({"owner": service["createUser"]["user"]["id"], "team": ml}),
    )
    .await;
}

#[tokio::test]
async fn two_at_once_on_one_name_make_exactly_one() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let input = json!({"input": {"name": "same"}});
    let answers =
        futures_util::future::join_all((0..6).map(|_| ada.gql(GENERATE, input.clone()))).await;
    let made = answers
        .iter()
        .filter(|answer| answer.get("errors").is_none());
    assert_eq!(made.count(), 1);
    for refused in answers.iter().filter_map(|answer| answer.get("errors")) {
        assert_eq!(
            refused[0]["extensions"]["code"], "ALREADY_EXISTS",
            "{refused}"
        );
        assert_eq!(refused[0]["extensions"]["field"], "input.name");
    }
    // Another owner may have the name, and so may this one in capitals.
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    bob.data(GENERATE, input).await;
    ada.data(GENERATE, json!({"input": {"name": "SAME"}})).await;
}

#[tokio::test]
async fn bad_input_is_refused() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let permission = |path: &str, role: &str| json!([{"path": path, "role": role}]);
    let many: Vec<Value> = (0..101)
        .map(|n| json!({"path": format!("/m/{n}"), "role": "READ"}))
        .collect();
    let ranges: Vec<String> = (0..101).map(|n| format!("192.0.2.{n}")).collect();
    let twice = json!([{"path": "/m", "role": "READ"}, {"path": "/m", "role": "read"}]);
    let deep = (0..17).fold(json!(1), |inner, _| json!({"a": inner}));
    let cases = [
        (json!({"owner": ""}), "BAD_USER_INPUT", "input.owner"),
        (
            json!({"owner": "key_01h455vb4pex5vsknk084sn02q"}),
            "BAD_USER_INPUT",
            "input.owner",
        ),
        (
            json!({"team": "user_01h455vb4pex5vsknk084sn02q"}),
            "BAD_USER_INPUT",
            "input.team",
        ),
        (json!({"name": ""}), "BAD_USER_INPUT", "input.name"),
        (json!({"name": "  "}), "BAD_USER_INPUT", "input.name"),
        (
            json!({"name": "x".repeat(201)}),
            "BAD_USER_INPUT",
            "input.name",
        ),
        (
            json!({"name": "a\u{202e}b"}),
            "BAD_USER_INPUT",
            "input.name",
        ),
        (
            json!({"description": ""}),
            "BAD_USER_INPUT",
            "input.description",
        ),
        (
            json!({"description": "x".repeat(2_001)}),
            "BAD_USER_INPUT",
            "input.description",
        ),
        (json!({"metadata": [1]}), "BAD_USER_INPUT", "input.metadata"),
        (
            json!({"metadata": deep}),
            "BAD_USER_INPUT",
            "input.metadata",
        ),
        (
            json!({"expiresAt": "2030-01-01T12:00:00Z"}),
            "BAD_USER_INPUT",
            "input.expiresAt",
        ),
        (
            json!({"expiresIn": "PT0S"}),
            "BAD_USER_INPUT",
            "input.expiresIn",
        ),
        (
            json!({"expiresIn": "P8000Y"}),
            "BAD_USER_INPUT",
            "input.expiresIn",
        ),
        (
            json!({"expiresIn": "P1D", "expiresAt": "2031-01-01T00:00:00Z"}),
            "BAD_USER_INPUT",
            "input.expiresIn",
        ),
        (
            json!({"permissions": many}),
            "BAD_USER_INPUT",
            "input.permissions",
        ),
        (
            json!({"permissions": twice}),
            "BAD_USER_INPUT",
            "input.permissions.1.role",
        ),
        (
            json!({"permissions": permission("m", "READ")}),
            "BAD_USER_INPUT",
            "input.permissions.0.path",
        ),
        (
            json!({"permissions": permission("/m", "NO_SUCH")}),
            "NOT_FOUND",
            "input.permissions.0.role",
        ),
        (
            json!({"permissions": permission("/m", "SELF")}),
            "BAD_USER_INPUT",
            "input.permissions.0.role",
        ),
        (
            json!({"permissions": [{"path": "/m", "role": "READ", "expiresAt": "2029-01-01T00:00:00Z"}]}),
            "BAD_USER_INPUT",
            "input.permissions.0.expiresAt",
        ),
        (
            json!({"allowedCidrs": ranges}),
            "BAD_USER_INPUT",
            "input.allowedCidrs",
        ),
    ];
    for (input, code, field) in cases {
        let error = refused(&ada, input.clone()).await;
        assert_eq!(
            (error.0.as_str(), error.1.as_str()),
            (code, field),
            "{input} {}",
            error.2
        );
    }
    for malformed in [
        json!({"expiresIn": "soon"}),
        json!({"expiresAt": "300000-01-01T00:00:00Z"}),
        json!({"allowedCidrs": ["192.0.2.1/24"]}),
        json!({"allowedCidrs": ["example.com"]}),
        json!({"permissions": [{"path": "/m"}]}),
        json!({"name": 1}),
    ] {
        let (code, _, message) = refused(&ada, malformed.clone()).await;
        assert_eq!(code, "BAD_USER_INPUT", "{malformed} {message}");
    }
    let left = ada.data("{ apiKeys { totalCount } }", json!({})).await;
    assert_eq!(left["apiKeys"]["totalCount"], 1);
}

#[tokio::test]
async fn the_policy_limits_how_long_a_key_lives() {
    let mut first = keystead::policy::model::Policy::default();
    first.keys.max_lifetime = Some(chrono::TimeDelta::days(90));
    let policy = keystead::ctx::Policy {
        password_cost: 4,
        first,
        ..keystead::ctx::Policy::default()
    };
    let app = TestApp::with(crate::support::Setup {
        policy,
        ..Default::default()
    })
    .await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    const ENDS: &str = "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { apiKey { id expiresAt } } }";
    let key = ada.data(ENDS, json!({"input": {}})).await["generateApiKey"]["apiKey"].take();
    assert_eq!(key["expiresAt"], "2030-04-01T12:00:00Z");
    let key = ada
        .data(ENDS, json!({"input": {"expiresIn": "P90D"}}))
        .await["generateApiKey"]["apiKey"]
        .take();
    assert_eq!(key["expiresAt"], "2030-04-01T12:00:00Z");
    let (code, field, message) = refused(&ada, json!({"expiresIn": "P91D"})).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("BAD_USER_INPUT", "input.expiresAt")
    );
    assert!(message.contains("at most 90 days"), "{message}");
    let update = "mutation($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { apiKey { expiresAt } } }";
    let later = json!({"input": {"id": key["id"], "expiresAt": "2031-01-01T00:00:00Z"}});
    assert_eq!(ada.error(update, later).await.0, "BAD_USER_INPUT");
    // What the policy allows is counted from when the secret was made: only a new secret prolongs.
    app.app.clock.advance(chrono::TimeDelta::days(30));
    let later = json!({"input": {"id": key["id"], "expiresAt": "2030-04-02T00:00:00Z"}});
    let (code, field, message) = ada.error(update, later).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("BAD_USER_INPUT", "input.expiresAt")
    );
    assert!(
        message.contains("this secret until 2030-04-01T12:00:00Z"),
        "{message}"
    );
    let ever = json!({"input": {"id": key["id"], "expiresAt": null}});
    let kept = ada.data(update, ever).await;
    assert_eq!(
        kept["updateApiKey"]["apiKey"]["expiresAt"],
        "2030-04-01T12:00:00Z"
    );
    let rotate = "mutation($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { apiKey { expiresAt previousSecretExpiresAt } } }";
    let long = json!({"input": {"id": key["id"], "overlap": "P61D", "expiresAt": null}});
    let (code, field, _) = ada.error(rotate, long).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("BAD_USER_INPUT", "input.overlap")
    );
    let right = json!({"input": {"id": key["id"], "overlap": "P60D", "expiresAt": null}});
    let rotated = ada.data(rotate, right).await;
    let expected = json!({"expiresAt": "2030-05-01T12:00:00Z", "previousSecretExpiresAt": "2030-04-01T12:00:00Z"});
    assert_eq!(rotated["rotateApiKey"]["apiKey"], expected);
}
