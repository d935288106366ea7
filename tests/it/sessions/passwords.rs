//! Setting passwords: by whom, by which rules, and what becomes of sessions.

use std::collections::BTreeSet;

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{PASSWORD, attempt, id, refusal, signed_in, user, works};
use crate::support::{Client, Setup, SmtpServer, TestApp};

const CHANGE: &str = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { user { username mustChangePassword passwordChangedAt } } }";
const SET: &str = "mutation($input: SetPasswordInput!) { setPassword(input: $input) { user { hasPassword mustChangePassword } } }";
const NEW: &str = "another 7 green kettles";

/// Every way to set a password: the field of the mutation's input, and a request that sets `$password` for `ada-lovelace`, whom
/// `who` names as an administrator or by a session of hers.
const WAYS: [(&str, &str, &str); 6] = [
    (
        "CreateUserInput.password",
        "admin",
        "mutation($password: String!) { createUser(input: {username: \"ada-lovelace\", email: \"countess@engines.example\", name: \"Augusta King\", password: $password}) { user { id } } }",
    ),
    (
        "SetPasswordInput.password",
        "admin",
        "mutation($password: String!) { setPassword(input: {user: \"$user\", password: $password, mustChange: false}) { user { id } } }",
    ),
    (
        "ChangePasswordInput.newPassword",
        "session",
        "mutation($password: String!) { changePassword(input: {password: \"$present\", newPassword: $password}) { user { id } } }",
    ),
    (
        "SignInInput.newPassword",
        "nobody",
        "mutation($password: String!) { signIn(input: {login: \"ada-lovelace\", password: \"$present\", newPassword: $password}) { user { id } } }",
    ),
    (
        "AcceptInvitationInput.password",
        "invited",
        "mutation($password: String!) { acceptInvitation(input: {token: \"$token\", password: $password}) { user { id } } }",
    ),
    (
        "AcceptInvitationInput.password",
        "newcomer",
        "mutation($password: String!) { acceptInvitation(input: {token: \"$token\", username: \"ada-lovelace\", name: \"Augusta King\", password: $password}) { user { id } } }",
    ),
];

/// Fields with a password that is there already.
const PRESENT: [&str; 4] = [
    "ChangePasswordInput.password",
    "EnrolPasskeyInput.password",
    "EnrolTotpInput.password",
    "SignInInput.password",
];

#[tokio::test]
async fn the_rules_hold_on_every_way_to_set_a_password() {
    let app = TestApp::new().await;
    let mut fields = BTreeSet::new();
    let types = app
        .admin()
        .data(
            "{ __schema { types { name inputFields { name } } } }",
            json!({}),
        )
        .await;
    for kind in types["__schema"]["types"].as_array().unwrap() {
        for field in kind["inputFields"].as_array().into_iter().flatten() {
            let name = field["name"].as_str().unwrap();
            if name.to_lowercase().contains("password") {
                fields.insert(format!("{}.{name}", kind["name"].as_str().unwrap()));
            }
        }
    }
    let known: BTreeSet<String> = WAYS
        .iter()
        .map(|(field, _, _)| *field)
        .chain(PRESENT)
        .map(str::to_owned)
        .collect();
    assert_eq!(fields, known, "a way to set a password is not tested here");

    let mut said = Vec::new();
    for (field, who, document) in WAYS {
        let app = TestApp::new().await;
        let (client, asked) = prepared(&app, who, document).await;
        for password in [
            "elevenchars",
            &"ä".repeat(37),
            "nul\0in the middle",
            "1q2w3e4r5t6y",
            "Password1234",
            "ada-lovelace",
            "Ada.Lovelace.1815",
            "countess@engines.example",
            "King Augusta!",
        ] {
            let (code, at, message) = client.error(&asked, json!({"password": password})).await;
            let input = format!("input.{}", field.split('.').next_back().unwrap());
            let expected = ("BAD_USER_INPUT", input.as_str());
            assert_eq!(
                (code.as_str(), at.as_str()),
                expected,
                "{field} {password}: {message}"
            );
            assert!(!message.contains(password), "{message}");
            said.push(format!("{password:?}: {message}"));
        }
        for password in ["lovelace at the loom", &"ä".repeat(36)] {
            let app = TestApp::new().await;
            let (client, asked) = prepared(&app, who, document).await;
            let answer = client.gql(&asked, json!({"password": password})).await;
            assert!(
                answer.get("errors").is_none(),
                "{field} {password}: {answer:#}"
            );
            let signed_in = attempt(&app, "ada-lovelace", password).await;
            assert!(
                signed_in.get("errors").is_none(),
                "{field} {password}: {signed_in:#}"
            );
        }
    }
    let once: BTreeSet<String> = said.into_iter().collect();
    insta::assert_json_snapshot!(once);
}

