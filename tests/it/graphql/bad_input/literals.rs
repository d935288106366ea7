//! Values that stand in the document itself: their errors name the place as those of variables do, and where in the text it is.

use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn errors_of_literals_name_the_field() {
    let app = TestApp::new().await;
    let user =
        |input: &str| format!("mutation {{ createUser(input: {{{input}}}) {{ user {{ id }} }} }}");
    let key =
        |input: &str| format!("mutation {{ generateApiKey(input: {{{input}}}) {{ secret }} }}");
    let mut found = Vec::new();
    for document in [
        user("username: \"ada\", expiresAt: \"yesterday\""),
        user("username: \"ada\", expiresAt: \"\"\"yesterday\"\"\""),
        user("username: \"ada\", expiresAt: \"\\u0032031\""),
        user("username: \"ada\", expiresAt: 7"),
        user("username: \"ada\", expiresAt: [1]"),
        user("username: \"ada\", expiresAt: {a: 1}"),
        user("username: \"ada\", expiresAt: NOW"),
        user(
            "username: \"ada\", apiKey: {permissions: [{path: \"/\", role: \"USE\"}, {path: \"/\", role: \"READ\", expiresAt: \"soon\"}]}",
        ),
        user("username: 7"),
        user("username: null"),
        user("email: \"ada@example.com\""),
        user("username: \"ada\", role: BOSS"),
        user("username: \"ada\", memberships: [{role: ADMIN}]"),
        user("username: \"ada\", nonsense: 1"),
        user("username: \"ada\", metadata: [1]"),
        key("expiresIn: \"a day\""),
        key("allowedCidrs: [\"10.0.0.0/8\", \"10.0.0.1/8\"]"),
        key("allowedCidrs: \"nowhere\""),
        "{ users(first: 1.5) { totalCount } }".into(),
        "{ users(filter: {createdFrom: \"300000-01-01T00:00:00Z\"}) { totalCount } }".into(),
        "query($at: DateTime = \"never\") { users(filter: {createdFrom: $at}) { totalCount } }"
            .into(),
        "{ user(by: {id: \"x\", username: \"y\"}) { id } }".into(),
        "{ user(by: {id: null}) { id } }".into(),
        "{ node { id } }".into(),
    ] {
        let answer = app.admin().gql(&document, json!({})).await;
        assert!(
            answer.get("data").is_none_or(Value::is_null),
            "{document}: {answer}"
        );
        let error = &answer["errors"][0];
        let part = |name: &str| {
            error["extensions"][name]
                .as_str()
                .unwrap_or("(none)")
                .to_owned()
        };
        let place = &error["locations"][0];
        found.push(format!(
            "{} {} at {}:{} {}",
            part("code"),
            part("field"),
            place["line"],
            place["column"],
            error["message"].as_str().unwrap()
        ));
    }
    insta::assert_json_snapshot!(found);
    let left = app
        .admin()
        .data("{ users { totalCount } apiKeys { totalCount } }", json!({}))
        .await;
    assert_eq!(
        left,
        json!({"users": {"totalCount": 1}, "apiKeys": {"totalCount": 1}})
    );
}

#[tokio::test]
async fn right_literals_of_every_form_pass() {
    let app = TestApp::new().await;
    for expires_at in [
        "\"2031-01-01T00:00:00Z\"",
        "\"\"\"2031-01-01T00:00:00Z\"\"\"",
        "\"\\u0032031-01-01T00:00:00Z\"",
        "null",
    ] {
        let document = format!(
            "mutation {{ generateApiKey(input: {{expiresAt: {expires_at}, allowedCidrs: \"::1\"}}) {{ apiKey {{ id }} }} }}"
        );
        app.admin().data(&document, json!({})).await;
    }
}
