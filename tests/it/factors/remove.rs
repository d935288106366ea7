//! Removing factors.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{REMOVE, SIGN_IN, ask, client, code, later, set_up, sign_in, somebody};
use crate::mail::{app as mailing, deliver};
use crate::sessions::works;
use crate::support::{SmtpServer, TestApp};

#[tokio::test]
async fn ones_own_needs_proof() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    later(&app);
    let elsewhere = client(
        &app,
        &sign_in(&app, "ada", Some(&ada.phone.code(&app, 0))).await,
    );
    let with = |otp: Option<String>| json!({"id": ada.factor, "otp": otp});
    super::next_step(&app);
    for (input, expected) in [
        (with(None), "SECOND_FACTOR_REQUIRED input.otp"),
        (
            with(Some(ada.phone.wrong(&app))),
            "UNAUTHENTICATED input.otp",
        ),
        (with(Some(ada.phone.code(&app, 0))), "ok"),
        (with(Some(ada.codes[0].clone())), "NOT_FOUND input.id"),
    ] {
        assert_eq!(
            code(&ask(&ada.client, REMOVE, input.clone()).await),
            expected,
            "{input}"
        );
    }
    assert!(works(&elsewhere).await && works(&ada.client).await);
    assert_eq!(code(&sign_in(&app, "ada", None).await), "ok");
    let none = "{ viewer { user { recoveryCodesLeft secondFactors { id } } } }";
    let none = ada.client.data(none, json!({})).await;
    assert_eq!(
        none["viewer"]["user"],
        json!({"recoveryCodesLeft": 0, "secondFactors": []})
    );
}

#[tokio::test]
async fn with_one_left_codes_are_asked_for_still() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let (tablet, _) = set_up(&app, &ada.client, json!({"name": "Tablet"})).await;
    assert_eq!(
        code(&ask(&ada.client, REMOVE, json!({"id": ada.factor})).await),
        "ok"
    );
    assert_eq!(
        code(&sign_in(&app, "ada", Some(&ada.phone.code(&app, 0))).await),
        "UNAUTHENTICATED input.otp"
    );
    assert_eq!(
        code(&sign_in(&app, "ada", Some(&tablet.code(&app, 0))).await),
        "ok"
    );
    assert_eq!(code(&sign_in(&app, "ada", Some(&ada.codes[0])).await), "ok");
}

#[tokio::test]
async fn an_administrator_removes_a_lost_one_and_the_user_is_told() {
    let server = SmtpServer::start().await;
    let app = mailing(&server).await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    while deliver(&app).await > 0 {}
    let before = server.received().len();
    assert_eq!(
        code(&ask(&app.admin(), REMOVE, json!({"id": ada.factor})).await),
        "ok"
    );
    assert!(!works(&ada.client).await, "her sessions have ended");
    assert_eq!(code(&sign_in(&app, "ada", None).await), "ok");
    deliver(&app).await;
    let mails = server.arrived(before + 1).await;
    let mail = mails.last().unwrap();
    assert_eq!(mail.header("to"), ["ada@example.com"]);
    let told =
        "admin has removed your authenticator app \"Authenticator app\" from the account ada.";
    // Lines are folded (RFC 2045, section 6.7).
    let said = mail.text.replace("=\n", "");
    assert!(said.contains(told), "{said}");
    let trail = "{ auditEvents(filter: {action: \"secondFactor.delete\"}) { nodes { actorName target before after } } }";
    let trail = app.admin().data(trail, json!({})).await;
    let event = &trail["auditEvents"]["nodes"][0];
    assert_eq!(
        (&event["actorName"], &event["target"]),
        (&json!("admin"), &json!(ada.factor))
    );
    assert_eq!(event["before"]["name"], "Authenticator app");
}

#[tokio::test]
async fn nobody_else_does() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let grace = somebody(&app, "grace", InstanceRole::Admin).await;
    let eve = somebody(&app, "eve", InstanceRole::Member).await;
    let (_, auditor) = app.user("audit", InstanceRole::Auditor).await;
    // Whoever may change users, and not all that they hold.
    let (helper, desk) = app.user("desk", InstanceRole::Member).await;
    let grant = "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { permissions { id } } }";
    let role = "mutation { createRole(input: {name: \"DESK\", privileges: [\"user.read\", \"user.write\"]}) { role { id } } }";
    app.admin().data(role, json!({})).await;
    let input = json!({"principal": helper.typed_id().to_string(), "path": "/users", "roles": [{"role": "DESK"}]});
    assert_eq!(code(&ask(&app.admin(), grant, input).await), "ok");
    let who = "{ user(by: {username: \"ada\"}) { id } }";
    let who = app.admin().data(who, json!({})).await;
    let input =
        json!({"principal": who["user"]["id"], "path": "/models", "roles": [{"role": "USE"}]});
    assert_eq!(code(&ask(&app.admin(), grant, input).await), "ok");
    for (client, expected) in [
        (&app.anonymous(), "UNAUTHENTICATED -"),
        (&eve.client, "NOT_FOUND input.id"),
        (&auditor, "FORBIDDEN -"),
        (&desk, "FORBIDDEN -"),
    ] {
        for factor in [&ada.factor, &grace.factor] {
            let answer = ask(client, REMOVE, json!({"id": factor})).await;
            assert_eq!(code(&answer), expected, "{answer}");
        }
    }
    let (_, restricted) = {
        let owner = keystead::users::ops::by_username(&app.ctx(), "grace")
            .await
            .unwrap()
            .unwrap();
        app.restricted(&owner, &[("/", "ADMIN")]).await
    };
    assert_eq!(
        code(&ask(&restricted, REMOVE, json!({"id": grace.factor})).await),
        "FORBIDDEN -"
    );
    for id in [
        "factor_01h455vb4pex5vsknk084sn02q",
        &ada.factor.replace("factor", "user"),
        "x",
    ] {
        let refused = code(&ask(&app.admin(), REMOVE, json!({"id": id})).await);
        assert!(
            ["NOT_FOUND input.id", "BAD_USER_INPUT input.id"].contains(&refused.as_str()),
            "{id} {refused}"
        );
    }
    let input = json!({"login": "grace", "password": super::PASSWORD});
    assert_eq!(
        code(&ask(&app.anonymous(), SIGN_IN, input).await),
        "SECOND_FACTOR_REQUIRED input.otp"
    );
    // An administrator who has lost its own, and has a key.
    let owner = keystead::users::ops::by_username(&app.ctx(), "grace")
        .await
        .unwrap()
        .unwrap();
    let new = keystead::api_keys::model::NewApiKey {
        owner: Some(owner.id),
        ..Default::default()
    };
    let (_, key) = app.generate(new).await;
    assert_eq!(
        code(&ask(&key, REMOVE, json!({"id": grace.factor})).await),
        "ok"
    );
}
