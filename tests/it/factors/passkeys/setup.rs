//! Setting up a passkey.

use chrono::TimeDelta;
use keystead::ctx::Policy;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{CONFIRM, ENROL, begin, challenge, set_up, signed};
use crate::factors::{
    MINE, PASSWORD, REGENERATE, REMOVE, ask, code, later, signed_in, text, told, user,
};
use crate::support::authenticator::{Passkey, bytes};
use crate::support::{Setup, TestApp};

#[tokio::test]
async fn it_counts_once_the_browser_has_made_it() {
    let app = TestApp::new().await;
    let person = user(&app, "ada", InstanceRole::Member).await;
    let (_, elsewhere) = signed_in(&app, "ada").await;
    let (_, ada) = signed_in(&app, "ada").await;
    let begun = ask(&ada, ENROL, json!({})).await;
    insta::assert_json_snapshot!(begun, {
        ".data.enrolPasskey.challenge" => "[challenge]",
        ".data.enrolPasskey.options.challenge" => "[random]",
        ".data.enrolPasskey.options.user.id" => "[handle]",
    });
    let begun = &begun["data"]["enrolPasskey"];
    assert_eq!(bytes(&begun["options"]["user"]["id"]), person.id.as_bytes());
    assert_eq!(bytes(&begun["options"]["challenge"]).len(), 32);

    // It does not count yet.
    assert_eq!(
        code(&crate::factors::sign_in(&app, "ada", None).await),
        "ok"
    );
    let none = ada.data(MINE, json!({})).await;
    assert_eq!(none["viewer"]["user"]["secondFactors"], json!([]));

    let passkey = Passkey::new(&begun["options"], super::ORIGIN);
    let confirm = json!({"challenge": begun["challenge"], "credential": passkey.made(&begun["options"]), "name": " My phone "});
    let confirmed = ask(&ada, CONFIRM, confirm).await;
    insta::assert_json_snapshot!(confirmed, {
        ".data.confirmPasskey.secondFactor.id" => "[id]",
        ".data.confirmPasskey.recoveryCodes[]" => "[code]",
    });
    insta::assert_json_snapshot!(ada.gql(MINE, json!({})).await, {".data.viewer.user.secondFactors[].id" => "[id]"});
    let refused = crate::factors::sign_in(&app, "ada", None).await;
    insta::assert_snapshot!(told(&refused), @"SECOND_FACTOR_REQUIRED input.otp: This user has a second factor. Beside the rest, send in input.otp the six digits that its app shows, or a recovery code; or in input.passkey what its passkey has signed.");
    // What was begun without it has ended.
    assert_eq!(
        crate::sessions::refusal(&elsewhere).await.0,
        "UNAUTHENTICATED"
    );
    insta::assert_json_snapshot!(recorded(&app).await, {"[].after.user" => "[user]"});
}

/// What is in the trail of second factors, oldest first.
async fn recorded(app: &TestApp) -> Value {
    let trail = "{ auditEvents(first: 50, filter: {action: \"secondFactor.\"}, orderBy: {direction: ASC}) { nodes { action actorName before after } } }";
    app.admin().data(trail, json!({})).await["auditEvents"]["nodes"].take()
}

/// It is named and removed as any second factor; with the last one the recovery codes go.
#[tokio::test]
async fn it_is_named_and_removed() {
    let app = TestApp::new().await;
    let mut ada = super::somebody(&app, "ada", InstanceRole::Member).await;
    let update = "mutation($input: UpdateSecondFactorInput!) { updateSecondFactor(input: $input) { secondFactor { kind name } } }";
    let named = ask(
        &ada.client,
        update,
        json!({"id": ada.factor, "name": "Laptop"}),
    )
    .await;
    assert_eq!(
        named["data"]["updateSecondFactor"]["secondFactor"],
        json!({"kind": "PASSKEY", "name": "Laptop"})
    );
    let answer = signed(&app, &mut ada.passkey).await;
    assert_eq!(
        code(&ask(&ada.client, REMOVE, json!({"id": ada.factor})).await),
        "ok"
    );
    assert_eq!(
        code(&super::sign_in(&app, &answer).await),
        "UNAUTHENTICATED input"
    );
    assert_eq!(
        code(&crate::factors::sign_in(&app, "ada", None).await),
        "ok"
    );
    let left = ada.client.data(MINE, json!({})).await;
    assert_eq!(left["viewer"]["user"]["recoveryCodesLeft"], 0);
}

