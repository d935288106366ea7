//! Every change that can alter the answer about a key: when it has answered, another server's memory is right. What the answer is made of
//! comes from the database's own account of the statement, so a new column that no change here alters fails the test.

use std::collections::BTreeSet;

use serde_json::json;

use super::what_is_read::{changed, columns, digests, read, rows, said};
use crate::matrix::fields;
use crate::matrix::world::World;

/// What each mutation does: it alters the answer about some key, or none, because what it makes is new or nobody has it. In this order,
/// by an administrator.
const CHANGES: [(bool, &str, &str); 74] = [
    (
        false,
        "signIn",
        "{login: \"the-target\", password: \"a password of the matrix\"}",
    ),
    (false, "signOut", "{everywhere: true}"),
    (
        false,
        "changePassword",
        "{password: \"a password of the matrix\", newPassword: \"another of the matrix\"}",
    ),
    (
        false,
        "setPassword",
        "{user: \"$outsider\", password: \"another of the matrix\"}",
    ),
    (false, "confirmTotp", "{code: \"$first-code\"}"),
    (false, "enrolTotp", "{otp: \"$first-otp\"}"),
    (false, "confirmPasskey", "$first-made"),
    (false, "enrolPasskey", "{otp: \"$third-otp\"}"),
    (false, "signInWithPasskey", "$signed"),
    (false, "regenerateRecoveryCodes", "{otp: \"$second-otp\"}"),
    (
        false,
        "updateSecondFactor",
        "{id: \"$factor\", name: \"New\"}",
    ),
    (false, "removeSecondFactor", "{id: \"$factor\"}"),
    (false, "revokeSession", "{id: \"$session\"}"),
    (
        false,
        "recordUsage",
        "{events: [{id: \"1\", apiKey: \"$key\"}]}",
    ),
    (
        false,
        "createWebhook",
        "{url: \"https://hooks.example.com/\"}",
    ),
    (
        false,
        "updateWebhook",
        "{id: \"$webhook\", events: [\"role.\"]}",
    ),
    (false, "redeliver", "{id: \"$delivery\"}"),
    (false, "rotateWebhookSecret", "{id: \"$webhook\"}"),
    (false, "deleteWebhook", "{id: \"$webhook\"}"),
    // Only what is told a cost is answered by limits, and those are remembered apart.
    (
        false,
        "updateLimits",
        "{subject: {user: \"$user\"}, maxParallel: 1}",
    ),
    (
        false,
        "updateLimitPolicy",
        "{apiKeyDefaults: {maxParallel: 50}}",
    ),
    (
        false,
        "createInvitation",
        "{email: \"new@example.com\", memberships: [{team: \"$team\"}]}",
    ),
    (
        false,
        "requestMagicLink",
        "{email: \"the-target@example.com\"}",
    ),
    (false, "signInWithMagicLink", "{token: \"$magic\"}"),
    (
        false,
        "requestAccess",
        "{permissions: [{path: \"/x\", role: \"USE\"}], justification: \"x\"}",
    ),
    (false, "withdrawAccessRequest", "{id: \"$mine\"}"),
    (
        true,
        "reviewAccessRequest",
        "{id: \"$request\", decision: APPROVE}",
    ),
    (
        true,
        "removeTeamMember",
        "{team: \"$team\", user: \"$outsider\"}",
    ),
    (true, "acceptInvitation", "{token: \"$token\"}"),
    (false, "resendInvitation", "{id: \"$other\"}"),
    (false, "revokeInvitation", "{id: \"$other\"}"),
    // What keys must have is asked when one is made or changed, never of one that is used.
    (false, "updatePolicy", "{apiKeys: {maxPerUser: 50}}"),
    (
        true,
        "updatePermission",
        "{principal: \"$user\", path: \"/x\", roles: [{role: \"PROMPTER\"}]}",
    ),
    (
        true,
        "updateRole",
        "{id: \"$role\", privileges: [\"model.read\"]}",
    ),
    (true, "updateRole", "{id: \"$role\", name: \"READER\"}"),
    (
        true,
        "updatePermission",
        "{principal: \"$team\", path: \"/x\", roles: [{role: \"NO_ACCESS\"}]}",
    ),
    (
        true,
        "updatePermission",
        "{principal: \"$team\", path: \"/x\", roles: [{role: \"NO_ACCESS\", propagate: false}]}",
    ),
    (
        true,
        "updatePermission",
        "{principal: \"$team\", path: \"/x\", roles: [{role: \"NO_ACCESS\", expiresAt: \"2031-01-01T00:00:00Z\"}]}",
    ),
    (
        true,
        "updatePermission",
        "{principal: \"$team\", path: \"/x\", roles: []}",
    ),
    (true, "deletePermission", "{id: \"$permission\"}"),
    (
        true,
        "updateApiKey",
        "{id: \"$key\", permissions: [{path: \"/y\", role: \"READ\"}]}",
    ),
    (
        true,
        "updatePermission",
        "{principal: \"$key\", path: \"/y\", roles: [{role: \"USE\"}]}",
    ),
    (true, "updateApiKey", "{id: \"$key\", permissions: null}"),
    (true, "updateApiKey", "{id: \"$key\", enabled: false}"),
    (true, "updateApiKey", "{id: \"$key\", enabled: true}"),
    (
        true,
        "updateApiKey",
        "{id: \"$key\", expiresAt: \"2031-01-01T00:00:00Z\"}",
    ),
    (
        true,
        "updateApiKey",
        "{id: \"$key\", allowedCidrs: [\"10.0.0.0/8\"]}",
    ),
    (true, "updateApiKey", "{id: \"$key\", name: \"another\"}"),
    (true, "rotateApiKey", "{id: \"$key\", overlap: \"PT1H\"}"),
    (true, "rotateApiKey", "{id: \"$key\"}"),
    (true, "updateUser", "{id: \"$user\", role: AUDITOR}"),
    (true, "updateUser", "{id: \"$user\", enabled: false}"),
    (true, "updateUser", "{id: \"$user\", enabled: true}"),
    (
        true,
        "updateUser",
        "{id: \"$user\", expiresAt: \"2031-01-01T00:00:00Z\"}",
    ),
    (true, "updateUser", "{id: \"$user\", username: \"renamed\"}"),
    (
        true,
        "createTeam",
        "{slug: \"upper\", members: [{user: \"$user\"}]}",
    ),
    (true, "updateTeam", "{id: \"$team\", parent: \"$above\"}"),
    (true, "updateTeam", "{id: \"$above\", enabled: false}"),
    (true, "updateTeam", "{id: \"$team\", parent: null}"),
    (true, "updateTeam", "{id: \"$team\", enabled: false}"),
    (
        true,
        "addTeamMember",
        "{team: \"$team\", user: \"$outsider\"}",
    ),
    (
        true,
        "updateTeamMember",
        "{team: \"$team\", user: \"$teammember\", role: ADMIN}",
    ),
    (
        true,
        "updateTeamMember",
        "{team: \"$team\", user: \"$teammember\", role: ADMIN, expiresAt: \"2031-01-01T00:00:00Z\"}",
    ),
    (
        true,
        "removeTeamMember",
        "{team: \"$team\", user: \"$outsider\"}",
    ),
    (false, "createUser", "{username: \"new\"}"),
    (
        false,
        "createUser",
        "{username: \"new-member\", memberships: [{team: \"$team\"}], apiKey: {}}",
    ),
    (false, "generateApiKey", "{owner: \"$user\"}"),
    (
        false,
        "generateApiKey",
        "{owner: \"$user\", permissions: [{path: \"/y\", role: \"READ\"}]}",
    ),
    (
        false,
        "createRole",
        "{name: \"NEW\", privileges: [\"model.read\"]}",
    ),
    (false, "deleteRole", "{id: \"$unused\"}"),
    (false, "revokeOtherSessions", "{user: \"$user\"}"),
    (true, "deleteApiKey", "{id: \"$key\"}"),
    (true, "deleteTeam", "{id: \"$team\"}"),
    (true, "deleteUser", "{id: \"$user\"}"),
];

