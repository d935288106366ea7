//! Setting up an app that makes codes.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{
    CONFIRM, ENROL, MINE, PASSWORD, Phone, ask, code, later, set_up, sign_in, signed_in, somebody,
    text, user,
};
use crate::support::TestApp;

#[tokio::test]
async fn it_counts_once_a_code_of_it_was_shown() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, elsewhere) = signed_in(&app, "ada").await;
    let (_, ada) = signed_in(&app, "ada").await;
    let begun = ask(&ada, ENROL, json!({"name": " My phone "})).await;
    let begun = &begun["data"]["enrolTotp"];
    let (secret, uri) = (text(&begun["secret"]), text(&begun["uri"]));
    assert_eq!(
        uri,
        format!(
            "otpauth://totp/Keystead%20localhost:ada?secret={secret}&issuer=Keystead%20localhost"
        )
    );
    assert_eq!(begun["expiresAt"], "2030-01-01T12:15:00Z");
    let picture = text(&begun["qrCode"]);
    assert!(
        picture.contains("<svg") && picture.ends_with("</svg>"),
        "{picture}"
    );
    assert!(!picture.contains("script"), "{picture}");

    // It does not count yet.
    assert_eq!(code(&sign_in(&app, "ada", None).await), "ok");
    assert_eq!(
        ada.data(MINE, json!({})).await["viewer"]["user"]["secondFactors"],
        json!([])
    );

    let phone = Phone::reading(&secret);
    let confirmed = ask(&ada, CONFIRM, json!({"code": phone.code(&app, 0)})).await;
    insta::assert_json_snapshot!(confirmed, {
        ".data.confirmTotp.secondFactor.id" => "[id]",
        ".data.confirmTotp.recoveryCodes[]" => insta::dynamic_redaction(|value, _| {
            let code = value.as_str().unwrap();
            let groups: Vec<&str> = code.split('-').collect();
            assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 4), "{code}");
            "[code]"
        }),
    });
    insta::assert_json_snapshot!(ada.gql(MINE, json!({})).await, {".data.viewer.user.secondFactors[].id" => "[id]"});
    assert_eq!(
        code(&sign_in(&app, "ada", None).await),
        "SECOND_FACTOR_REQUIRED input.otp"
    );
    // What was begun without it has ended.
    assert_eq!(
        crate::sessions::refusal(&elsewhere).await.0,
        "UNAUTHENTICATED"
    );

    let trail = "{ auditEvents(first: 50, orderBy: {direction: ASC}) { nodes { action actorName before after } } }";
    let trail = app.admin().data(trail, json!({})).await;
    let of_factors: Vec<_> = trail["auditEvents"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| {
            event["action"]
                .as_str()
                .unwrap()
                .starts_with("secondFactor.")
        })
        .collect();
    insta::assert_json_snapshot!(of_factors, {"[].after.user" => "[user]"});
}

/// Neither the tables nor the trail has a secret or a recovery code in the clear.
#[tokio::test]
async fn secrets_are_sealed_and_codes_are_digests() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let begun = ask(&ada.client, ENROL, json!({"name": "Another"})).await;
    let begun = text(&begun["data"]["enrolTotp"]["secret"]);
    let client = app.app.db.endpoint().client().await.unwrap();
    let rows = client
        .query(
            "SELECT to_jsonb(f)::text FROM second_factors f UNION ALL SELECT to_jsonb(c)::text FROM factor_challenges c
             UNION ALL SELECT to_jsonb(r)::text FROM recovery_codes r UNION ALL SELECT to_jsonb(e)::text FROM audit_events e",
            &[],
        )
        .await
        .unwrap();
    assert!(rows.len() > 13);
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let mut secrets = vec![
        begun.clone(),
        hex(&Phone::reading(&begun).0),
        hex(&ada.phone.0),
    ];
    secrets.extend(ada.codes.iter().map(|code| code.replace('-', "")));
    secrets.extend(
        ada.codes
            .iter()
            .map(|code| hex(code.replace('-', "").as_bytes())),
    );
    for row in rows {
        let text: String = row.get(0);
        for secret in &secrets {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

/// A secret that is put into another user's row does not work there.
#[tokio::test]
async fn a_secret_is_sealed_for_its_user() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    somebody(&app, "eve", InstanceRole::Member).await;
    super::sql(
        &app,
        "UPDATE second_factors SET secret = (SELECT f.secret FROM second_factors f JOIN users u ON u.id = f.user_id WHERE u.username = 'ada'), counter = 0",
    )
    .await;
    let otp = ada.phone.code(&app, 0);
    assert_eq!(
        code(&sign_in(&app, "eve", Some(&otp)).await),
        "INTERNAL_SERVER_ERROR -"
    );
    assert_eq!(code(&sign_in(&app, "ada", Some(&otp)).await), "ok");
}

/// Whoever finds a session open does not get a factor of its own into the account.
#[tokio::test]
async fn an_older_session_is_no_proof() {
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
        // Of who has no factor a code is nothing.
        (json!({"otp": "123456"}), "BAD_USER_INPUT input.password"),
    ] {
        assert_eq!(
            code(&ask(&ada, ENROL, input.clone()).await),
            expected,
            "{input}"
        );
    }
    let (phone, _) = set_up(&app, &ada, json!({"password": PASSWORD})).await;
    // With a factor the password is not enough.
    for (input, expected) in [
        (
            json!({"password": PASSWORD}),
            "SECOND_FACTOR_REQUIRED input.otp",
        ),
        (
            json!({"password": PASSWORD, "otp": phone.wrong(&app)}),
            "UNAUTHENTICATED input.otp",
        ),
        (json!({"otp": "a code"}), "BAD_USER_INPUT input.otp"),
        (json!({"otp": phone.code(&app, 0)}), "ok"),
        (
            json!({"otp": phone.code(&app, 0)}),
            "UNAUTHENTICATED input.otp",
        ),
    ] {
        assert_eq!(
            code(&ask(&ada, ENROL, input.clone()).await),
            expected,
            "{input}"
        );
    }
    // Who has no password signs in anew; a key proves nothing by itself, and a restricted one may not even try.
    let (owner, key) = app.user("keyonly", InstanceRole::Member).await;
    let refused = ask(&key, ENROL, json!({"password": PASSWORD})).await;
    assert_eq!(code(&refused), "BAD_USER_INPUT input.password");
    let (_, restricted) = app.restricted(&owner, &[("/", "READ")]).await;
    assert_eq!(
        code(&ask(&restricted, ENROL, json!({})).await),
        "FORBIDDEN -"
    );
    assert_eq!(
        code(&ask(&app.anonymous(), ENROL, json!({})).await),
        "UNAUTHENTICATED -"
    );
}

