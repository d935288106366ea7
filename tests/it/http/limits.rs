//! Sizes, batches, rates, and who is counted.

use axum::body::{Body, Bytes};
use futures_util::stream;
use keystead::graphql::settings::Settings as ApiSettings;
use keystead::http::Settings;
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn a_body_is_bounded_whatever_it_says_of_itself() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let long = format!(
        r#"{{"query": "{{ __typename }}", "variables": {{"a": "{}"}}}}"#,
        "a".repeat(10_000_000)
    );
    let plain = client
        .request("POST", "/graphql")
        .header("content-type", "application/json")
        .body(long);
    let chunks = (0..200).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 10_000])));
    let chunked = client
        .request("POST", "/graphql")
        .header("content-type", "application/json")
        .header("content-length", "10")
        .body(Body::from_stream(stream::iter(chunks)));
    for call in [plain, chunked] {
        let answer = client.send(call).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "LIMIT_EXCEEDED")
        );
    }
    let nested = format!(
        r#"{{"query": "{{ __typename }}", "variables": {}1{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    let nested = client
        .request("POST", "/graphql")
        .header("content-type", "application/json")
        .body(nested);
    assert_eq!(client.send(nested).await.status, 400);
}

#[tokio::test]
async fn a_batch_has_ten_operations_at_most_and_each_its_answer() {
    let app = TestApp::new().await;
    let one = json!({"query": "{ __typename }"});
    let answer = app
        .anonymous()
        .post(&json!([one, {"query": "{ nothing }"}, one]))
        .await;
    assert_eq!(answer.status, 200);
    let answers = answer.json();
    assert_eq!(answers[0]["data"], json!({"__typename": "Query"}));
    assert_eq!(
        answers[1]["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
    assert_eq!(answers[2]["data"], json!({"__typename": "Query"}));
    let many: Vec<Value> = vec![one; 11];
    let answer = app.anonymous().post(&many.into()).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "LIMIT_EXCEEDED")
    );
}

#[tokio::test]
async fn a_fault_in_a_batch_is_named_by_its_place() {
    let app = TestApp::new().await;
    let one = json!({"query": "{ __typename }"});
    for (wrong, field, message) in [
        (
            json!({"query": 7}),
            "2.query",
            "Operation 2 of the batch, counted from 0: 'query' must be a string; it is a number.",
        ),
        (
            json!({"operationName": "a"}),
            "2.query",
            "Operation 2 of the batch, counted from 0: The key 'query' is missing: a string with the GraphQL document.",
        ),
        (
            json!({"query": "{ a }", "variables": []}),
            "2.variables",
            "Operation 2 of the batch, counted from 0: 'variables' must be an object; it is an array.",
        ),
        (
            json!(null),
            "2",
            "Operation 2 of the batch, counted from 0: A GraphQL request is a JSON object with the key 'query'; this is null.",
        ),
    ] {
        let answer = app.anonymous().post(&json!([one, one, wrong])).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "BAD_REQUEST")
        );
        let error = &answer.json()["errors"][0];
        assert_eq!(error["message"], message);
        assert_eq!(error["extensions"]["field"], field);
    }
    let alone = app.anonymous().post(&json!({"query": 7})).await.json();
    assert_eq!(alone["errors"][0]["extensions"]["field"], "query");
}

#[tokio::test]
async fn each_operation_counts_and_the_answer_says_when_to_come_again() {
    let api = ApiSettings {
        requests_per_actor: 5,
        requests_per_address: 3,
        ..ApiSettings::default()
    };
    let http = Settings {
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..Settings::default()
    };
    let app = TestApp::with_settings(api, http).await;
    let one = json!({"query": "{ __typename }"});
    let batch: Value = vec![one.clone(); 5].into();
    assert_eq!(app.admin().post(&batch).await.status, 200);
    for accept in ["application/json", "application/graphql-response+json"] {
        let call = app
            .admin()
            .request("POST", "/graphql")
            .header("accept", accept)
            .json(&one);
        let answer = app.admin().send(call).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (429, "RATE_LIMITED")
        );
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_eq!(
            answer.json()["errors"][0]["extensions"]["retryAfter"],
            seconds
        );
    }
    // Those without a credential count by their address; a trusted proxy speaks for its clients, others do not.
    let client = app.anonymous();
    let status = async |from: &str, forwarded: Option<&str>| {
        let mut call = client.request("POST", "/graphql").json(&one).from(from);
        if let Some(forwarded) = forwarded {
            call = call.header("x-forwarded-for", forwarded);
        }
        client.send(call).await.status
    };
    for _ in 0..3 {
        assert_eq!(status("192.0.2.1", None).await, 200);
    }
    assert_eq!(status("192.0.2.1", Some("192.0.2.9")).await, 429);
    assert_eq!(
        status("10.0.0.1", Some("8.8.8.8, 192.0.2.1, 10.0.0.2")).await,
        429
    );
    assert_eq!(status("10.0.0.1", Some("192.0.2.1, 192.0.2.2")).await, 200);
    for _ in 0..3 {
        assert_eq!(status("2001:db8::1", None).await, 200);
    }
    assert_eq!(status("2001:db8::ffff", None).await, 429);
    assert_eq!(status("2001:db8:0:1::1", None).await, 200);
}

#[tokio::test]
async fn wrong_credentials_count_against_their_address() {
    let api = ApiSettings {
        requests_per_address: 3,
        ..ApiSettings::default()
    };
    let app = TestApp::with_settings(api, Settings::default()).await;
    let client = app.with_key("ks_wrong");
    let one = json!({"query": "{ __typename }"});
    for status in [401, 401, 401, 429] {
        assert_eq!(client.post(&one).await.status, status);
    }
    assert_eq!(app.admin().post(&one).await.status, 200);
}

#[tokio::test]
async fn cost_is_told_and_counted() {
    let api = ApiSettings {
        cost_per_minute: 10,
        ..ApiSettings::default()
    };
    let app = TestApp::with_settings(api, Settings::default()).await;
    let query = json!({"query": "{ users(first: 5) { nodes { username } } }"});
    let answer = app.admin().post(&query).await;
    let cost = answer.json()["extensions"]["cost"].as_u64().unwrap();
    assert!(cost >= 5, "{cost}");
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(app.admin().post(&query).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}