/// What changes factors asks for proof, which a passkey is too.
#[tokio::test]
async fn an_older_session_is_no_proof_and_a_passkey_is() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    later(&app);
    for (input, expected) in [
        (json!({}), "BAD_USER_INPUT input.password"),
        (
            json!({"password": "a wrong password"}),
            "UNAUTHENTICATED input.password",
        ),
    ] {
        assert_eq!(code(&ask(&ada, ENROL, input).await), expected);
    }
    let (mut passkey, _) = set_up(&ada, json!({"password": PASSWORD})).await;
    let refused = ask(&ada, ENROL, json!({"password": PASSWORD})).await;
    assert_eq!(code(&refused), "SECOND_FACTOR_REQUIRED input.otp");
    let proof = signed(&app, &mut passkey).await;
    let (_, second) = set_up(&ada, json!({ "passkey": proof })).await;
    assert!(second["recoveryCodes"].is_null(), "{second}");
    for (document, mut input) in [
        (ENROL, json!({})),
        (crate::factors::ENROL, json!({})),
        (REGENERATE, json!({})),
        (REMOVE, json!({"id": second["secondFactor"]["id"]})),
    ] {
        input["passkey"] = proof.clone();
        let used = ask(&ada, document, input.clone()).await;
        assert_eq!(code(&used), "UNAUTHENTICATED input.passkey", "{document}");
        input["passkey"] = signed(&app, &mut passkey).await;
        let answer = ask(&ada, document, input).await;
        assert_eq!(code(&answer), "ok", "{document}: {answer}");
    }
    // A key proves nothing by itself, and a restricted one may not even try.
    let (owner, key) = app.user("keyonly", InstanceRole::Member).await;
    let refused = ask(&key, ENROL, json!({"password": PASSWORD})).await;
    assert_eq!(code(&refused), "BAD_USER_INPUT input.password");
    let (_, restricted) = app.restricted(&owner, &[("/", "READ")]).await;
    for (client, expected) in [
        (&restricted, "FORBIDDEN -"),
        (&app.anonymous(), "UNAUTHENTICATED -"),
    ] {
        assert_eq!(code(&ask(client, ENROL, json!({})).await), expected);
        let confirm = json!({"challenge": "x", "credential": passkey.made(&challenge(&app).await["options"])});
        assert_eq!(code(&ask(client, CONFIRM, confirm).await), expected);
    }
}

#[tokio::test]
async fn a_user_has_several_and_not_any_number() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    let mut ids = Vec::new();
    for _ in 0..19 {
        let (passkey, _) = set_up(&ada, json!({})).await;
        ids.push(crate::support::authenticator::text(&passkey.id));
    }
    let begun = ask(&ada, ENROL, json!({})).await["data"]["enrolPasskey"].take();
    let excluded = begun["options"]["excludeCredentials"].as_array().unwrap();
    let excluded: Vec<_> = excluded.iter().map(|each| text(&each["id"])).collect();
    assert_eq!(excluded, ids, "her own are not made again");
    let (_, late) = begin(&ada, json!({})).await;
    crate::factors::set_up(&app, &ada, json!({})).await;
    for (document, input) in [(ENROL, json!({})), (CONFIRM, late)] {
        let full = ask(&ada, document, input).await;
        assert_eq!(code(&full), "CONFLICT -", "{full}");
    }
}

/// Whoever must have a second factor and has none may set up a passkey, and then does all that it may.
#[tokio::test]
async fn whoever_must_have_one_is_content_with_a_passkey() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let required =
        "mutation { updatePolicy(input: {signIn: {secondFactorRoles: [MEMBER]}}) { changed } }";
    app.admin().data(required, json!({})).await;
    let answer = crate::factors::sign_in(&app, "ada", None).await;
    assert_eq!(answer["data"]["signIn"]["mustEnrolSecondFactor"], true);
    let ada = crate::factors::client(&app, &answer);
    let list = "{ users(first: 1) { totalCount } }";
    let refused = ada.gql(list, json!({})).await;
    insta::assert_snapshot!(told(&refused), @"SECOND_FACTOR_ENROLMENT_REQUIRED -: You must have a second factor, and have none. Until you have set one up, by enrolPasskey or enrolTotp, this session may do nothing else.");
    let (mut passkey, _) = set_up(&ada, json!({})).await;
    assert_eq!(code(&ada.gql(list, json!({})).await), "ok");
    let passkey = signed(&app, &mut passkey).await;
    let input = json!({"login": "ada", "password": PASSWORD, "passkey": passkey});
    let answer = ask(&app.anonymous(), crate::factors::SIGN_IN, input).await;
    assert_eq!(answer["data"]["signIn"]["mustEnrolSecondFactor"], false);
}

/// Where browsers make none, that is said.
#[tokio::test]
async fn an_address_has_no_passkeys() {
    for (url, some) in [
        ("http://127.0.0.1:4000", false),
        ("https://192.0.2.1", false),
        ("https://[::1]:4000", false),
        ("http://keys.example.com", false),
        ("https://keys.example.com", true),
        ("http://keys.localhost:4000", true),
        ("https://keys.example.com/under/a/path", true),
    ] {
        let app = TestApp::with(Setup {
            policy: Policy {
                password_cost: 4,
                public_url: url.into(),
                ..Policy::default()
            },
            ..Setup::default()
        })
        .await;
        user(&app, "ada", InstanceRole::Member).await;
        let (_, ada) = signed_in(&app, "ada").await;
        let features = app
            .anonymous()
            .data("{ serverInfo { features } }", json!({}))
            .await;
        let features = features["serverInfo"]["features"].to_string();
        assert_eq!(features.contains("passkeys"), some, "{url}");
        for answer in [
            ask(&ada, ENROL, json!({})).await,
            app.anonymous().gql(super::CHALLENGE, json!({})).await,
        ] {
            if some {
                assert_eq!(code(&answer), "ok", "{url}: {answer}");
            } else {
                let one = told(&answer).replace(url, "[url]");
                insta::allow_duplicates! { insta::assert_snapshot!(one, @"FORBIDDEN -: There are no passkeys at [url]: browsers make them for https:// addresses with a domain name, and for http://localhost. The operator can set public_url to such an address, which people then open."); }
            }
        }
    }
}

/// Challenges that were used are forgotten once their time is over.
#[tokio::test]
async fn what_is_over_is_forgotten() {
    let app = TestApp::new().await;
    super::somebody(&app, "ada", InstanceRole::Member).await;
    let purge = || keystead::factors::ops::purge(&app.app.db, &app.app.clock);
    app.app.clock.advance(TimeDelta::minutes(64));
    assert_eq!(purge().await.unwrap(), 0, "clocks may differ");
    app.app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(purge().await.unwrap(), 1);
}
