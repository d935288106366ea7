//! `/v1/authorize` by rules: what proxies say of their client's request, and what clients try.

use keystead::http::{Rule, Rules, Settings};
use keystead::permissions::model::InstanceRole;

use super::openapi::described;
use crate::api_keys::grant;
use crate::support::{Call, TestApp};

fn rule(methods: &[&str], host: Option<&str>, prefix: &str, asked: Option<(&str, &str)>) -> Rule {
    Rule {
        methods: methods.iter().map(|one| (*one).to_owned()).collect(),
        host: host.map(str::to_owned),
        prefix: prefix.into(),
        privilege: asked.map(|(privilege, _)| privilege.into()),
        path: asked.map(|(_, path)| path.into()),
        requests: None,
    }
}

/// An app with rules, and a user who may use the models below `/models/open` and all of `/files/team`.
async fn app() -> (TestApp, String) {
    let rules = [
        rule(
            &["GET", "HEAD"],
            None,
            "/v1/models/{model}",
            Some(("model.read", "/models/open/{model}")),
        ),
        rule(
            &[],
            None,
            "/v1/models/{model}",
            Some(("model.use", "/models/open/{model}")),
        ),
        rule(
            &[],
            None,
            "/files/{*rest}",
            Some(("file.read", "/files/{*rest}")),
        ),
        rule(
            &[],
            Some("admin.example.com"),
            "/",
            Some(("admin.use", "/admin")),
        ),
        rule(&[], None, "/health%7Echeck", None),
    ];
    let settings = Settings {
        authorize: Rules::new(&rules).unwrap(),
        ..Settings::default()
    };
    let app = TestApp::with_settings(Default::default(), settings).await;
    let (ada, key) = app.user_with_key("ada", InstanceRole::Member).await;
    grant(&app, &ada, "/models/open", "READ").await;
    grant(&app, &ada, "/files/team", "READ").await;
    (app, key)
}

async fn status(app: &TestApp, path: &str, key: &str, headers: &[(&str, &str)]) -> u16 {
    let call = Call::new("GET", path).header("x-api-key", key);
    let call = headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, value));
    let answer = app.anonymous().send(call).await;
    let route = match path.starts_with("/v1/authorize/") {
        true => "/v1/authorize/{uri}",
        false => "/v1/authorize",
    };
    described("get", route, &answer);
    answer.status
}

#[tokio::test]
async fn the_first_rule_that_matches_decides_and_what_none_matches_is_refused() {
    let (app, key) = app().await;
    for (method, uri, expected) in [
        ("GET", "/v1/models/a", 200),
        ("GET", "/v1/models/a/", 200),
        ("GET", "/v1/models/a/b/c?x=y", 200),
        ("GET", "/v1/mod%65ls/a", 200),
        ("HEAD", "/v1/models/a", 200),
        ("POST", "/v1/models/a", 403),
        ("get", "/v1/models/a", 403),
        ("GET", "/v1/models", 403),
        ("GET", "/v1/modelsx/a", 403),
        ("GET", "/V1/models/a", 403),
        ("GET", "/files/team", 200),
        ("GET", "/files/team/a%20b/c", 200),
        ("DELETE", "/files/team/a", 200),
        ("GET", "/files/other", 403),
        ("GET", "/files", 403),
        ("GET", "/health~check", 200),
        ("GET", "/health~check/deep", 200),
        ("GET", "/", 403),
        ("GET", "/other", 403),
    ] {
        for (forwarded, uris) in [
            ("x-forwarded-method", "x-forwarded-uri"),
            ("x-original-method", "x-original-uri"),
        ] {
            let found = status(
                &app,
                "/v1/authorize",
                &key,
                &[(forwarded, method), (uris, uri)],
            )
            .await;
            assert_eq!(found, expected, "{method} {uri}");
        }
        let url = format!("https://example.com{uri}");
        let headers = [
            ("x-original-method", method),
            ("x-original-url", url.as_str()),
        ];
        assert_eq!(
            status(&app, "/v1/authorize", &key, &headers).await,
            expected,
            "{method} {url}"
        );
    }
    // Whoever is unknown is told so, whatever it asks for.
    let headers = [("x-forwarded-method", "GET"), ("x-forwarded-uri", "/other")];
    assert_eq!(
        status(&app, "/v1/authorize", "ks_wrong", &headers).await,
        401
    );
}

