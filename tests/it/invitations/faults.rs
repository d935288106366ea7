//! The database is cut off in the middle of inviting and of accepting: nothing is half done, and trying again succeeds.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{ACCEPT, CREATE, PASSWORD, invite, team, token_of, told};
use crate::support::{Cutting, Said, Wanted};

const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { user { username } } }";

/// `once`: with an `Idempotency-Key`, with which trying again never makes a second one.
async fn inviting(once: bool) {
    let cutting = Cutting::new().await;
    let admin = cutting.app.admin_key.to_string();
    let cuts = cutting
        .at_every_message(async |run| {
            let email = format!("user-{}@example.com", run.number);
            let there = format!(
                "SELECT (SELECT count(*) FROM invitations WHERE email = '{email}'),
                    (SELECT count(*) FROM audit_events WHERE action = 'invitation.create' AND after ->> 'email' = '{email}'),
                    (SELECT count(*) FROM outbox WHERE lane = 'MAIL')
                        - (SELECT count(*) FROM invitations WHERE email <> '{email}')"
            );
            let wanted = Wanted {
                key: Some(&admin),
                once: once.then_some(email.as_str()),
                document: CREATE,
                variables: json!({"input": {"email": email}}),
            };
            let said = cutting.cut(run, &wanted).await;
            let before = cutting.counts(&there).await;
            assert!(said.agrees(&before), "{run:?}: {said:?}, and there are {before:?}");
            let again = cutting.ask(&wanted).await;
            let made = &again["data"]["createInvitation"];
            let token = token_of(made["link"].as_str().unwrap_or_else(|| panic!("{again}")));
            let count = if once { 1 } else { before[0] + 1 };
            assert_eq!(cutting.counts(&there).await, [count; 3], "{run:?}");
            if let (true, Said::Made(data)) = (once, &said) {
                assert_eq!(data["createInvitation"]["link"], made["link"], "the first answer again");
            }
            let accepted = cutting.ask(&accepting(&token, &email)).await;
            assert!(accepted["errors"].is_null(), "{run:?}: {accepted}");
        })
        .await;
    assert!(cuts > 12, "{cuts}");
}

#[tokio::test]
async fn an_invitation_is_made_and_its_mail_put_into_the_outbox_or_neither() {
    inviting(false).await;
}

#[tokio::test]
async fn with_an_idempotency_key_one_invitation_is_made_however_often_it_is_tried() {
    inviting(true).await;
}

fn accepting<'w>(token: &str, name: &str) -> Wanted<'w> {
    Wanted {
        key: None,
        once: None,
        document: ACCEPT,
        variables: json!({"input": {"token": token, "name": name, "password": PASSWORD}}),
    }
}

/// After the cut: either the token is good yet and works, or the user has come in and signs in with its password.
async fn accepts(cutting: &Cutting, token: &str, login: &str, said: &Said, there: &str) {
    let before = cutting.counts(there).await;
    assert!(said.agrees(&before), "{said:?}, and there are {before:?}");
    let again = cutting.ask(&accepting(token, login)).await;
    if before[0] == 0 {
        assert!(again["errors"].is_null(), "{said:?}: {again}");
    } else {
        assert!(told(&again).starts_with("NOT_FOUND input.token"), "{again}");
    }
    let after = cutting.counts(there).await;
    assert!(
        after.iter().all(|count| *count == 1),
        "{said:?}, {before:?}, then {after:?}"
    );
    let signing_in = Wanted {
        key: None,
        once: None,
        document: SIGN_IN,
        variables: json!({"input": {"login": login, "password": PASSWORD}}),
    };
    let signed_in = cutting.ask(&signing_in).await;
    assert!(
        signed_in["data"]["signIn"]["user"].is_object(),
        "{signed_in}"
    );
}