/// The user, but where it is still to be made, and who sets the password.
async fn prepared(app: &TestApp, who: &str, document: &str) -> (Client, String) {
    if document.contains("createUser") {
        return (app.admin(), document.to_owned());
    }
    if who == "newcomer" {
        let whom = "email: \"countess@engines.example\"";
        return (
            app.anonymous(),
            document.replace("$token", &invited(app, whom).await),
        );
    }
    let made = app
        .admin()
        .data(
            "mutation { createUser(input: {username: \"ada-lovelace\", email: \"countess@engines.example\", name: \"Augusta King\", password: \"a horse reads 12 maps\"}) { user { id } } }",
            json!({}),
        )
        .await;
    let user = made["createUser"]["user"]["id"].as_str().unwrap();
    let token = match who {
        "invited" => invited(app, &format!("user: \"{user}\"")).await,
        _ => String::new(),
    };
    let document = document
        .replace("$user", user)
        .replace("$token", &token)
        .replace("$present", PASSWORD);
    let client = match who {
        "admin" => app.admin(),
        "session" => signed_in(app, "ada-lovelace").await.1,
        _ => app.anonymous(),
    };
    (client, document)
}

/// The token of an invitation for `whom`, a field of the input.
async fn invited(app: &TestApp, whom: &str) -> String {
    let invite = format!("mutation {{ createInvitation(input: {{{whom}}}) {{ link }} }}");
    let made = app.admin().data(&invite, json!({})).await;
    let link = made["createInvitation"]["link"].as_str().unwrap();
    link.split_once("token=").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Viewer).await;
    let (_, here) = signed_in(&app, "ada").await;
    let (_, there) = signed_in(&app, "ada").await;
    let wrong = json!({"input": {"password": "a wrong password", "newPassword": NEW}});
    let (code, field, message) = here.error(CHANGE, wrong).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("UNAUTHENTICATED", "input.password"),
        "{message}"
    );
    let same = json!({"input": {"password": PASSWORD, "newPassword": PASSWORD}});
    assert_eq!(here.error(CHANGE, same).await.1, "input.newPassword");
    assert!(works(&there).await);
    let input = json!({"input": {"password": PASSWORD, "newPassword": NEW}});
    let changed = here.data(CHANGE, input.clone()).await;
    assert_eq!(
        changed["changePassword"]["user"],
        json!({"username": "ada", "mustChangePassword": false, "passwordChangedAt": "2030-01-01T12:00:00Z"})
    );
    assert!(works(&here).await && !works(&there).await);
    assert_eq!(
        attempt(&app, "ada", PASSWORD).await["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
    assert!(attempt(&app, "ada", NEW).await.get("errors").is_none());
    let (code, _, _) = app.anonymous().error(CHANGE, input).await;
    assert_eq!(code, "UNAUTHENTICATED");
}

/// What somebody else has set is good for one sign-in.
#[tokio::test]
async fn a_password_that_was_set_is_changed_at_the_next_sign_in() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    let (_, before) = signed_in(&app, "ada").await;
    let set = app
        .admin()
        .data(SET, json!({"input": {"user": id(&ada), "password": NEW}}))
        .await;
    assert_eq!(
        set["setPassword"]["user"],
        json!({"hasPassword": true, "mustChangePassword": true})
    );
    assert_eq!(refusal(&before).await.0, "UNAUTHENTICATED");
    let answer = attempt(&app, "ada", NEW).await;
    let error = &answer["errors"][0];
    assert_eq!(
        (&error["extensions"]["code"], &error["extensions"]["field"]),
        (&json!("UNAUTHENTICATED"), &json!("input.newPassword")),
        "{answer}"
    );
    // That is told only to who knows the password.
    let other = attempt(&app, "ada", PASSWORD).await;
    assert!(
        other["errors"][0]["extensions"]["field"].is_null(),
        "{other}"
    );
    let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { secret user { mustChangePassword } } }";
    let input = |new: &str| json!({"input": {"login": "ada", "password": NEW, "newPassword": new}});
    assert_eq!(
        app.anonymous().error(sign_in, input(NEW)).await.1,
        "input.newPassword"
    );
    let answer = app.anonymous().data(sign_in, input(PASSWORD)).await;
    assert_eq!(answer["signIn"]["user"]["mustChangePassword"], false);
    assert!(works(&signed_in(&app, "ada").await.1).await);
    // Taken away, there is none.
    let none = app
        .admin()
        .data(SET, json!({"input": {"user": id(&ada), "password": null}}))
        .await;
    assert_eq!(
        none["setPassword"]["user"],
        json!({"hasPassword": false, "mustChangePassword": false})
    );
    assert_eq!(
        attempt(&app, "ada", PASSWORD).await["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
}

/// Whoever sets a password can sign in with it, so it must hold all that the user holds.
#[tokio::test]
async fn nobody_becomes_somebody_greater_by_setting_a_password() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    let (boss, by_boss) = app.user("boss", InstanceRole::Member).await;
    let grant =
        "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { added } }";
    let permit = |who: String, path: &str, role: &str| json!({"input": {"principal": who, "path": path, "roles": [{"role": role}]}});
    app.admin()
        .data(grant, permit(id(&boss), "/users", "MANAGE"))
        .await;
    let set = |user: String| json!({"input": {"user": user, "password": NEW}});
    by_boss.data(SET, set(id(&ada))).await;
    app.admin()
        .data(grant, permit(id(&ada), "/models", "USE"))
        .await;
    let (code, _, message) = by_boss.error(SET, set(id(&ada))).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    let root = user(&app, "root", InstanceRole::Admin).await;
    let (code, _, message) = by_boss.error(SET, set(id(&root))).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    // One's own is changed with the present one, lest a session that lies open be enough.
    let (_, by_root) = signed_in(&app, "root").await;
    let (code, _, message) = by_root.error(SET, set(id(&root))).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    let (_, as_ada) = app.restricted(&ada, &[("/models", "USE")]).await;
    let (code, _, _) = as_ada
        .error(
            CHANGE,
            json!({"input": {"password": NEW, "newPassword": PASSWORD}}),
        )
        .await;
    assert_eq!(code, "FORBIDDEN");
}

