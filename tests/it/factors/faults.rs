//! The database is cut off in the middle of setting up a passkey, and of signing in with it or with a code: nothing is half done.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{PASSWORD, SIGN_IN, next_step, passkeys, signed_in, somebody, user};
use crate::support::{Cutting, Wanted};

fn wanted<'w>(key: Option<&'w str>, document: &'w str, input: &Value) -> Wanted<'w> {
    Wanted {
        key,
        once: None,
        document,
        variables: json!({ "input": input }),
    }
}

fn code(answer: &Value) -> Option<&str> {
    answer["errors"][0]["extensions"]["code"].as_str()
}

/// How many sessions that user has begun since the first, in the table and in the trail.
fn begun(name: &str) -> String {
    format!(
        "SELECT (SELECT count(*) - 1 FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.username = '{name}'),
            (SELECT count(*) - 1 FROM audit_events WHERE action = 'session.create' AND actor_name = '{name}')"
    )
}

#[tokio::test]
async fn a_passkey_is_set_up_whole_or_not_at_all() {
    let cutting = Cutting::new().await;
    let app = &cutting.app;
    let cuts = cutting
        .at_every_message(async |run| {
            let name = format!("user-{}", run.number);
            let owner = user(app, &name, InstanceRole::Member).await;
            let (_, client) = signed_in(app, &name).await;
            let (_, confirm) = passkeys::begin(&client, json!({})).await;
            let confirm = wanted(client.key(), passkeys::CONFIRM, &confirm);
            let there = format!(
                "SELECT (SELECT count(*) FROM second_factors WHERE user_id = '{0}'),
                    (SELECT count(*) / 10 FROM recovery_codes WHERE user_id = '{0}'),
                    (SELECT count(*) FROM audit_events WHERE action = 'secondFactor.create') - {1},
                    (SELECT count(*) FROM outbox WHERE lane = 'MAIL') - {1}",
                owner.id, run.number
            );
            let said = cutting.cut(run, &confirm).await;
            let before = cutting.counts(&there).await;
            assert!(
                said.agrees(&before),
                "{run:?}: {said:?}, and there are {before:?}"
            );
            let again = cutting.ask(&confirm).await;
            let told = (before[0] == 1).then_some("NOT_FOUND");
            assert_eq!(
                code(&again),
                told,
                "a challenge is good once: {run:?}: {again}"
            );
            assert_eq!(cutting.counts(&there).await, [1; 4], "{run:?}");
        })
        .await;
    assert!(cuts > 12, "{cuts}");
}

#[tokio::test]
async fn a_passkey_signs_in_whole_or_not_at_all() {
    let cutting = Cutting::new().await;
    let app = &cutting.app;
    let cuts = cutting
        .at_every_message(async |run| {
            let name = format!("user-{}", run.number);
            let mut ada = passkeys::somebody(app, &name, InstanceRole::Member).await;
            let signed = passkeys::signed(app, &mut ada.passkey).await;
            let sign_in = wanted(None, passkeys::SIGN_IN, &signed);
            let said = cutting.cut(run, &sign_in).await;
            let before = cutting.counts(&begun(&name)).await;
            assert!(
                said.agrees(&before),
                "{run:?}: {said:?}, and there are {before:?}"
            );
            let again = cutting.ask(&sign_in).await;
            let told = (before[0] == 1).then_some("UNAUTHENTICATED");
            assert_eq!(
                code(&again),
                told,
                "a challenge is good once: {run:?}: {again}"
            );
            assert_eq!(cutting.counts(&begun(&name)).await, [1; 2], "{run:?}");
            let signed = passkeys::signed(app, &mut ada.passkey).await;
            let another = cutting.ask(&wanted(None, passkeys::SIGN_IN, &signed)).await;
            assert_eq!(
                code(&another),
                None,
                "the passkey is good still: {run:?}: {another}"
            );
        })
        .await;
    assert!(cuts > 8, "{cuts}");
}

#[tokio::test]
async fn a_code_signs_in_whole_or_not_at_all() {
    let cutting = Cutting::new().await;
    let app = &cutting.app;
    let cuts = cutting
        .at_every_message(async |run| {
            let name = format!("user-{}", run.number);
            let ada = somebody(app, &name, InstanceRole::Member).await;
            let input = |otp: String| json!({"login": name, "password": PASSWORD, "otp": otp});
            let once = input(ada.phone.code(app, 0));
            let said = cutting.cut(run, &wanted(None, SIGN_IN, &once)).await;
            let before = cutting.counts(&begun(&name)).await;
            assert!(
                said.agrees(&before),
                "{run:?}: {said:?}, and there are {before:?}"
            );
            // A code is spent with the session that it has begun, and with nothing else.
            if before[0] == 0 {
                let again = cutting.ask(&wanted(None, SIGN_IN, &once)).await;
                assert_eq!(code(&again), None, "{run:?}: {again}");
            }
            assert_eq!(cutting.counts(&begun(&name)).await, [1; 2], "{run:?}");
            next_step(app);
            let next = input(ada.phone.code(app, 0));
            let next = cutting.ask(&wanted(None, SIGN_IN, &next)).await;
            assert_eq!(code(&next), None, "{run:?}: {next}");
        })
        .await;
    assert!(cuts > 16, "{cuts}");
}
