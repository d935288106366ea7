//! The database is cut off in the middle of signing in and of changing a password: nothing is half done, and trying again succeeds.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{PASSWORD, SIGN_IN, id, user};
use crate::support::{Cutting, Said, Wanted};

const CHANGE: &str =
    "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { user { id } } }";
const WHO: &str = "{ viewer { user { username } } }";
const NEW: &str = "another 7 green kettles";

fn sign_in<'w>(login: &str, password: &str) -> Wanted<'w> {
    Wanted {
        key: None,
        once: None,
        document: SIGN_IN,
        variables: json!({"input": {"login": login, "password": password}}),
    }
}

/// Signs in; the secret.
async fn signed_in(cutting: &Cutting, login: &str, password: &str) -> String {
    let answer = cutting.ask(&sign_in(login, password)).await;
    let secret = answer["data"]["signIn"]["secret"].as_str();
    secret.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn who(cutting: &Cutting, key: &str) -> Value {
    let wanted = Wanted {
        key: Some(key),
        once: None,
        document: WHO,
        variables: json!({}),
    };
    cutting.ask(&wanted).await["data"]["viewer"]["user"]["username"].take()
}

#[tokio::test]
async fn signing_in_is_done_whole_or_not_at_all_and_can_be_tried_again() {
    let cutting = Cutting::new().await;
    let cuts = cutting
        .at_every_message(async |run| {
            let login = format!("user-{}", run.number);
            let owner = user(&cutting.app, &login, InstanceRole::Member).await;
            let there = format!(
                "SELECT (SELECT count(*) FROM sessions WHERE user_id = '{}'),
                    (SELECT count(*) FROM audit_events WHERE action = 'session.create' AND after ->> 'user' = '{}')",
                owner.id,
                id(&owner)
            );
            let said = cutting.cut(run, &sign_in(&login, PASSWORD)).await;
            let before = cutting.counts(&there).await;
            assert!(said.agrees(&before), "{run:?}: {said:?}, and there are {before:?}");
            let secret = match &said {
                Said::Made(data) => data["signIn"]["secret"].as_str().unwrap().to_owned(),
                Said::Kept | Said::Nothing | Said::Perhaps => signed_in(&cutting, &login, PASSWORD).await,
            };
            assert_eq!(who(&cutting, &secret).await, login.as_str(), "{run:?}");
            let after = cutting.counts(&there).await;
            let more = i64::from(!matches!(said, Said::Made(_)));
            assert_eq!(after, [before[0] + more; 2], "{run:?}");
            // A password that was right is never one of too many that were wrong.
            let held = cutting.counts("SELECT count(*) FROM sign_in_attempts WHERE until > last_at").await;
            assert_eq!(held, [0], "{run:?}");
        })
        .await;
    assert!(cuts > 12, "{cuts}");
}

/// `once`: with an `Idempotency-Key`, with which trying again is always safe.
async fn change(once: bool) {
    let cutting = Cutting::new().await;
    let cuts = cutting
        .at_every_message(async |run| {
            let login = format!("user-{}", run.number);
            let owner = user(&cutting.app, &login, InstanceRole::Member).await;
            let by_session = signed_in(&cutting, &login, PASSWORD).await;
            let other = signed_in(&cutting, &login, PASSWORD).await;
            let there = format!(
                "SELECT (SELECT count(*) FROM users WHERE id = '{0}' AND password_changed_at IS NOT NULL),
                    (SELECT 2 - count(*) FROM sessions WHERE user_id = '{0}'),
                    (SELECT count(*) FROM audit_events WHERE action = 'user.setPassword' AND target = '{1}'),
                    (SELECT count(*) FROM outbox WHERE lane = 'MAIL') - {2}",
                owner.id,
                id(&owner),
                run.number
            );
            let wanted = Wanted {
                key: Some(&by_session),
                once: once.then_some(login.as_str()),
                document: CHANGE,
                variables: json!({"input": {"password": PASSWORD, "newPassword": NEW}}),
            };
            let said = cutting.cut(run, &wanted).await;
            let before = cutting.counts(&there).await;
            assert!(said.agrees(&before), "{run:?}: {said:?}, and there are {before:?}");
            let again = cutting.ask(&wanted).await;
            let code = again["errors"][0]["extensions"]["code"].as_str();
            if once || before[0] == 0 {
                assert_eq!(code, None, "{run:?}, {said:?}: {again}");
            } else {
                assert_eq!(code, Some("UNAUTHENTICATED"), "it is not the present one any more: {again}");
            }
            assert_eq!(cutting.counts(&there).await, [1; 4], "{run:?}");
            assert_eq!(who(&cutting, &by_session).await, login.as_str());
            assert_eq!(who(&cutting, &other).await, Value::Null);
            signed_in(&cutting, &login, NEW).await;
        })
        .await;
    assert!(cuts > 20, "{cuts}");
}

#[tokio::test]
async fn a_password_is_changed_whole_or_not_at_all() {
    change(false).await;
}

#[tokio::test]
async fn with_an_idempotency_key_a_password_is_changed_once_however_often_it_is_tried() {
    change(true).await;
}
