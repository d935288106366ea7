//! Which form and status an answer has.

use serde_json::json;

use crate::support::TestApp;

const JSON: &str = "application/json; charset=utf-8";
const GRAPHQL: &str = "application/graphql-response+json; charset=utf-8";

#[tokio::test]
async fn the_accept_header_chooses_the_form() {
    let app = TestApp::new().await;
    let table = [
        (None, 200, JSON),
        (Some(""), 200, JSON),
        (Some("*/*"), 200, JSON),
        (Some("application/*"), 200, JSON),
        (Some("application/json"), 200, JSON),
        (Some("APPLICATION/JSON"), 200, JSON),
        (Some("application/json; charset=utf-8"), 200, JSON),
        (Some("application/graphql-response+json"), 200, GRAPHQL),
        (
            Some(
                "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
            ),
            200,
            GRAPHQL,
        ),
        (
            Some("application/json, application/graphql-response+json"),
            200,
            JSON,
        ),
        (
            Some("application/json;q=0.5, application/graphql-response+json"),
            200,
            GRAPHQL,
        ),
        (
            Some("application/graphql-response+json;q=0.1, */*"),
            200,
            JSON,
        ),
        (Some("*/*, application/graphql-response+json"), 200, GRAPHQL),
        (Some("text/html, */*;q=0.1"), 200, JSON),
        (Some("text/html"), 406, JSON),
        (Some("application/json;q=0"), 406, JSON),
        (Some("application/json; charset=iso-8859-1"), 406, JSON),
    ];
    for (accept, status, content_type) in table {
        let mut call = app
            .anonymous()
            .request("POST", "/graphql")
            .json(&json!({"query": "{ __typename }"}));
        if let Some(accept) = accept {
            call = call.header("accept", accept);
        }
        let answer = app.anonymous().send(call).await;
        assert_eq!(answer.status, status, "{accept:?}: {}", answer.text());
        assert_eq!(answer.header("content-type"), content_type, "{accept:?}");
    }
}

#[tokio::test]
async fn a_refused_operation_is_200_under_json_and_400_under_its_own_type() {
    let app = TestApp::new().await;
    let bodies = [
        (json!({"query": "{"}), "GRAPHQL_PARSE_FAILED"),
        (json!({"query": "{ nothing }"}), "GRAPHQL_VALIDATION_FAILED"),
        (
            json!({"query": "query A { __typename } query B { __typename }"}),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            json!({"query": "query A { __typename }", "operationName": "B"}),
            "OPERATION_RESOLUTION_FAILURE",
        ),
    ];
    for (body, code) in bodies {
        for (accept, status) in [
            ("application/json", 200),
            ("application/graphql-response+json", 400),
        ] {
            let call = app
                .anonymous()
                .request("POST", "/graphql")
                .header("accept", accept)
                .json(&body);
            let answer = app.anonymous().send(call).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (status, code),
                "{body}"
            );
            let json = answer.json();
            assert!(json.get("data").is_none(), "{json}");
            assert_eq!(json["errors"][0]["extensions"]["requestId"], "test-request");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_none_is_400_under_both() {
    let app = TestApp::new().await;
    let bodies: [&[u8]; 14] = [
        b"",
        b"not json",
        b"{\"query\": \"{ __typename }\"",
        b"\"{ __typename }\"",
        b"{}",
        b"{\"query\": null}",
        b"{\"query\": 7}",
        b"{\"query\": [\"{ __typename }\"]}",
        b"{\"query\": \"{ __typename }\", \"operationName\": {}}",
        b"{\"query\": \"{ __typename }\", \"variables\": \"{}\"}",
        b"{\"query\": \"{ __typename }\", \"extensions\": [1]}",
        b"{\"query\": \"{ __typename } # \xff\"}",
        b"[]",
        b"[{\"query\": \"{ __typename }\"}, 1]",
    ];
    for body in bodies {
        for accept in ["application/json", "application/graphql-response+json"] {
            let call = app
                .anonymous()
                .request("POST", "/graphql")
                .header("accept", accept)
                .header("content-type", "application/json")
                .body(body.to_vec());
            let answer = app.anonymous().send(call).await;
            let shown = String::from_utf8_lossy(body);
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (400, "BAD_REQUEST"),
                "{shown}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_in_utf8_is_415() {
    let app = TestApp::new().await;
    let types = [
        (None, 415),
        (Some("text/plain"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("multipart/form-data; boundary=x"), 415),
        (Some("application/json; charset=iso-8859-1"), 415),
        (Some("application/graphql"), 415),
        (Some("application/json"), 200),
        (Some("Application/JSON; Charset=\"UTF-8\""), 200),
    ];
    for (content_type, status) in types {
        let mut call = app
            .anonymous()
            .request("POST", "/graphql")
            .body(r#"{"query": "{ __typename }"}"#);
        if let Some(content_type) = content_type {
            call = call.header("content-type", content_type);
        }
        let answer = app.anonymous().send(call).await;
        assert_eq!(answer.status, status, "{content_type:?}");
    }
    let zipped = app
        .anonymous()
        .request("POST", "/graphql")
        .header("content-encoding", "gzip")
        .json(&json!({"query": "{ __typename }"}));
    assert_eq!(app.anonymous().send(zipped).await.status, 415);
}