#[tokio::test]
async fn the_user_is_told_by_mail_and_the_trail_has_no_password() {
    let server = SmtpServer::start().await;
    let app = TestApp::with(Setup {
        mail: server.settings(None),
        ..Setup::default()
    })
    .await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    let (_, by_ada) = signed_in(&app, "ada").await;
    by_ada
        .data(
            CHANGE,
            json!({"input": {"password": PASSWORD, "newPassword": NEW}}),
        )
        .await;
    app.admin()
        .data(
            SET,
            json!({"input": {"user": id(&ada), "password": PASSWORD}}),
        )
        .await;
    while app.app.deliver_due().await.unwrap() > 0 {}
    let mails = server.received();
    let text: Vec<String> = mails
        .iter()
        .map(|mail| format!("{:?} {}", mail.to, mail.text))
        .collect();
    assert_eq!(text.len(), 2, "{text:#?}");
    assert!(
        text.iter().all(|mail| mail.contains("ada@example.com")),
        "{text:#?}"
    );
    assert_eq!(
        text.iter().filter(|mail| mail.contains("by admin")).count(),
        1,
        "{text:#?}"
    );
    let trail = "{ auditEvents(filter: {action: \"user.setPassword\"}) { nodes { actorName before after } } }";
    let trail: Value = app.admin().data(trail, json!({})).await;
    let all = trail.to_string() + &text.join("");
    for secret in [PASSWORD, NEW, "$2b$"] {
        assert!(!all.contains(secret), "{all}");
    }
    assert_eq!(trail["auditEvents"]["nodes"].as_array().unwrap().len(), 2);
}
