//! Codes that are not good: unknown, over, used, altered, of another kind, of a user who is gone, presented twice at once. What of each
//! kind is good for what is in the other files here; this is the table of all of them.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{CONFIRM, ENROL, Phone, ask, code, next_step, sign_in, signed_in, somebody, sql, user};
use crate::support::TestApp;

const WRONG: &str = "UNAUTHENTICATED input.otp";

#[tokio::test]
async fn codes_that_are_not_good_have_one_answer() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let eve = somebody(&app, "eve", InstanceRole::Member).await;
    let used = ada.phone.code(&app, 0);
    let over = ada.phone.code(&app, -2);
    assert_eq!(code(&sign_in(&app, "ada", Some(&used)).await), "ok");
    assert_eq!(code(&sign_in(&app, "ada", Some(&ada.codes[0])).await), "ok");
    let mut altered = ada.codes[1].clone();
    let other = if altered.starts_with('a') { "b" } else { "a" };
    altered.replace_range(..1, other);
    let mut said = std::collections::BTreeSet::new();
    for otp in [
        &used,
        &over,
        &ada.phone.wrong(&app),
        &ada.codes[0],
        &altered,
        &eve.codes[0],
    ] {
        let answer = sign_in(&app, "ada", Some(otp)).await;
        assert_eq!(code(&answer), WRONG, "{otp}");
        said.insert(answer["errors"][0]["message"].as_str().unwrap().to_owned());
        next_step(&app);
    }
    assert_eq!(said.len(), 1, "{said:?}");
    // Secrets of other kinds have another form.
    let session = ada.client.key().unwrap().to_owned();
    let long = "1".repeat(5_000);
    for otp in [
        "",
        " ",
        "12345",
        "1234567",
        "12345a",
        "１２３４５６",
        "u-u-u-u",
        &session,
        &long,
        "\0",
    ] {
        let answer = sign_in(&app, "ada", Some(otp)).await;
        assert_eq!(code(&answer), "BAD_USER_INPUT input.otp", "{otp:?}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(otp.trim().is_empty() || !message.contains(otp), "{message}");
    }
}

/// The password is asked first, so codes say nothing about users; and one who is gone, or may not act, is not there.
#[tokio::test]
async fn codes_of_users_who_are_gone() {
    let app = TestApp::new().await;
    let ada = somebody(&app, "ada", InstanceRole::Member).await;
    let eve = somebody(&app, "eve", InstanceRole::Member).await;
    sql(
        &app,
        "UPDATE users SET enabled = false WHERE username = 'eve'",
    )
    .await;
    assert_eq!(
        code(&sign_in(&app, "eve", Some(&eve.codes[0])).await),
        "UNAUTHENTICATED -"
    );
    sql(
        &app,
        "UPDATE users SET enabled = true WHERE username = 'eve'",
    )
    .await;
    assert_eq!(
        code(&sign_in(&app, "eve", Some(&eve.codes[0])).await),
        "ok",
        "it was not spent"
    );
    let id = app
        .admin()
        .data("{ user(by: {username: \"ada\"}) { id } }", json!({}))
        .await;
    let delete = "mutation($input: DeleteUserInput!) { deleteUser(input: $input) { __typename } }";
    assert_eq!(
        code(&ask(&app.admin(), delete, json!({"id": id["user"]["id"]})).await),
        "ok"
    );
    for otp in [&ada.phone.code(&app, 0), &ada.codes[0]] {
        assert_eq!(
            code(&sign_in(&app, "ada", Some(otp)).await),
            "UNAUTHENTICATED -"
        );
    }
    let client = app.app.db.endpoint().client().await.unwrap();
    let left =
        "SELECT (SELECT count(*) FROM second_factors) + (SELECT count(*) FROM recovery_codes)";
    assert_eq!(
        client.query_one(left, &[]).await.unwrap().get::<_, i64>(0),
        10,
        "eve's, of which one was used"
    );
}

/// A user that is deleted while it sets up an app, and one whose session ends meanwhile.
#[tokio::test]
async fn what_was_begun_goes_with_its_user() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    let begun = ask(&ada, ENROL, json!({})).await;
    let phone = Phone::reading(begun["data"]["enrolTotp"]["secret"].as_str().unwrap());
    sql(&app, "DELETE FROM sessions").await;
    let confirm = json!({"code": phone.code(&app, 0)});
    assert_eq!(
        code(&ask(&ada, CONFIRM, confirm.clone()).await),
        "UNAUTHENTICATED -"
    );
    // Another session of hers may go on.
    let (_, again) = signed_in(&app, "ada").await;
    sql(
        &app,
        "UPDATE factor_challenges SET state = set_byte(state, 20, get_byte(state, 20) # 1)",
    )
    .await;
    assert_eq!(
        code(&ask(&again, CONFIRM, confirm).await),
        "INTERNAL_SERVER_ERROR -",
        "altered in the database"
    );
    let begun = ask(&again, ENROL, json!({})).await;
    let phone = Phone::reading(begun["data"]["enrolTotp"]["secret"].as_str().unwrap());
    let confirm = json!({"code": phone.code(&app, 0)});
    assert_eq!(code(&ask(&again, CONFIRM, confirm).await), "ok");
}
