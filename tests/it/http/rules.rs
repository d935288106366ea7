//! GET, methods, credentials, request ids, headers, CORS, and pages of other sites.

use keystead::graphql::settings::Settings as ApiSettings;
use keystead::http::Settings;
use serde_json::json;

use crate::support::TestApp;

const TYPENAME: &str = "/graphql?query=%7B%20__typename%20%7D";

#[tokio::test]
async fn get_is_for_queries() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let answer = client.send(client.request("GET", TYPENAME)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"], json!({"__typename": "Query"}));
    let with_all = "/graphql?query=query+A($a:String!)%7B__type(name:$a)%7Bname%7D%7D&operationName=A&variables=%7B%22a%22:%22User%22%7D&extensions=%7B%7D";
    let answer = client.send(client.request("GET", with_all)).await;
    assert_eq!(answer.json()["data"], json!({"__type": {"name": "User"}}));
    let mutation =
        "/graphql?query=mutation%7BcreateUser(input:%7Busername:%22ada%22%7D)%7Buser%7Bid%7D%7D%7D";
    let answer = app.admin().send(app.admin().request("GET", mutation)).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    for (path, status) in [
        ("/graphql", 400),
        ("/graphql?query=%7B__typename%7D&variables=7", 400),
        ("/graphql?query=%7B__typename%7D&variables=%7B", 400),
        (
            "/graphql?query=%7B__typename%7D&query=%7B__typename%7D",
            400,
        ),
        ("/graphql?query=%7B__typename%7D%20%23%20%FF", 400),
    ] {
        let answer = client.send(client.request("GET", path)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    for method in ["PUT", "DELETE", "PATCH", "HEAD"] {
        let answer = client.send(client.request(method, "/graphql")).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, POST"));
    }
}

#[tokio::test]
async fn a_wrong_credential_is_401_and_says_what_would_be_right() {
    let app = TestApp::new().await;
    let wrong = [
        "Bearer ks_wrong",
        "Bearer ks_0000000000000000000000000000000000000",
        "Basic !!!",
        "Basic YTpi",
        "Digest x",
        "Bearer",
        "",
    ];
    for value in wrong {
        let client = app.anonymous();
        let call = client
            .request("POST", "/graphql")
            .header("authorization", value)
            .json(&json!({"query": "{ __typename }"}));
        let answer = client.send(call).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "UNAUTHENTICATED"),
            "{value}"
        );
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains("Bearer") && challenge.contains("Basic realm=\"keystead\""));
        assert!(answer.json().get("data").is_none());
    }
}

#[tokio::test]
async fn request_ids_go_in_and_out() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let answer = client.send(client.request("GET", TYPENAME)).await;
    assert_eq!(answer.header("x-request-id"), "test-request");
    let made = crate::support::Call::new("GET", "/healthz").header("x-request-id", "two words");
    let answer = client.send(made).await;
    assert_eq!(answer.header("x-request-id").len(), 32);
    let long =
        crate::support::Call::new("GET", "/healthz").header("x-request-id", &"a".repeat(129));
    assert_eq!(client.send(long).await.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    for (path, status, content_type, cache) in [
        (TYPENAME, 200, "application/json; charset=utf-8", "no-store"),
        ("/", 200, "text/html; charset=utf-8", "no-cache"),
        (
            "/graphiql/app.js",
            200,
            "text/javascript; charset=utf-8",
            "no-cache",
        ),
        (
            "/schema.graphql",
            200,
            "text/plain; charset=utf-8",
            "no-cache",
        ),
        (
            "/healthz",
            200,
            "application/json; charset=utf-8",
            "no-store",
        ),
        (
            "/readyz",
            200,
            "application/json; charset=utf-8",
            "no-store",
        ),
        (
            "/nothing",
            404,
            "application/json; charset=utf-8",
            "no-store",
        ),
        (
            "/graphiql/../Cargo.toml",
            404,
            "application/json; charset=utf-8",
            "no-store",
        ),
        (
            "/graphiql/nothing",
            404,
            "application/json; charset=utf-8",
            "no-store",
        ),
    ] {
        let answer = client.send(client.request("GET", path)).await;
        assert_eq!(answer.status, status, "{path}: {:?}", answer.text());
        assert_eq!(answer.header("content-type"), content_type, "{path}");
        assert_eq!(answer.header("cache-control"), cache, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    let page = client.send(client.request("GET", "/")).await;
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    let again = client
        .request("GET", "/")
        .header("if-none-match", page.header("etag"));
    let again = client.send(again).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let script = client.send(client.request("GET", "/graphiql/app.js")).await;
    assert_eq!(script.header("content-encoding"), "gzip");
    let wrong = client.send(client.request("POST", "/schema.graphql")).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (405, "BAD_REQUEST"));
    assert!(wrong.header("allow").contains("GET"));
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_ask() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let call = client
        .request("GET", "/schema.graphql")
        .header("accept-encoding", "gzip");
    let answer = client.send(call).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert!(answer.body.starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn cors_is_for_the_origins_that_are_set() {
    let http = Settings {
        cors_origins: vec!["https://app.example.com".into()],
        ..Settings::default()
    };
    let app = TestApp::with_settings(ApiSettings::default(), http).await;
    let client = app.anonymous();
    for (origin, allowed) in [
        ("https://app.example.com", true),
        ("https://evil.example", false),
    ] {
        let preflight = client
            .request("OPTIONS", "/graphql")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            );
        let answer = client.send(preflight).await;
        assert_eq!(
            answer.header("access-control-allow-origin") == origin,
            allowed,
            "{origin}"
        );
        let call = client.request("GET", TYPENAME).header("origin", origin);
        let answer = client.send(call).await;
        assert_eq!(answer.status == 200, allowed, "{origin}");
        assert_eq!(
            answer.header("access-control-expose-headers"),
            "x-request-id,retry-after,idempotency-replayed",
            "{origin}"
        );
        assert_eq!(
            answer.header("access-control-allow-origin") == origin,
            allowed,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn what_a_page_of_another_site_sends_without_asking_is_refused() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let table: [(&[(&str, &str)], u16); 7] = [
        (&[], 200),
        (&[("sec-fetch-site", "none")], 200),
        (&[("sec-fetch-site", "same-origin")], 200),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (
            &[("origin", "https://evil.example"), ("host", "keys.example")],
            403,
        ),
        (
            &[
                ("sec-fetch-site", "cross-site"),
                ("apollo-require-preflight", "true"),
            ],
            200,
        ),
    ];
    for (headers, status) in table {
        let mut call = client.request("GET", TYPENAME);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        assert_eq!(client.send(call).await.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn switched_off_pages_say_so() {
    let http = Settings {
        graphiql: false,
        metrics: false,
        ..Settings::default()
    };
    let app = TestApp::with_settings(ApiSettings::default(), http).await;
    let client = app.anonymous();
    for path in ["/", "/graphiql/app.js", "/metrics"] {
        let answer = client.send(client.request("GET", path)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "NOT_FOUND"),
            "{path}"
        );
    }
}
