//! Requests through `/v1/authorize` count against the limits of their key, and the answer says what is left.

use keystead::http::{Rule, Rules, Settings};
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::openapi::described;
use crate::limits::Proxy;
use crate::limits::manage::update;
use crate::support::{Answer, Call, TestApp};

async fn ask(app: &TestApp, key: &str, query: &str, uri: Option<&str>) -> Answer {
    let mut call = Call::new("GET", &format!("/v1/authorize{query}"));
    call = call.header("authorization", &format!("Bearer {key}"));
    if let Some(uri) = uri {
        call = call
            .header("x-forwarded-uri", uri)
            .header("x-forwarded-method", "GET");
    }
    let answer = app.anonymous().send(call).await;
    described("get", "/v1/authorize", &answer);
    answer
}

/// The status with what is said of limits: `200 policy | limit`, and of what is stopped code, seconds and message too.
async fn told(app: &TestApp, key: &str, query: &str, uri: Option<&str>) -> String {
    let answer = ask(app, key, query, uri).await;
    let header = |name: &str| {
        let value = answer.headers.get(name);
        value
            .map_or("-", |value| value.to_str().unwrap())
            .to_owned()
    };
    let mut text = format!(
        "{} {} | {}",
        answer.status,
        header("ratelimit-policy"),
        header("ratelimit")
    );
    if answer.status != 200 {
        let error = &answer.json()["errors"][0];
        let seconds = error["extensions"]["retryAfter"].clone();
        let by_header = header("retry-after");
        assert_eq!(by_header == "-", seconds.is_null(), "{by_header} {seconds}");
        text += &format!(
            " | {} {} {by_header} | {}",
            header("x-keystead-code"),
            error["extensions"]["code"].as_str().unwrap(),
            error["message"].as_str().unwrap()
        );
    }
    text
}

async fn open(app: &TestApp) -> i64 {
    let client = app.app.db.endpoint().client().await.unwrap();
    let row = client.query_one("SELECT count(*) FROM reservations", &[]);
    row.await.unwrap().get(0)
}

#[tokio::test]
async fn requests_are_counted_and_stopped() {
    let proxy = Proxy::new().await;
    let (app, key) = (&proxy.app, proxy.secret.as_str());
    let mut all = vec![told(app, key, "", None).await];
    proxy
        .limit(
            json!({"requestsPerMinute": 3, "tokensPerMinute": 10, "maxParallel": 1,
            "budgets": [{"name": "ever", "maxUsd": "1"}]}),
        )
        .await;
    proxy.later(15);
    for query in ["", "?requests=2", "", "?limited=403"] {
        all.push(told(app, key, query, None).await);
    }
    proxy.later(45);
    // What is reserved counts too, and is no reason to stop as long as something is left.
    let reservation = proxy.reserved(json!({"tokens": 10, "usd": "0.5"})).await;
    all.push(told(app, key, "", None).await);
    proxy
        .settled(&reservation, json!({"tokens": 9, "usd": "1"}))
        .await;
    all.push(told(app, key, "", None).await);
    // More at once than there are in any minute.
    proxy
        .limit(json!({"budgets": null, "tokensPerMinute": null}))
        .await;
    all.push(told(app, key, "?requests=4", None).await);
    proxy.limit(json!({"maxParallel": 0})).await;
    all.push(told(app, key, "", None).await);
    for query in [
        "?requests=0",
        "?requests=1.5",
        "?limited=500",
        "?requests=1&requests=1",
    ] {
        all.push(told(app, key, query, None).await);
    }
    insta::assert_snapshot!(all.join("\n"));
    assert_eq!(open(app).await, 0);
}

