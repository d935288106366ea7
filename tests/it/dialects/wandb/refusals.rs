//! What is wrong with a request, or with who sends it. The client shows the text of these and tries none of them again: so no status may
//! be one that it repeats.

use serde_json::{Value, json};

use super::{PATH, basic, call, data, line, refused, send, viewer};
use crate::support::{Call, Setup, TestApp};
use keystead::graphql::settings::Settings as ApiSettings;
use keystead::permissions::model::InstanceRole;

/// Statuses after which the client gives up at once and shows what was said.
const FINAL: [u16; 9] = [400, 401, 402, 403, 404, 409, 410, 413, 422];

#[tokio::test]
async fn who_is_not_known_is_told_so() {
    let app = TestApp::new().await;
    let wrong_sum = format!("{}x", &app.admin_key[..39]);
    let unknown = keystead::secrets::Secret::generate_api_key(&keystead::ctx::Random::seeded(7));
    let (_, key) = app.user_with_key("bob", InstanceRole::Member).await;
    let bob = app.with_key(&key);
    assert_eq!(send(&bob, &viewer(), json!({})).await.status, 200);
    app.admin()
        .data(
            "mutation { disable: updateUser(input: {id: $id, enabled: false}) { user { id } } }"
                .replace("$id", &format!("\"{}\"", id_of_bob(&app).await))
                .as_str(),
            json!({}),
        )
        .await;
    let mut told = Vec::new();
    for (name, header) in [
        ("nothing", None),
        ("an empty key", Some(basic(""))),
        ("no key of Keystead's", Some(basic(&"0123456789".repeat(4)))),
        ("a wrong checksum", Some(basic(&wrong_sum))),
        ("a key that nobody has", Some(basic(unknown.expose()))),
        ("a disabled owner", Some(basic(&key))),
        ("a token of elsewhere", Some(basic("eyJh.eyJz.c2ln"))),
        (
            "the secret of a session",
            Some(basic(&format!("kss_{}", &unknown.expose()[3..]))),
        ),
        ("no base64", Some("Basic ***".into())),
        ("another scheme", Some("Digest x".into())),
        ("a bearer of nothing", Some("Bearer ".into())),
    ] {
        let mut call = Call::new("POST", PATH).header("x-request-id", "test-request");
        if let Some(header) = header {
            call = call.header("authorization", &header);
        }
        let call = call.json(&json!({"query": "{ viewer { id } }"}));
        let answer = app.anonymous().send(call).await;
        assert_eq!(
            answer.header("www-authenticate").split(' ').next(),
            Some("Bearer")
        );
        told.push(format!("{name}: {}", line(&answer)));
    }
    insta::assert_snapshot!(told.join("\n"));
}

