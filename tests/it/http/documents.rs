//! Which documents run: persisted ones, trusted ones, introspection.

use keystead::graphql::settings::Settings as ApiSettings;
use keystead::graphql::trusted::TrustedDocuments;
use keystead::http::Settings;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Client, TestApp};

const QUERY: &str = "query Q { __typename }";

fn sha256(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn persisted(hash: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}})
}

#[tokio::test]
async fn a_persisted_query_is_registered_once_and_then_named_by_its_hash() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let extensions = persisted(&sha256(QUERY));
    let by_hash = json!({"operationName": "Q", "extensions": extensions});
    let unknown = client.post(&by_hash).await;
    assert_eq!(unknown.status, 200);
    let error = &unknown.json()["errors"][0];
    assert_eq!(error["message"], "PersistedQueryNotFound");
    assert_eq!(error["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    let registered = client
        .post(&json!({"query": QUERY, "extensions": extensions}))
        .await;
    assert_eq!(registered.json()["data"], json!({"__typename": "Query"}));
    assert_eq!(
        client.post(&by_hash).await.json()["data"],
        json!({"__typename": "Query"})
    );
    // Apollo Client asks by GET where it is told to.
    let path = format!(
        "/graphql?operationName=Q&variables=%7B%7D&extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{}%22%7D%7D",
        sha256(QUERY)
    );
    let answer = client.send(client.request("GET", &path)).await;
    assert_eq!(answer.json()["data"], json!({"__typename": "Query"}));
}

#[tokio::test]
async fn a_wrong_hash_registers_nothing() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let other = sha256("{ a }");
    let wrong = [
        json!({"query": QUERY, "extensions": persisted(&other)}),
        json!({"query": QUERY, "extensions": persisted("abc")}),
        json!({"extensions": {"persistedQuery": {"version": 2, "sha256Hash": other}}}),
        json!({"extensions": {"persistedQuery": {"version": 1}}}),
        json!({"extensions": {"persistedQuery": 1}}),
    ];
    for body in wrong {
        let answer = client.post(&body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "BAD_REQUEST"),
            "{body}"
        );
    }
    let invalid = "{ nothing }";
    let extensions = persisted(&sha256(invalid));
    let answer = client
        .post(&json!({"query": invalid, "extensions": extensions}))
        .await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    let answer = client.post(&json!({"extensions": extensions})).await;
    assert_eq!(answer.code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn persisted_queries_can_be_switched_off() {
    let api = ApiSettings {
        persisted_queries: false,
        ..ApiSettings::default()
    };
    let app = TestApp::with_settings(api, Settings::default()).await;
    let extensions = persisted(&sha256(QUERY));
    let answer = app
        .anonymous()
        .post(&json!({"extensions": extensions}))
        .await;
    assert_eq!(
        answer.json()["errors"][0]["message"],
        "PersistedQueryNotSupported"
    );
    let answer = app
        .anonymous()
        .post(&json!({"query": QUERY, "extensions": extensions}))
        .await;
    assert_eq!(answer.json()["data"], json!({"__typename": "Query"}));
}

#[tokio::test]
async fn where_documents_are_listed_no_other_runs() {
    let hash = sha256(QUERY);
    let plain = json!({"q1": QUERY, hash.clone(): QUERY}).to_string();
    let apollo = json!({
        "format": "apollo-persisted-query-manifest", "version": 1,
        "operations": [
            {"id": "q1", "name": "Q", "type": "query", "body": QUERY},
            {"id": hash, "name": "Q", "type": "query", "body": QUERY},
        ],
    })
    .to_string();
    for manifest in [plain, apollo] {
        let api = ApiSettings {
            trusted: Some(TrustedDocuments::parse(&manifest).unwrap()),
            ..ApiSettings::default()
        };
        let app = TestApp::with_settings(api, Settings::default()).await;
        let listed = [
            json!({"documentId": "q1"}),
            json!({"doc_id": "q1"}),
            json!({"id": "q1"}),
            json!({"documentId": format!("sha256:{hash}")}),
            json!({"extensions": persisted(&hash)}),
            json!({"query": QUERY}),
            json!({"query": QUERY, "documentId": "q1"}),
        ];
        for body in listed {
            let answer = app.admin().post(&body).await;
            assert_eq!(
                answer.json()["data"],
                json!({"__typename": "Query"}),
                "{body}"
            );
        }
        let others = [
            json!({"documentId": "q2"}),
            json!({"query": "{ __typename }"}),
            json!({"query": "{ __typename }", "documentId": "q1"}),
            json!({"query": "{ __typename }", "extensions": persisted(&sha256("{ __typename }"))}),
        ];
        for body in others {
            let answer = app.admin().post(&body).await;
            assert_eq!(answer.code(), "UNTRUSTED_DOCUMENT", "{body}");
        }
    }
    for manifest in [
        "",
        "[]",
        r#"{"a": 1}"#,
        r#"{"format": "apollo-persisted-query-manifest"}"#,
    ] {
        let error = TrustedDocuments::parse(manifest).unwrap_err();
        assert!(error.message.len() > 20, "{manifest}: {error}");
    }
}

#[tokio::test]
async fn without_introspection_only_administrators_see_the_schema() {
    let api = ApiSettings {
        introspection: false,
        ..ApiSettings::default()
    };
    let app = TestApp::with_settings(api, Settings::default()).await;
    let (_, member) = app.user("ada", InstanceRole::Member).await;
    for client in [app.anonymous(), member] {
        let answer = client
            .post(&json!({"query": "{ __schema { queryType { name } } }"}))
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (200, "INTROSPECTION_DISABLED")
        );
        let hidden = "{ ...F } fragment F on Query { s: __schema { queryType { name } } }";
        assert_eq!(
            client.post(&json!({"query": hidden})).await.code(),
            "INTROSPECTION_DISABLED"
        );
        let answer = client
            .post(&json!({"query": "{ __type(name: \"User\") { name } }"}))
            .await;
        assert_eq!(answer.json()["data"], json!({"__type": null}));
        assert!(answer.json().get("errors").is_none());
    }
    let answer = app
        .admin()
        .post(&json!({"query": "{ __schema { queryType { name } } }"}))
        .await;
    assert_eq!(
        answer.json()["data"]["__schema"]["queryType"]["name"],
        "Query"
    );
}