#[tokio::test]
async fn a_uri_that_could_be_read_in_two_ways_is_refused_to_everybody() {
    let (app, _) = app().await;
    let key = app.admin_key.to_string();
    let ask = |uri: String| {
        let (app, key) = (&app, &key);
        async move {
            let headers = [
                ("x-forwarded-method", "GET"),
                ("x-forwarded-uri", uri.as_str()),
            ];
            status(app, "/v1/authorize", key, &headers).await
        }
    };
    assert_eq!(ask("/files/team/a".into()).await, 200);
    for uri in [
        "",
        "files/team",
        "//files/team",
        "/files//team",
        "/files/team//",
        "/files/./team",
        "/files/team/../other",
        "/files/team/..",
        "/files/%2e%2e/other",
        "/files/%2E./other",
        "/files/.%2e/other",
        "/files/..;/other",
        "/files/.;a=b/other",
        "/files/;a/other",
        "/files/team%2fother",
        "/files/team%2Fother",
        "/files/team%5cother",
        "/files/team\\other",
        "/files/team%252e%252e",
        "/files/%252fetc",
        "/files/team%00",
        "/files/team%0a",
        "/files/team%",
        "/files/team%4",
        "/files/team%zz",
        "/files/%ff",
        "/files/te am",
        "/files/team#fragment",
        "/files/\u{e9}",
        "http:/files/team",
    ] {
        assert_eq!(ask(uri.into()).await, 403, "{uri:?}");
    }
    // The query is not looked at.
    assert_eq!(ask("/files/team?a=/../b//c%2f".into()).await, 200);
    // What makes no path of ours is refused.
    assert_eq!(ask(format!("/files/{}", "a/".repeat(20))).await, 403);
    assert_eq!(ask(format!("/files/{}", "a".repeat(600))).await, 403);
}

#[tokio::test]
async fn a_client_gets_nothing_through() {
    let (app, key) = app().await;
    let ask = |path: &'static str, headers: &'static [(&'static str, &'static str)]| {
        let (app, key) = (&app, &key);
        async move { status(app, path, key, headers).await }
    };
    let plain = "/v1/authorize";
    // Nobody says what is asked for.
    assert_eq!(ask(plain, &[]).await, 403);
    assert_eq!(ask(plain, &[("x-forwarded-method", "GET")]).await, 403);
    // A rule about methods does not speak of a request without one; the next one does.
    assert_eq!(
        ask(plain, &[("x-forwarded-uri", "/v1/models/a")]).await,
        403
    );
    // The client sends a header that this proxy does not set.
    let forged: &[_] = &[
        ("x-original-method", "GET"),
        ("x-original-uri", "/files/other"),
        ("x-forwarded-uri", "/files/team"),
    ];
    assert_eq!(ask(plain, forged).await, 403);
    let twice: &[_] = &[
        ("x-forwarded-uri", "/files/other"),
        ("x-forwarded-uri", "/files/team"),
    ];
    assert_eq!(ask(plain, twice).await, 403);
    let methods: &[_] = &[
        ("x-forwarded-method", "GET"),
        ("x-original-method", "POST"),
        ("x-forwarded-uri", "/v1/models/a"),
    ];
    assert_eq!(ask(plain, methods).await, 403);
    let agreeing: &[_] = &[
        ("x-forwarded-uri", "/files/team"),
        ("x-original-uri", "/files/team"),
    ];
    assert_eq!(ask(plain, agreeing).await, 200);
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ] {
        let headers = [("x-forwarded-uri", "/files/team"), (name, "DELETE")];
        assert_eq!(status(&app, plain, &key, &headers).await, 403, "{name}");
    }
    // A query can ask for more, never for less.
    let other: &[_] = &[("x-forwarded-uri", "/files/other")];
    let team: &[_] = &[("x-forwarded-uri", "/files/team")];
    assert_eq!(
        ask("/v1/authorize?privilege=file.read&path=/files/team", other).await,
        403
    );
    assert_eq!(
        ask("/v1/authorize?privilege=file.read&path=/files/team", team).await,
        200
    );
    assert_eq!(
        ask("/v1/authorize?privilege=file.read&path=/files/other", team).await,
        403
    );
    assert_eq!(
        ask("/v1/authorize?privilege=file.read&path=/files/team", &[]).await,
        200
    );
    // Hosts.
    let key = app.admin_key.to_string();
    for (host, expected) in [
        ("admin.example.com", 200),
        ("ADMIN.example.com:8443", 200),
        ("example.com", 403),
        ("admin.example.com, example.com", 403),
        ("admin.example.com.evil.example", 403),
    ] {
        let headers = [("x-forwarded-uri", "/anything"), ("x-forwarded-host", host)];
        assert_eq!(
            status(&app, plain, &key, &headers).await,
            expected,
            "{host}"
        );
    }
    let headers = [
        ("x-forwarded-uri", "/anything"),
        ("host", "admin.example.com"),
    ];
    assert_eq!(status(&app, plain, &key, &headers).await, 403);
}