async fn id_of_bob(app: &TestApp) -> String {
    let found = app
        .admin()
        .data("{ user(by: {username: \"bob\"}) { id } }", json!({}))
        .await;
    found["user"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_may_come_as_a_bearer_s_or_under_any_name() {
    let app = TestApp::new().await;
    let key = app.admin_key.to_string();
    let other = base64_of(&format!("user:{key}"));
    for header in [
        format!("Bearer {key}"),
        format!("Basic {other}"),
        basic(&key),
    ] {
        let call = Call::new("POST", PATH)
            .header("authorization", &header)
            .json(&json!({"query": "{ viewer { username } }"}));
        let answer = app.anonymous().send(call).await;
        assert_eq!(answer.json()["data"]["viewer"]["username"], "admin");
    }
}

fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn what_is_no_request_is_told_so() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let post = || {
        let call = Call::new("POST", PATH).header("x-request-id", "test-request");
        call.header("authorization", &basic(&app.admin_key))
    };
    let json_of = |body: &str| {
        post()
            .header("content-type", "application/json")
            .body(body.to_owned())
    };
    let get = Call::new("GET", &format!("{PATH}?query=%7Bviewer%7Bid%7D%7D"))
        .header("x-request-id", "test-request")
        .header("authorization", &basic(&app.admin_key));
    let form = post().header("content-type", "application/x-www-form-urlencoded");
    let mut told = Vec::new();
    for (name, call) in [
        ("a GET", get),
        ("no content type", post().body("{}")),
        ("a form", form.body("query={viewer{id}}")),
        ("nothing", json_of("")),
        ("no JSON", json_of("{")),
        ("no object", json_of("1")),
        ("a batch", json_of("[{\"query\": \"{ viewer { id } }\"}]")),
        ("no document", json_of("{}")),
        ("an empty document", json_of("{\"query\": \"\"}")),
        ("a document that is none", json_of("{\"query\": \"{\"}")),
        (
            "a field that is none",
            json_of("{\"query\": \"{ viewer { wealth } }\"}"),
        ),
        (
            "an operation that is none",
            json_of("{\"query\": \"query A { viewer { id } }\", \"operationName\": \"B\"}"),
        ),
        (
            "no variables",
            json_of("{\"query\": \"query($e: String!) { entity(name: $e) { id } }\"}"),
        ),
        (
            "variables that are none",
            json_of("{\"query\": \"{ viewer { id } }\", \"variables\": 1}"),
        ),
        (
            "a subscription",
            json_of("{\"query\": \"subscription { viewer { id } }\"}"),
        ),
    ] {
        let answer = admin.send(call).await;
        assert!(FINAL.contains(&answer.status), "{name}: {}", answer.status);
        told.push(format!("{name}: {}", line(&answer)));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn more_than_may_be_asked_is_refused_before_it_is_read() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let deep = format!(
        "{{ users(query: {}\"x\"{}) {{ edges {{ node {{ id }} }} }} }}",
        "[".repeat(2_000),
        "]".repeat(2_000)
    );
    let wide = format!("{{ viewer {{ {} }} }}", "id ".repeat(5_000));
    insta::assert_snapshot!(refused(&admin, &deep, json!({})).await, @"400 LIMIT_EXCEEDED: The request has 65 brackets or more open at one time, and at most 64 are allowed (max_nesting). Pass nested values as variables.");
    insta::assert_snapshot!(refused(&admin, &wide, json!({})).await, @"400 LIMIT_EXCEEDED: The request has 5001 fields, fragments counted each time they are spread, and at most 2000 are allowed (max_fields). Ask for fewer fields, or send several requests.");
    let large = json!({"query": "x".repeat(10 << 20)});
    let call = Call::new("POST", PATH)
        .header("authorization", &basic(&app.admin_key))
        .json(&large);
    let answer = admin.send(call).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert_eq!(answer.json()["data"], Value::Null);
    // It is still there.
    data(&admin, &viewer(), json!({})).await;
}

#[tokio::test]
async fn too_much_in_a_minute_says_when_to_come_again() {
    let api = ApiSettings {
        requests_per_actor: 2,
        ..ApiSettings::default()
    };
    let app = TestApp::with(Setup {
        api,
        ..Setup::default()
    })
    .await;
    let admin = app.admin();
    for _ in 0..2 {
        data(&admin, "{ serverInfo { features { name } } }", json!({})).await;
    }
    let answer = send(&admin, "{ viewer { id } }", json!({})).await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").parse::<u64>().unwrap() <= 30);
    assert_eq!(answer.code(), "RATE_LIMITED");
    assert_eq!(answer.json()["data"], Value::Null);
}

#[tokio::test]
async fn where_documents_are_listed_no_other_runs() {
    let listed = "query Viewer{viewer{username}}";
    let manifest = json!({"one": listed}).to_string();
    let api = ApiSettings {
        trusted: Some(keystead::graphql::trusted::TrustedDocuments::parse(&manifest).unwrap()),
        ..ApiSettings::default()
    };
    let app = TestApp::with(Setup {
        api,
        ..Setup::default()
    })
    .await;
    let admin = app.admin();
    let found = data(&admin, listed, json!({})).await;
    assert_eq!(found["viewer"]["username"], "admin");
    let told = refused(&admin, "{ viewer { username } }", json!({})).await;
    assert!(told.starts_with("403 UNTRUSTED_DOCUMENT: "), "{told}");
}

#[tokio::test]
async fn a_database_that_is_gone_is_worth_another_attempt() {
    let app = TestApp::new().await;
    let admin = app.admin();
    data(&admin, &viewer(), json!({})).await;
    let client = app.app.db.endpoint().client().await.unwrap();
    client
        .batch_execute("ALTER TABLE api_keys RENAME TO gone")
        .await
        .unwrap();
    let answer = admin.send(call(&admin, &viewer(), json!({}))).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    let told = answer.text();
    assert!(
        !told.contains("api_keys") && !told.contains("relation"),
        "{told}"
    );
    assert_eq!(answer.json()["data"], Value::Null);
}

#[tokio::test]
async fn people_who_look_for_a_key_are_told_where_it_comes_from() {
    let app = TestApp::new().await;
    let answer = app
        .anonymous()
        .send(Call::new("GET", "/wandb/authorize"))
        .await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .text()
            .contains("WANDB_BASE_URL to http://localhost:4000/wandb")
    );
}