#[tokio::test]
async fn what_is_begun_ends() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    let (_, eve) = {
        user(&app, "eve", InstanceRole::Member).await;
        signed_in(&app, "eve").await
    };
    assert_eq!(
        code(&ask(&ada, CONFIRM, json!({"code": "123456"})).await),
        "NOT_FOUND input.code"
    );
    let begun = |answer: &serde_json::Value| {
        Phone::reading(answer["data"]["enrolTotp"]["secret"].as_str().unwrap())
    };
    let first = begun(&ask(&ada, ENROL, json!({})).await);
    // Another user's is another.
    let of_ada = json!({"code": first.code(&app, 0)});
    assert_eq!(
        code(&ask(&eve, CONFIRM, of_ada.clone()).await),
        "NOT_FOUND input.code"
    );
    // The second one replaces the first.
    let second = begun(&ask(&ada, ENROL, json!({})).await);
    assert_eq!(
        code(&ask(&ada, CONFIRM, of_ada).await),
        "UNAUTHENTICATED input.code"
    );
    for (wrong, expected) in [
        ("", "BAD_USER_INPUT input.code"),
        ("12345", "BAD_USER_INPUT input.code"),
        ("١٢٣٤٥٦", "BAD_USER_INPUT input.code"),
        ("aaaa-bbbb-cccc-dddd", "BAD_USER_INPUT input.code"),
        (second.wrong(&app).as_str(), "UNAUTHENTICATED input.code"),
    ] {
        assert_eq!(
            code(&ask(&ada, CONFIRM, json!({"code": wrong})).await),
            expected,
            "{wrong}"
        );
    }
    // Once, also for two at the same time.
    let good = json!({"code": second.code(&app, 0)});
    let both = tokio::join!(
        ask(&ada, CONFIRM, good.clone()),
        ask(&ada, CONFIRM, good.clone())
    );
    let mut codes = [code(&both.0), code(&both.1)];
    codes.sort();
    assert_eq!(codes, ["NOT_FOUND input.code", "ok"]);
    assert_eq!(
        code(&ask(&ada, CONFIRM, good).await),
        "NOT_FOUND input.code"
    );
    // Its time is over.
    let third = begun(&ask(&ada, ENROL, json!({})).await);
    app.app.clock.advance(TimeDelta::minutes(15));
    let late = json!({"code": third.code(&app, 0)});
    assert_eq!(
        code(&ask(&ada, CONFIRM, late).await),
        "NOT_FOUND input.code"
    );
    let purged = keystead::factors::ops::purge(&app.app.db, &app.app.clock).await;
    assert_eq!(purged.unwrap(), 1);
}

#[tokio::test]
async fn there_may_be_several() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let (second, confirmed) = set_up(&app, &ada.client, json!({"name": "Tablet"})).await;
    assert!(
        confirmed["recoveryCodes"].is_null(),
        "she has some: {confirmed}"
    );
    for phone in [&ada.phone, &second] {
        let otp = phone.code(&app, 0);
        assert_eq!(code(&sign_in(&app, "ada", Some(&otp)).await), "ok");
    }
    let rename = "mutation($input: UpdateSecondFactorInput!) { updateSecondFactor(input: $input) { secondFactor { name } } }";
    let renamed = ask(
        &ada.client,
        rename,
        json!({"id": ada.factor, "name": "Old phone"}),
    )
    .await;
    assert_eq!(
        renamed["data"]["updateSecondFactor"]["secondFactor"]["name"],
        "Old phone"
    );
    for number in 2..20 {
        set_up(
            &app,
            &ada.client,
            json!({"name": format!("No. {number}"), "otp": ada.phone.code(&app, 0)}),
        )
        .await;
    }
    let many = json!({"otp": ada.phone.code(&app, 0)});
    assert_eq!(code(&ask(&ada.client, ENROL, many).await), "CONFLICT -");
}
