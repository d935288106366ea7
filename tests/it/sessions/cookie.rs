//! Browsers keep sessions in a cookie, which is believed from our own pages alone.

use keystead::ctx::Policy;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{PASSWORD, SIGN_IN, cookie, user};
use crate::support::{Answer, Call, Setup, TestApp};

const WHO: &str = "{ viewer { user { username } session { id } } }";

async fn app(public_url: &str) -> TestApp {
    let app = TestApp::with(Setup {
        policy: Policy {
            password_cost: 4,
            public_url: public_url.into(),
            ..Policy::default()
        },
        ..Setup::default()
    })
    .await;
    user(&app, "ada", InstanceRole::Member).await;
    app
}

/// Signs in from a page of that origin, asking for a cookie.
async fn sign_in(app: &TestApp, headers: &[(&str, &str)]) -> Answer {
    let input = json!({"login": "ada", "password": PASSWORD, "cookie": true});
    post(app, headers, SIGN_IN, json!({"input": input})).await
}

async fn post(
    app: &TestApp,
    headers: &[(&str, &str)],
    document: &str,
    variables: serde_json::Value,
) -> Answer {
    let call =
        Call::new("POST", "/graphql").json(&json!({"query": document, "variables": variables}));
    let call = headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, value));
    app.anonymous().send(call).await
}

/// The cookie as a browser sends it back.
fn sent(set: &str) -> String {
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn with_tls_the_cookie_is_bound_to_the_host() {
    let app = app("https://keys.example.com").await;
    let origin = ("origin", "https://keys.example.com");
    let answer = sign_in(&app, &[origin]).await;
    assert!(
        answer.json()["data"]["signIn"]["secret"].is_null(),
        "{}",
        answer.text()
    );
    let set = cookie(&answer);
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert!(pair.starts_with("__Host-keystead=kss_"), "{pair}");
    assert_eq!(
        attributes,
        "Path=/; Max-Age=1209600; HttpOnly; SameSite=Strict; Secure"
    );

    let jar = sent(&set);
    let with = ("cookie", jar.as_str());
    let told = post(&app, &[origin, with], WHO, json!({})).await.json();
    assert_eq!(told["data"]["viewer"]["user"]["username"], "ada");
    // Among others, and in two headers.
    let two = [origin, ("cookie", "theme=dark; x=y"), with];
    let told = post(&app, &two, WHO, json!({})).await.json();
    assert_eq!(told["data"]["viewer"]["user"]["username"], "ada");
    // A header says more than a cookie.
    let admin = format!("Bearer {}", app.admin_key);
    let told = post(
        &app,
        &[origin, with, ("authorization", &admin)],
        WHO,
        json!({}),
    )
    .await
    .json();
    assert_eq!(told["data"]["viewer"]["user"]["username"], "admin");
    // The name for plain addresses is not looked at.
    let plain = jar.replace("__Host-", "");
    let told = post(&app, &[origin, ("cookie", &plain)], WHO, json!({}))
        .await
        .json();
    assert!(told["data"]["viewer"].is_null(), "{told}");
}

/// On this machine there is no TLS: the cookie has another name, since browsers refuse `__Host-` and `Secure` there.
#[tokio::test]
async fn on_this_machine_it_works_without_tls() {
    for (url, origin) in [
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("http://localhost", "http://localhost:80"),
        ("http://[::1]:4000", "http://[::1]:4000"),
    ] {
        let app = app(url).await;
        let set = cookie(&sign_in(&app, &[("origin", origin)]).await);
        let (pair, attributes) = set.split_once("; ").unwrap();
        assert!(pair.starts_with("keystead=kss_"), "{pair}");
        assert_eq!(
            attributes,
            "Path=/; Max-Age=1209600; HttpOnly; SameSite=Strict"
        );
        let told = post(
            &app,
            &[("origin", origin), ("cookie", pair)],
            WHO,
            json!({}),
        )
        .await;
        assert_eq!(told.json()["data"]["viewer"]["user"]["username"], "ada");
    }
    let app = app("http://keys.example.com").await;
    let answer = sign_in(&app, &[("origin", "http://keys.example.com")])
        .await
        .json();
    insta::assert_json_snapshot!(answer["errors"][0], {".extensions.requestId" => "[id]"});
}

#[tokio::test]
async fn pages_of_other_origins_borrow_nobody() {
    let app = app("https://keys.example.com").await;
    let own = ("origin", "https://keys.example.com");
    let jar = sent(&cookie(&sign_in(&app, &[own]).await));
    for strange in [
        vec![("origin", "https://evil.example.com")],
        vec![("origin", "http://keys.example.com")],
        vec![("origin", "https://keys.example.com:8443")],
        vec![("origin", "https://keys.example.com.evil.com")],
        vec![("origin", "null")],
        vec![("origin", "")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "cross-site")],
        vec![
            ("origin", "https://evil.example.com"),
            ("sec-fetch-site", "same-origin"),
        ],
        // The Host header is not believed.
        vec![
            ("origin", "https://evil.example.com"),
            ("host", "evil.example.com"),
        ],
        vec![],
    ] {
        let mut headers = strange.clone();
        headers.push(("cookie", &jar));
        let answer = post(&app, &headers, WHO, json!({})).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{strange:?}");
        let answer = sign_in(&app, &strange).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{strange:?}");
        assert_eq!(cookie(&answer), "", "{strange:?}");
    }
    // A page's own GET has no Origin, and says where it comes from.
    let get = Call::new(
        "GET",
        "/graphql?query=%7B%20viewer%20%7B%20user%20%7B%20username%20%7D%20%7D%20%7D",
    );
    let get = get
        .header("sec-fetch-site", "same-origin")
        .header("cookie", &jar);
    let told = app.anonymous().send(get).await.json();
    assert_eq!(told["data"]["viewer"]["user"]["username"], "ada");
    // Elsewhere than at /graphql cookies are not looked at.
    for path in ["/v1/usage.csv", "/v1/authorize/x"] {
        let call = Call::new("GET", path)
            .header(own.0, own.1)
            .header("cookie", &jar);
        assert_eq!(app.anonymous().send(call).await.status, 401, "{path}");
    }
}

