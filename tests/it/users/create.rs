//! `createUser`.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use crate::support::TestApp;

const CREATE: &str = "mutation($input: CreateUserInput!) { createUser(input: $input) { user {
    username email name givenName familyName kind role enabled expiresAt comment metadata hasPassword createdAt updatedAt
    lastUsedAt } } }";

#[tokio::test]
async fn a_user_is_made_with_all_its_fields() {
    let app = TestApp::new().await;
    let answer = app
        .admin()
        .gql(
            CREATE,
            json!({"input": {
                "username": "ada", "email": "Ada@Example.com", "name": "Ada Lovelace", "givenName": "Ada",
                "familyName": "Lovelace", "kind": "SERVICE", "role": "AUDITOR", "enabled": false,
                "expiresAt": "2031-01-01T00:00:00+01:00", "comment": "first\nsecond", "metadata": {"a": [1, {"b": null}]},
                "password": "correct horse battery"}}),
        )
        .await;
    insta::assert_json_snapshot!(answer);
}

#[tokio::test]
async fn names_are_unique_without_regard_to_case() {
    let app = TestApp::new().await;
    app.user("ada", InstanceRole::Member).await;
    let taken = app
        .admin()
        .error(CREATE, json!({"input": {"username": "ADA"}}))
        .await;
    assert_eq!(
        taken,
        (
            "ALREADY_EXISTS".into(),
            "input.username".into(),
            "There is a user named 'ADA' already. Choose another name.".into()
        )
    );
    let taken = app
        .admin()
        .error(
            CREATE,
            json!({"input": {"username": "ada2", "email": "ADA@example.com"}}),
        )
        .await;
    assert_eq!(
        taken,
        (
            "ALREADY_EXISTS".into(),
            "input.email".into(),
            "The address 'ADA@example.com' belongs to another user already.".into()
        )
    );
}

#[tokio::test]
async fn a_member_may_not_make_users_and_nobody_may_anonymously() {
    let app = TestApp::new().await;
    let (_, member) = app.user("ada", InstanceRole::Member).await;
    let input = json!({"input": {"username": "bob"}});
    let (code, _, message) = member.error(CREATE, input.clone()).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    let (code, _, message) = app.anonymous().error(CREATE, input).await;
    assert_eq!(code, "UNAUTHENTICATED", "{message}");
}
