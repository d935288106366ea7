//! Users: who is calling, looking for others, making them.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{CREATE_TEAM, CREATE_USER, INVITE, data, masked, refused, search, viewer};
use crate::support::{Client, TestApp};

async fn found(client: &Client, query: Value) -> Vec<String> {
    let found = data(client, &search(), json!({"query": query})).await;
    let edges = found["users"]["edges"].as_array().unwrap();
    let name = |edge: &Value| edge["node"]["username"].as_str().unwrap().to_owned();
    edges.iter().map(name).collect()
}

#[tokio::test]
async fn the_viewer_with_keys_and_teams() {
    let app = TestApp::new().await;
    let admin = app.admin();
    data(&admin, CREATE_TEAM, json!({"teamName": "research"})).await;
    insta::assert_json_snapshot!("viewer", masked(data(&admin, &viewer(), json!({})).await));
    // As the part of the client that is not Python asks it, with an operation name of its own and without variables.
    let short = json!({"operationName": "Viewer",
        "query": "query Viewer{viewer{id entity username email flags teams{edges{node{name}}}}}"});
    let call = crate::support::Call::new("POST", super::PATH)
        .header("authorization", &super::basic(&app.admin_key))
        .json(&short);
    let answer = admin.send(call).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"]["viewer"]["flags"], "{}");
}

#[tokio::test]
async fn a_key_that_may_do_nothing_still_knows_whose_it_is() {
    let app = TestApp::new().await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let (_, narrow) = app.restricted(&bob, &[("/models/a", "USE")]).await;
    let found = data(&narrow, &viewer(), json!({})).await;
    assert_eq!(found["viewer"]["username"], "bob");
    // It sees itself and no other key.
    let keys = found["viewer"]["apiKeys"]["edges"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn the_exact_one_comes_first() {
    let app = TestApp::new().await;
    for name in ["bobby", "bob", "abob", "bob.smith"] {
        app.user(name, InstanceRole::Member).await;
    }
    let admin = app.admin();
    assert_eq!(
        found(&admin, json!("bob")).await,
        ["bob", "bob.smith", "bobby"]
    );
    assert_eq!(found(&admin, json!("BOB")).await[0], "bob");
    assert_eq!(found(&admin, json!("bob@example.com")).await[0], "bob");
    assert_eq!(found(&admin, json!("bobb")).await, ["bobby"]);
    assert_eq!(found(&admin, json!("example.com")).await.len(), 4);
    for nobody in ["%", "' OR 1=1 --", "\u{0}", "nobody@example.com"] {
        assert!(
            found(&admin, json!(nobody)).await.is_empty(),
            "{nobody:.20}"
        );
    }
    let large = refused(&admin, &search(), json!({"query": "x".repeat(100_000)})).await;
    insta::assert_snapshot!(large, @"400 BAD_USER_INPUT: The query has 100000 bytes. It may have at most 200.");
    let everybody = ["abob", "admin", "bob", "bob.smith", "bobby"];
    assert_eq!(found(&admin, json!("")).await, everybody);
    assert_eq!(found(&admin, Value::Null).await, everybody);
}

#[tokio::test]
async fn whom_you_may_not_see_you_do_not_find() {
    let app = TestApp::new().await;
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    app.user("carol", InstanceRole::Member).await;
    app.user("dave", InstanceRole::Member).await;
    assert!(found(&bob, json!("carol")).await.is_empty());
    assert_eq!(found(&bob, json!("bob")).await, ["bob"]);
    assert_eq!(found(&bob, Value::Null).await, ["bob"]);
    // Through a team that both belong to, but not its keys.
    let admin = app.admin();
    data(&admin, CREATE_TEAM, json!({"teamName": "research"})).await;
    for name in ["bob", "carol"] {
        data(
            &admin,
            INVITE,
            json!({"entity": "research", "username": name}),
        )
        .await;
    }
    let seen = data(&bob, &search(), json!({"query": "carol"})).await;
    let node = &seen["users"]["edges"][0]["node"];
    assert_eq!(node["username"], "carol");
    assert_eq!(node["apiKeys"], json!({"edges": []}));
    assert!(found(&bob, json!("dave")).await.is_empty());
}

#[tokio::test]
async fn users_are_made_by_their_address() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let made = data(
        &admin,
        CREATE_USER,
        json!({"email": "ada@example.com", "admin": null}),
    )
    .await;
    insta::assert_json_snapshot!("made", masked(made));
    let made = data(
        &admin,
        CREATE_USER,
        json!({"email": "ada@example.org", "admin": true}),
    )
    .await;
    assert_eq!(made["result"]["user"]["username"], "ada@example.org");
    assert_eq!(made["result"]["user"]["admin"], true);
    let odd = json!({"email": "o'brien=é@example.com"});
    let made = data(&admin, CREATE_USER, odd).await;
    assert_eq!(made["result"]["user"]["username"], "o-brien--");
    // Native at once.
    let native = "{ user(by: {email: \"ada@example.com\"}) { username role hasPassword } }";
    assert_eq!(
        admin.data(native, json!({})).await["user"],
        json!({"username": "ada", "role": "MEMBER", "hasPassword": false})
    );
}

#[tokio::test]
async fn users_that_cannot_be_made() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let create = async |client: &Client, email: &str| {
        refused(client, CREATE_USER, json!({"email": email, "admin": false})).await
    };
    let told = [
        create(&admin, "BOB@example.com").await,
        create(&admin, "").await,
        create(&admin, "nobody").await,
        create(&admin, &format!("{}@example.com", "x".repeat(100_000))).await,
        create(&bob, "eve@example.com").await,
        refused(&admin, CREATE_USER, json!({"admin": true})).await,
        refused(&admin, CREATE_USER, json!({"email": 7})).await,
    ];
    insta::assert_snapshot!(told.join("\n"));
    let all = admin.data("{ users { totalCount } }", json!({})).await;
    assert_eq!(all["users"]["totalCount"], 2);
}

#[tokio::test]
async fn of_two_with_one_address_one_is_made() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let variables = json!({"email": "ada@example.com", "admin": false});
    let (one, other) = tokio::join!(
        super::send(&admin, CREATE_USER, variables.clone()),
        super::send(&admin, CREATE_USER, variables)
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text(), other.text());
}

#[tokio::test]
async fn the_server_says_what_it_can_do() {
    let app = TestApp::new().await;
    let document =
        "query ServerFeaturesQuery { serverInfo { features { name isEnabled } cliVersionInfo
        latestLocalVersionInfo { outOfDate latestVersionString versionOnThisInstanceString } } }";
    let said = data(&app.admin(), document, json!({})).await;
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(env!("CARGO_PKG_VERSION"), "<version>");
    settings.bind(|| insta::assert_json_snapshot!("server_info", said));
    // As clients before 0.26 look for what there is.
    let probe = "{ __type(name: \"ServerInfo\") { fields { name } } }";
    let found = data(&app.admin(), probe, json!({})).await;
    assert_eq!(found["__type"]["fields"][0]["name"], "features");
}