#[tokio::test]
async fn without_introspection_the_schema_is_shown_to_administrators_alone() {
    let api = ApiSettings {
        introspection: false,
        ..ApiSettings::default()
    };
    let app = TestApp::with_settings(api, Settings::default()).await;
    let (_, member) = app.user("ada", InstanceRole::Member).await;
    let get = async |client: &Client| client.send(client.request("GET", "/schema.graphql")).await;
    for client in [app.anonymous(), member] {
        let answer = get(&client).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "NOT_FOUND"),
            "{}",
            answer.text()
        );
        assert_eq!(
            answer.json()["errors"][0]["message"],
            "The schema is not shown here: introspection is switched off. Send an administrator's key, or let whoever runs this \
             server set introspection to true."
        );
    }
    assert_eq!(get(&app.with_key("ks_wrong")).await.status, 401);
    let shown = get(&app.admin()).await;
    assert_eq!(shown.status, 200);
    assert!(shown.text().contains("type Query"), "{}", shown.text());
    assert_eq!(shown.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn a_variable_that_does_not_fit_is_a_request_error_that_names_its_field() {
    let app = TestApp::new().await;
    let query = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";
    for (variables, field) in [
        (json!({}), "input"),
        (json!({"input": null}), "input"),
        (json!({"input": {"username": 7}}), "input.username"),
        (
            json!({"input": {"username": "ada", "role": "KING"}}),
            "input.role",
        ),
        (
            json!({"input": {"username": "ada", "unknown": 1}}),
            "input.unknown",
        ),
    ] {
        let client = app.admin();
        let call = client
            .request("POST", "/graphql")
            .header("accept", "application/graphql-response+json")
            .json(&json!({"query": query, "variables": variables}));
        let answer = client.send(call).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "BAD_USER_INPUT"),
            "{variables}"
        );
        let json = answer.json();
        assert!(json.get("data").is_none());
        assert_eq!(json["errors"][0]["extensions"]["field"], field, "{json}");
    }
}