#[tokio::test]
async fn a_new_user_has_come_in_whole_or_not_at_all() {
    let cutting = Cutting::new().await;
    let blue = team(&cutting.app, "blue", json!([])).await;
    let cuts = cutting
        .at_every_message(async |run| {
            let email = format!("user-{}@example.com", run.number);
            let input = json!({"email": email, "memberships": [{"team": blue}]});
            let (invitation, token) = invite(&cutting.app.admin(), input).await;
            let there = format!(
                "WITH u AS (SELECT id FROM users WHERE username = '{email}')
                 SELECT (SELECT count(*) FROM u),
                    (SELECT count(*) FROM team_memberships WHERE user_id IN (SELECT id FROM u)),
                    (SELECT count(*) FROM sessions WHERE user_id IN (SELECT id FROM u) AND method = 'INVITATION'),
                    (SELECT count(*) FROM invitations WHERE email = '{email}' AND accepted_by IN (SELECT id FROM u)),
                    (SELECT count(*) FROM audit_events WHERE action = 'user.create' AND after ->> 'username' = '{email}'),
                    (SELECT count(*) FROM audit_events WHERE action = 'invitation.accept' AND target = '{invitation}')"
            );
            let said = cutting.cut(run, &accepting(&token, &email)).await;
            accepts(&cutting, &token, &email, &said, &there).await;
        })
        .await;
    assert!(cuts > 20, "{cuts}");
}

#[tokio::test]
async fn a_user_that_exists_has_come_in_whole_or_not_at_all() {
    let cutting = Cutting::new().await;
    let cuts = cutting
        .at_every_message(async |run| {
            let login = format!("user-{}", run.number);
            let (user, _) = cutting.app.user(&login, InstanceRole::Member).await;
            let id = user.typed_id().to_string();
            let (invitation, token) = invite(&cutting.app.admin(), json!({ "user": id })).await;
            let there = format!(
                "SELECT (SELECT count(*) FROM users WHERE id = '{0}' AND password_hash IS NOT NULL AND name = '{login}'),
                    (SELECT count(*) FROM sessions WHERE user_id = '{0}' AND method = 'INVITATION'),
                    (SELECT count(*) FROM invitations WHERE user_id = '{0}' AND accepted_by = '{0}'),
                    (SELECT count(*) FROM audit_events WHERE action = 'user.introduce' AND target = '{id}'),
                    (SELECT count(*) FROM audit_events WHERE action = 'invitation.accept' AND target = '{invitation}')",
                user.id
            );
            let said = cutting.cut(run, &accepting(&token, &login)).await;
            accepts(&cutting, &token, &login, &said, &there).await;
        })
        .await;
    assert!(cuts > 20, "{cuts}");
}

#[tokio::test]
async fn whoever_is_signed_in_has_joined_whole_or_not_at_all() {
    let cutting = Cutting::new().await;
    let blue = team(&cutting.app, "blue", json!([])).await;
    let red = team(&cutting.app, "red", json!([])).await;
    let cuts = cutting
        .at_every_message(async |run| {
            let (user, ada) = cutting.app.user(&format!("user-{}", run.number), InstanceRole::Member).await;
            let input = json!({"email": "a@example.com", "memberships": [{"team": blue}, {"team": red}]});
            let (_, token) = invite(&cutting.app.admin(), input).await;
            let there = format!(
                "SELECT (SELECT count(*) / 2 FROM team_memberships WHERE user_id = '{0}'),
                    (SELECT count(*) % 2 FROM team_memberships WHERE user_id = '{0}') + (SELECT count(*) FROM invitations WHERE accepted_by = '{0}'),
                    (SELECT count(*) FROM audit_events WHERE action = 'invitation.accept' AND after ->> 'acceptedBy' = '{1}')",
                user.id,
                user.typed_id()
            );
            let wanted = Wanted {
                key: ada.key(),
                once: None,
                document: ACCEPT,
                variables: json!({"input": {"token": token}}),
            };
            let said = cutting.cut(run, &wanted).await;
            let before = cutting.counts(&there).await;
            assert!(said.agrees(&before), "{run:?}: {said:?}, and there are {before:?}");
            let mut again: Value = cutting.ask(&wanted).await;
            if before[0] == 0 {
                assert!(again["errors"].take().is_null(), "{again}");
            } else {
                assert!(told(&again).starts_with("NOT_FOUND input.token"), "{again}");
            }
            assert_eq!(cutting.counts(&there).await, [1; 3], "{run:?}");
        })
        .await;
    assert!(cuts > 12, "{cuts}");
}