#[tokio::test]
async fn a_rule_says_as_how_many_a_request_counts() {
    let rule = |prefix: &str, requests: Option<u32>| Rule {
        methods: Vec::new(),
        host: None,
        prefix: prefix.into(),
        privilege: None,
        path: None,
        requests,
    };
    let rules = [
        rule("/free", Some(0)),
        rule("/dear", Some(5)),
        rule("/", None),
    ];
    let settings = Settings {
        authorize: Rules::new(&rules).unwrap(),
        ..Settings::default()
    };
    let app = TestApp::with_settings(Default::default(), settings).await;
    let proxy = Proxy::over(app).await;
    proxy.limit(json!({"requestsPerMinute": 10})).await;
    let mut all = Vec::new();
    for (query, uri) in [
        ("", "/free"),
        ("", "/dear/x"),
        ("", "/other"),
        ("?requests=3", "/other"),
        ("?requests=1", "/dear"),
        ("", "/free"),
    ] {
        let told = told(&proxy.app, &proxy.secret, query, Some(uri)).await;
        all.push(format!("{uri}{query} {told}"));
    }
    insta::assert_snapshot!(all.join("\n"));
    let error = Rules::new(&[rule("/", Some(1_000_001))]).unwrap_err();
    assert!(error.to_string().contains("1000001"), "{error}");
}

#[tokio::test]
async fn all_limits_are_named_by_whose_they_are() {
    let proxy = Proxy::new().await;
    let app = &proxy.app;
    let admin = app.admin();
    let create = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let mut teams: Vec<Value> = Vec::new();
    for slug in ["upper", "lower"] {
        let input =
            json!({"slug": slug, "parent": teams.last(), "members": [{"user": proxy.user}]});
        let made = admin.data(create, json!({ "input": input })).await;
        teams.push(made["createTeam"]["team"]["id"].clone());
    }
    let generate = "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { secret apiKey { id } } }";
    let input = json!({"owner": proxy.user, "team": teams[1], "limits": {"requestsPerMinute": 50}});
    let made = admin.data(generate, json!({ "input": input })).await;
    let secret = made["generateApiKey"]["secret"].as_str().unwrap();
    for (subject, max) in [
        (json!({"user": proxy.user}), 40),
        (json!({"eachMemberOf": teams[1]}), 30),
        (json!({"team": teams[1]}), 20),
        (json!({"team": teams[0]}), 1),
    ] {
        update(
            &admin,
            json!({"subject": subject, "requestsPerMinute": max}),
        )
        .await;
    }
    let all = [
        told(app, secret, "", None).await,
        told(app, secret, "", None).await,
    ];
    insta::assert_snapshot!(all.join("\n"));
}

/// Statements that one more request costs, once what it depends on is remembered: of a change, a server hears a second time when the
/// database announces it.
async fn cost(app: &TestApp, key: &str) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..5 {
        let before = app.app.db.statements();
        ask(app, key, "", None).await;
        least = least.min(app.app.db.statements() - before);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    least
}

#[tokio::test]
async fn no_statement_more_where_no_limit_applies() {
    let app = TestApp::new().await;
    let (_, key) = app.user_with_key("ada", InstanceRole::Member).await;
    let leased = app.replica(1, None).await;
    assert_eq!(cost(&leased, &key).await, 0);
    let admin = leased.admin();
    let own = admin
        .data("{ user(by: {username: \"ada\"}) { id } }", json!({}))
        .await;
    let subject = json!({"user": own["user"]["id"]});
    // What it is not about costs nothing.
    update(&admin, json!({"subject": subject, "maxParallel": 5})).await;
    assert_eq!(cost(&leased, &key).await, 0);
    update(
        &admin,
        json!({"subject": subject, "requestsPerMinute": 500}),
    )
    .await;
    assert_eq!(cost(&leased, &key).await, 1);
    let answer = ask(&leased, &key, "", None).await;
    assert_eq!(answer.header("ratelimit"), "\"user\";r=494;t=60");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_exactly_as_many_pass_as_are_allowed() {
    let proxy = Proxy::new().await;
    proxy.limit(json!({"requestsPerMinute": 37})).await;
    let asked = (0..100).map(|_| ask(&proxy.app, &proxy.secret, "", None));
    let answers = futures_util::future::join_all(asked).await;
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(passed, 37);
}
