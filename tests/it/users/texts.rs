//! What may stand in a new user's fields, and what is made of it.

use serde_json::{Value, json};

use crate::support::TestApp;

const CREATE: &str = "mutation($input: CreateUserInput!) { createUser(input: $input) { user {
    username email name comment metadata expiresAt } } }";

fn nested(levels: usize) -> Value {
    let mut value = json!(1);
    for _ in 0..levels {
        value = json!({ "a": value });
    }
    value
}

fn input(fields: &Value) -> Value {
    let mut input = json!({"username": "ada"});
    for (name, value) in fields.as_object().unwrap() {
        input[name] = value.clone();
    }
    json!({ "input": input })
}

#[tokio::test]
async fn each_input_has_its_rule() {
    let app = TestApp::new().await;
    let huge = "x".repeat(10_000_000);
    let mut found = Vec::new();
    for fields in [
        json!({"username": null}),
        json!({"username": ""}),
        json!({"username": 7}),
        json!({"username": "u".repeat(65)}),
        json!({"username": "ada lovelace"}),
        json!({"username": "ad\u{200b}a"}),
        json!({"username": "\u{430}da"}),
        json!({"username": "ada\u{0}"}),
        json!({"username": huge}),
        json!({"email": ""}),
        json!({"email": "ada"}),
        json!({"email": "a@b@c"}),
        json!({"email": "ada@-example.com"}),
        json!({"email": "ada@example..com"}),
        json!({"email": "ada @example.com"}),
        json!({"email": "a\u{202e}da@example.com"}),
        json!({"email": format!("{}@example.com", "a".repeat(65))}),
        json!({"email": huge}),
        json!({"name": ""}),
        json!({"name": "\u{3000}"}),
        json!({"name": "n".repeat(201)}),
        json!({"name": "e\u{301}".repeat(201)}),
        json!({"name": "\u{202e}evil"}),
        json!({"name": "a\u{feff}b"}),
        json!({"name": "two\nlines"}),
        json!({"name": huge}),
        json!({"comment": "c".repeat(2_001)}),
        json!({"comment": "bell\u{7}"}),
        json!({"comment": huge}),
        json!({"metadata": []}),
        json!({"metadata": "text"}),
        json!({"metadata": nested(17)}),
        json!({"metadata": {"a": "x".repeat(16_400)}}),
        json!({"metadata": {"a\u{0}": 1}}),
        json!({"metadata": {"a": ["\u{0}"]}}),
        json!({"expiresAt": "2030-01-01T11:59:59Z"}),
        json!({"expiresAt": "2030-01-01T12:00:00Z"}),
        json!({"expiresAt": "300000-01-01T00:00:00Z"}),
        json!({"expiresAt": "2031-02-30T00:00:00Z"}),
        json!({"expiresAt": ""}),
        json!({"password": "short"}),
        json!({"password": "p".repeat(73)}),
        json!({"kind": "ROBOT"}),
        json!({"role": "admin"}),
        json!({"enabled": 1}),
    ] {
        let answer = app.admin().gql(CREATE, input(&fields)).await;
        let error = &answer["errors"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let shown = format!(
            "{} {}: {}",
            text(&error["extensions"]["code"]),
            text(&error["extensions"]["field"]),
            text(&error["message"])
        );
        assert!(
            shown.len() < 400,
            "a value is repeated at length: {} bytes",
            shown.len()
        );
        found.push(shown);
    }
    insta::assert_json_snapshot!(found);
    let left = app
        .admin()
        .data("{ users { totalCount } }", json!({}))
        .await;
    assert_eq!(left["users"]["totalCount"], json!(1));
}

#[tokio::test]
async fn texts_are_kept_in_nfc_and_trimmed() {
    let app = TestApp::new().await;
    let fields = json!({
        "username": "Ada.L_2-x@y+z", "email": " e\u{301}va@exa\u{308}mple.com ", "name": "  E\u{301}va \u{1f469}\u{1f3fd} 李  ",
        "comment": "first\n\tsecond ", "metadata": nested(16), "expiresAt": "9999-12-31T23:59:59.999999Z"});
    let answer = app.admin().gql(CREATE, input(&fields)).await;
    insta::assert_json_snapshot!(answer);
    // What is not a NUL, but looks like one as text, is kept.
    let fields = json!({"username": "bob", "metadata": {"a": "\\u0000"}});
    let answer = app.admin().data(CREATE, input(&fields)).await;
    assert_eq!(
        answer["createUser"]["user"]["metadata"],
        json!({"a": "\\u0000"})
    );
}

#[tokio::test]
async fn a_name_with_nul_finds_nobody() {
    let app = TestApp::new().await;
    for by in [
        json!({"username": "a\u{0}"}),
        json!({"email": "a\u{0}@example.com"}),
    ] {
        let found = app
            .admin()
            .data(
                "query($by: UserBy!) { user(by: $by) { id } }",
                json!({ "by": by }),
            )
            .await;
        assert_eq!(found["user"], Value::Null);
    }
    let found = app
        .admin()
        .data(
            "query($by: TeamBy!) { team(by: $by) { id } }",
            json!({"by": {"slug": "a\u{0}"}}),
        )
        .await;
    assert_eq!(found["team"], Value::Null);
}
