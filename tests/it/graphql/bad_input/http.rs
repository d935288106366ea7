//! Bodies that are no requests.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn bodies_are_refused_by_size_form_and_coding() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let change = "mutation { createUser(input: {username: \"ada\"}) { user { id } } }";
    let mut bad_utf8 = json!({"query": change}).to_string().into_bytes();
    let at = bad_utf8.windows(3).position(|some| some == b"ada").unwrap();
    bad_utf8[at] = 0xff;
    let huge = json!({"query": change, "variables": {"x": "x".repeat(10_000_000)}}).to_string();
    let deep = format!(
        "{{\"query\": \"{{ __typename }}\", \"variables\": {{\"x\": {}{}}}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let mut found = Vec::new();
    for (name, body) in [
        ("10 MB", huge.into_bytes()),
        ("not UTF-8", bad_utf8),
        ("nested 10,000 deep", deep.into_bytes()),
        (
            "half a surrogate",
            b"{\"query\": \"{ user(by: {username: \\\"\\ud800\\\"}) { id } }\"}".to_vec(),
        ),
        (
            "a byte order mark",
            [
                b"\xef\xbb\xbf".as_slice(),
                json!({"query": change}).to_string().as_bytes(),
            ]
            .concat(),
        ),
        (
            "cut",
            json!({"query": change}).to_string().into_bytes()[..30].to_vec(),
        ),
        ("nothing", Vec::new()),
        ("NUL", vec![0]),
    ] {
        let call = admin
            .request("POST", "/graphql")
            .header("content-type", "application/json");
        let answer = admin.send(call.body(body)).await;
        let error = answer.json()["errors"][0].clone();
        found.push(format!(
            "{name}: {} {} {}",
            answer.status, error["extensions"]["code"], error["message"]
        ));
    }
    insta::assert_json_snapshot!(found);
    let left = admin.data("{ users { totalCount } }", json!({})).await;
    assert_eq!(left, json!({"users": {"totalCount": 1}}));
}

/// Of a key that stands twice in JSON the last counts, as `docs/api.md` says; nothing is done twice.
#[tokio::test]
async fn the_last_of_two_equal_keys_counts() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let body = r#"{"query": "mutation($input: CreateUserInput!) { createUser(input: $input) { user { username name } } }",
        "variables": {"input": {"username": "first"}},
        "variables": {"input": {"username": "second", "name": "One", "name": "Two"}}}"#;
    let call = admin
        .request("POST", "/graphql")
        .header("content-type", "application/json");
    let answer = admin.send(call.body(body)).await.json();
    assert_eq!(
        answer["data"]["createUser"]["user"],
        json!({"username": "second", "name": "Two"})
    );
    let left = admin.data("{ users { totalCount } }", json!({})).await;
    assert_eq!(left, json!({"users": {"totalCount": 2}}));
}