/// A browser cannot get rid of such a cookie by itself.
#[tokio::test]
async fn the_cookie_goes_with_its_session() {
    let app = app("https://keys.example.com").await;
    let own = ("origin", "https://keys.example.com");
    let gone = "__Host-keystead=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure";
    let sign_out = "mutation { signOut(input: {}) { revoked } }";
    let jar = sent(&cookie(&sign_in(&app, &[own]).await));
    let answer = post(&app, &[own, ("cookie", &jar)], sign_out, json!({})).await;
    assert_eq!(answer.json()["data"]["signOut"]["revoked"], 1);
    assert_eq!(cookie(&answer), gone);
    // Sent once more it is nobody's, and taken away; one can sign in with it in hand.
    let answer = post(&app, &[own, ("cookie", &jar)], WHO, json!({})).await;
    assert!(
        answer.json()["data"]["viewer"].is_null(),
        "{}",
        answer.text()
    );
    assert_eq!(cookie(&answer), gone);
    let answer = sign_in(&app, &[own, ("cookie", &jar)]).await;
    let jar = sent(&cookie(&answer));
    assert!(jar.starts_with("__Host-keystead=kss_"), "{}", answer.text());

    let revoke = "mutation($id: ID!) { revokeSession(input: {id: $id}) { revokedSessionId } }";
    let told = post(&app, &[own, ("cookie", &jar)], WHO, json!({}))
        .await
        .json();
    let id = told["data"]["viewer"]["session"]["id"].clone();
    let answer = post(&app, &[own, ("cookie", &jar)], revoke, json!({"id": id})).await;
    assert_eq!(cookie(&answer), gone, "{}", answer.text());
}

/// The head of an event stream is sent before the operation runs.
#[tokio::test]
async fn streams_cannot_set_cookies() {
    let app = app("https://keys.example.com").await;
    let own = ("origin", "https://keys.example.com");
    let answer = sign_in(&app, &[own, ("accept", "text/event-stream")]).await;
    assert_eq!(cookie(&answer), "");
    assert!(
        answer
            .text()
            .contains("input.cookie works in an answer to a POST alone"),
        "{}",
        answer.text()
    );
}
