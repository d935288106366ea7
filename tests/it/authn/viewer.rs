//! `viewer`: who is calling, whatever its rights.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::support::TestApp;

const VIEWER: &str = "query($path: String! = \"/\") { viewer { user { username role } apiKey { name restricted } privileges(path: $path) } }";

#[tokio::test]
async fn a_key_of_an_administrator_holds_everything() {
    let app = TestApp::new().await;
    let before = app.app.db.statements();
    let answer = app.admin().data(VIEWER, json!({})).await;
    // Who is calling, the user, the key.
    assert_eq!(app.app.db.statements() - before, 3);
    let expected = json!({"user": {"username": "admin", "role": "ADMIN"}, "apiKey": {"name": "first", "restricted": false},
        "privileges": ["*"]});
    assert_eq!(answer["viewer"], expected);
}

#[tokio::test]
async fn a_restricted_key_may_ask_who_it_is() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let generate = "mutation { generateApiKey(input: {name: \"ci\", permissions: []}) { secret } }";
    let made = as_ada.data(generate, json!({})).await;
    let restricted = app.with_key(made["generateApiKey"]["secret"].as_str().unwrap());
    let path = format!("/users/{}", ada.typed_id());
    let answer = restricted.data(VIEWER, json!({"path": path})).await;
    let expected = json!({"user": {"username": "ada", "role": "MEMBER"}, "apiKey": {"name": "ci", "restricted": true},
        "privileges": []});
    assert_eq!(answer["viewer"], expected);
    let answer = as_ada.data(VIEWER, json!({"path": path})).await;
    let held: Vec<&str> = answer["viewer"]["privileges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| held.as_str().unwrap())
        .collect();
    assert_eq!(
        held,
        [
            "apiKey.read",
            "apiKey.write",
            "permission.read",
            "session.read",
            "session.write",
            "usage.read",
            "user.read"
        ]
    );
    let answer = as_ada.data(VIEWER, json!({})).await;
    assert_eq!(answer["viewer"]["privileges"], json!([]));
}

#[tokio::test]
async fn nobody_is_null_and_a_wrong_path_is_named() {
    let app = TestApp::new().await;
    let answer = app.anonymous().data(VIEWER, json!({})).await;
    assert_eq!(answer["viewer"], Value::Null);
    let (code, field, _) = app.admin().error(VIEWER, json!({"path": "models"})).await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "path"));
}
