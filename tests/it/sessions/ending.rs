//! Every way in which a session ends holds at once on every server.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{id, recorded, refusal, signed_in, user, works};
use crate::support::{Client, TestApp};

const REVOKE: &str = "mutation($id: ID!) { revokeSession(input: {id: $id}) { revokedSessionId } }";

/// What ends the session `$session` of the user `$user`, and who does it: `SELF` by that very session, `OTHER` by another session
/// of that user, or an administrator. `true`: the user's other session goes too.
const ENDS: [(&str, &str, bool); 12] = [
    ("SELF", "signOut(input: {})", false),
    ("SELF", "signOut(input: {everywhere: true})", true),
    ("SELF", "revokeSession(input: {id: \"$session\"})", false),
    ("OTHER", "revokeSession(input: {id: \"$session\"})", false),
    ("OTHER", "revokeOtherSessions(input: {})", false),
    (
        "ADMIN",
        "revokeOtherSessions(input: {user: \"$user\"})",
        true,
    ),
    (
        "OTHER",
        "changePassword(input: {password: \"a horse reads 12 maps\", newPassword: \"another 7 green kettles\"})",
        false,
    ),
    (
        "ADMIN",
        "setPassword(input: {user: \"$user\", password: \"another 7 green kettles\"})",
        true,
    ),
    (
        "ADMIN",
        "signIn(input: {login: \"$name\", password: \"a horse reads 12 maps\", newPassword: \"another 7 green kettles\"})",
        true,
    ),
    (
        "ADMIN",
        "updateUser(input: {id: \"$user\", enabled: false})",
        true,
    ),
    (
        "ADMIN",
        "updateUser(input: {id: \"$user\", expiresAt: \"2030-01-01T12:00:00.000001Z\"})",
        true,
    ),
    ("ADMIN", "deleteUser(input: {id: \"$user\"})", true),
];

#[tokio::test]
async fn whatever_ends_a_session_ends_it_on_every_server_at_once() {
    let first = TestApp::new().await;
    let origin = first.replica(1, None).await;
    let other = first.replica(2, None).await;
    for (number, (who, document, both)) in ENDS.iter().enumerate() {
        let name = format!("user-{number}");
        let owner = user(&first, &name, InstanceRole::Viewer).await;
        let (session, by_session) = signed_in(&origin, &name).await;
        let (_, by_other) = signed_in(&origin, &name).await;
        let there = [&by_session, &by_other].map(|client| other.with_key(client.key().unwrap()));
        for client in &there {
            assert!(works(client).await);
            let before = other.app.db.statements();
            client.data("{ __typename }", json!({})).await;
            let statements = other.app.db.statements() - before;
            assert!(statements <= 1, "it is not remembered: {statements}");
        }
        let actor: &Client = match *who {
            "SELF" => &by_session,
            "OTHER" => &by_other,
            _ => &origin.admin(),
        };
        let document = document
            .replace("$session", &session)
            .replace("$name", &name)
            .replace("$user", &id(&owner));
        actor
            .data(
                &format!("mutation {{ {document} {{ __typename }} }}"),
                json!({}),
            )
            .await;
        if document.contains("expiresAt") {
            other.app.clock.advance(chrono::TimeDelta::microseconds(1));
        }
        assert!(!works(&there[0]).await, "{document}");
        assert_eq!(works(&there[1]).await, !both, "{document}");
    }
}

/// A user that is enabled again has to sign in again.
#[tokio::test]
async fn what_has_ended_does_not_come_back() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    let change = |changes: &str| {
        format!(
            "mutation {{ updateUser(input: {{id: \"{}\", {changes}}}) {{ user {{ id }} }} }}",
            id(&ada)
        )
    };
    let (_, before) = signed_in(&app, "ada").await;
    app.admin().data(&change("enabled: false"), json!({})).await;
    app.admin().data(&change("enabled: true"), json!({})).await;
    assert_eq!(
        refusal(&before).await.1,
        "This session is unknown or has ended. Sign in again."
    );

    let (_, before) = signed_in(&app, "ada").await;
    app.admin()
        .data(&change("expiresAt: \"2030-01-01T13:00:00Z\""), json!({}))
        .await;
    assert!(works(&before).await);
    app.app.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(
        refusal(&before).await.1,
        "The user of this session has expired."
    );
    app.admin()
        .data(&change("expiresAt: null"), json!({}))
        .await;
    assert_eq!(
        refusal(&before).await.1,
        "This session is unknown or has ended. Sign in again."
    );
}

#[tokio::test]
async fn an_end_is_recorded_and_told_once() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    let (one, by_one) = signed_in(&app, "ada").await;
    let (two, _) = signed_in(&app, "ada").await;
    by_one.data(REVOKE, json!({"id": two})).await;
    let (code, field, _) = by_one.error(REVOKE, json!({"id": two})).await;
    assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.id"));
    signed_in(&app, "ada").await;
    let others = "mutation { revokeOtherSessions(input: {}) { revoked } }";
    assert_eq!(
        by_one.data(others, json!({})).await["revokeOtherSessions"]["revoked"],
        1
    );
    assert_eq!(
        by_one.data(others, json!({})).await["revokeOtherSessions"]["revoked"],
        0
    );
    app.admin().data(REVOKE, json!({"id": one})).await;
    let events = recorded(&app).await;
    let told: Vec<String> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| format!("{} {}", event["action"], event["actorName"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "session.create ada",
            "session.create ada",
            "session.delete ada",
            "session.create ada",
            "session.delete ada",
            "session.delete admin"
        ]
    );
    // With a key there is no session to end.
    let key = app
        .admin()
        .data("mutation { signOut(input: {}) { revoked } }", json!({}))
        .await;
    assert_eq!(key["signOut"]["revoked"], 0);
    assert_eq!(events[0]["after"]["user"], id(&ada));
}

/// What you may not see does not exist; what a restricted key does not hold it cannot end.
#[tokio::test]
async fn others_sessions_are_not_there() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    user(&app, "bob", InstanceRole::Member).await;
    let (session, by_ada) = signed_in(&app, "ada").await;
    let (_, by_bob) = signed_in(&app, "bob").await;
    let (_, restricted) = app.restricted(&ada, &[("/models", "USE")]).await;
    let revoke_others =
        "mutation($user: ID) { revokeOtherSessions(input: {user: $user}) { revoked } }";
    for client in [&by_bob, &restricted] {
        let (code, _, _) = client.error(REVOKE, json!({"id": session})).await;
        assert_eq!(code, "NOT_FOUND");
        let (code, field, _) = client.error(revoke_others, json!({"user": id(&ada)})).await;
        assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.user"));
        let node = client
            .data(
                "query($id: ID!) { node(id: $id) { id } }",
                json!({"id": session}),
            )
            .await;
        assert!(node["node"].is_null());
    }
    let (code, _, _) = restricted
        .error(
            "mutation { signOut(input: {everywhere: true}) { revoked } }",
            json!({}),
        )
        .await;
    assert_eq!(code, "FORBIDDEN");
    let seen = restricted
        .data("{ viewer { sessions { totalCount } } }", json!({}))
        .await;
    assert_eq!(seen["viewer"]["sessions"]["totalCount"], 0);
    assert!(works(&by_ada).await);
}