/// What a session may do.
const BY_SESSION: &str =
    "{ viewer { user { username role } session { id } root: privileges x: privileges(path: \"/x\")
    y: privileges(path: \"/y\") models: privileges(path: \"/models\") } }";

/// Its user signs in again; its name changes on the way.
const SIGN_IN: &str = "mutation { signIn(input: {login: \"the-target@example.com\", password: \"a password of the matrix\"}) { secret } }";

/// Columns that are set when the row is made, and never again; but for who granted a permission, which is forgotten with that user, and
/// by which nothing is decided.
const FIXED: [&str; 19] = [
    "api_keys.id",
    "api_keys.owner_id",
    "api_keys.team_id",
    "permissions.api_key_id",
    "permissions.created_at",
    "permissions.created_by",
    "permissions.id",
    "permissions.path",
    "permissions.role_id",
    "permissions.team_id",
    "permissions.user_id",
    "roles.id",
    "team_memberships.since",
    "team_memberships.team_id",
    "team_memberships.user_id",
    "teams.created_at",
    "teams.id",
    "users.created_at",
    "users.id",
];

#[tokio::test]
async fn what_another_server_remembers_is_right_when_a_change_has_answered() {
    let mut world = World::new().await;
    let origin = world.app.replica(1, None).await;
    let other = world.app.replica(2, None).await;
    let admin = origin.admin();
    for (name, document, pointer) in [
        (
            "$above",
            "mutation { createTeam(input: {slug: \"above\"}) { team { id } } }",
            "/createTeam/team/id",
        ),
        (
            "$unused",
            "mutation { createRole(input: {name: \"UNUSED\", privileges: []}) { role { id } } }",
            "/createRole/role/id",
        ),
    ] {
        let made = admin.data(document, json!({})).await;
        let id = made.pointer(pointer).unwrap().as_str().unwrap();
        world.ids.insert(name, id.to_owned());
    }
    let mut altered = BTreeSet::new();
    let mut session = world.session.clone();
    let mut answers = BTreeSet::new();
    for (alters, mutation, input) in CHANGES {
        let known = digests(&origin).await;
        let before = (said(&other, &known).await, rows(&origin).await);
        let hits = other.app.authenticator.memory().hits;
        said(&other, &known).await;
        assert_eq!(
            other.app.authenticator.memory().hits - hits,
            known.len() as u64,
            "before {mutation} it was not all remembered"
        );
        let input = world.fill(input);
        admin
            .data(
                &format!("mutation {{ {mutation}(input: {input}) {{ __typename }} }}"),
                json!({}),
            )
            .await;
        let now = said(&other, &known).await;
        assert_eq!(
            now,
            read(&origin, &known).await,
            "{mutation}(input: {input})"
        );
        assert_eq!(now != before.0, alters, "{mutation}(input: {input})");
        // A session answers by the same facts; the app that holds no lease always asks the database.
        let [remembered, asked] = [&other, &world.app].map(|app| app.with_key(&session));
        let told = remembered.gql(BY_SESSION, json!({})).await;
        assert_eq!(
            told,
            asked.gql(BY_SESSION, json!({})).await,
            "the session after {mutation}(input: {input})"
        );
        answers.insert(told.to_string());
        if told.get("errors").is_some() {
            let again = origin.anonymous().gql(SIGN_IN, json!({})).await;
            if let Some(secret) = again["data"]["signIn"]["secret"].as_str() {
                session = secret.to_owned();
            }
        }
        altered.extend(changed(&before.1, &rows(&origin).await));
    }

    assert!(
        answers.len() > 8,
        "the session hardly notices: {answers:#?}"
    );
    let read = columns(&origin).await;
    assert!(read.len() > 20, "{read:?}");
    let fixed: BTreeSet<String> = FIXED.iter().map(|name| (*name).to_owned()).collect();
    let escaped: Vec<&String> = read
        .difference(&altered)
        .filter(|name| !fixed.contains(*name))
        .collect();
    assert!(
        escaped.is_empty(),
        "no change here alters {escaped:?}, which the answer about a key is made of"
    );
    let wrong: Vec<&String> = fixed.intersection(&altered).collect();
    assert!(wrong.is_empty(), "{wrong:?} change after all");
    let tested: BTreeSet<&str> = CHANGES.iter().map(|(_, name, _)| *name).collect();
    for field in fields(&origin).await {
        assert!(
            field.parent != "Mutation" || tested.contains(field.name.as_str()),
            "{} is not among the changes here",
            field.name
        );
    }
}