#[tokio::test]
async fn a_proxy_that_prefixes_the_uri_asks_by_rules_alone() {
    let (app, key) = app().await;
    for (path, expected) in [
        ("/v1/authorize/files/team", 200),
        (
            "/v1/authorize/files/team?privilege=file.read&path=/files/other",
            200,
        ),
        ("/v1/authorize/files/other", 403),
        (
            "/v1/authorize/files/other?privilege=file.read&path=/files/team",
            403,
        ),
        ("/v1/authorize/files/team/../other", 403),
        ("/v1/authorize/v1/models/a", 200),
        ("/v1/authorize/", 403),
        ("/v1/authorize//files/team", 403),
    ] {
        // What the client says in headers counts for nothing.
        let headers = [
            ("x-forwarded-uri", "/files/team"),
            ("x-forwarded-method", "GET"),
        ];
        assert_eq!(status(&app, path, &key, &headers).await, expected, "{path}");
    }
    let post = Call::new("POST", "/v1/authorize/v1/models/a").header("x-api-key", &key);
    assert_eq!(app.anonymous().send(post).await.status, 403);
    let admin = app.admin_key.to_string();
    for (host, expected) in [("admin.example.com:80", 200), ("example.com", 403)] {
        let headers = [("host", host), ("x-forwarded-host", "admin.example.com")];
        let found = status(&app, "/v1/authorize/anything", &admin, &headers).await;
        assert_eq!(found, expected, "{host}");
    }
    // Without rules nothing is known of anything.
    let bare = TestApp::new().await;
    let key = bare.admin_key.to_string();
    assert_eq!(
        status(&bare, "/v1/authorize/anything", &key, &[]).await,
        403
    );
}

#[test]
fn a_rule_that_means_nothing_is_refused_with_the_reason() {
    let asked = Some(("a.use", "/a"));
    let mut said = Vec::new();
    for wrong in [
        rule(&["get"], None, "/", asked),
        rule(&[""], None, "/", asked),
        rule(&[], Some(""), "/", asked),
        rule(&[], Some("https://a.example"), "/", asked),
        rule(&[], Some("a.example:80"), "/", asked),
        rule(&[], None, "", asked),
        rule(&[], None, "a", asked),
        rule(&[], None, "/a//b", asked),
        rule(&[], None, "/a/../b", asked),
        rule(&[], None, "/a{b}", asked),
        rule(&[], None, "/{}", asked),
        rule(&[], None, "/{a b}", asked),
        rule(&[], None, "/{a}/{a}", asked),
        rule(&[], None, "/{*a}/b", asked),
        rule(&[], None, "/{a}", Some(("a.use", "/{b}"))),
        rule(&[], None, "/{a}", Some(("a.use", "/{*a}"))),
        rule(&[], None, "/", Some(("a use", "/a"))),
        rule(&[], None, "/", Some(("a.use", "a"))),
        Rule {
            path: None,
            ..rule(&[], None, "/", asked)
        },
    ] {
        let error = Rules::new(&[rule(&[], None, "/", None), wrong]).unwrap_err();
        assert_eq!(error.index, 1);
        said.push(error.to_string());
    }
    insta::assert_json_snapshot!(said);
}
