//! `X-Keystead-On-Behalf-Of`, and what else callers say of themselves: recorded in bounds, and never believed.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::support::{Call, Client, TestApp};

const CREATE: &str =
    "mutation($name: String!) { createUser(input: {username: $name}) { user { id } } }";
const HEADER: &str = "x-keystead-on-behalf-of";

fn create(client: &Client, name: &str) -> Call {
    client
        .request("POST", "/graphql")
        .json(&json!({"query": CREATE, "variables": {"name": name}}))
}

/// What the trail says of the making of that user.
async fn told(admin: &Client, made: &Value) -> Value {
    let events = "query($id: ID!) { auditEvents(filter: {target: $id}) {
        nodes { action actorName onBehalfOf userAgent requestId } } }";
    let id = &made["data"]["createUser"]["user"]["id"];
    assert!(id.is_string(), "{made:#}");
    let answer = admin.data(events, json!({"id": id})).await;
    let nodes = answer["auditEvents"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 1);
    nodes[0].clone()
}

#[tokio::test]
async fn what_is_said_is_recorded_beside_the_one_who_said_it() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let call = create(&admin, "ada")
        .header(HEADER, "grace@example.com (ticket 42)")
        .header("user-agent", "portal/1.0");
    let made = admin.send(call).await.json();
    assert_eq!(
        told(&admin, &made).await,
        json!({"action": "user.create", "actorName": "admin", "onBehalfOf": "grace@example.com (ticket 42)",
            "userAgent": "portal/1.0", "requestId": "test-request"})
    );
}

#[tokio::test]
async fn it_gives_no_rights() {
    let app = TestApp::new().await;
    let (_, member) = app.user("eve", InstanceRole::Member).await;
    let admin = app.ctx();
    for name in ["admin", "keystead", "root"] {
        let answer = member
            .send(create(&member, "mallory").header(HEADER, name))
            .await;
        assert_eq!(answer.code(), "FORBIDDEN", "{}", answer.text());
        let viewer = json!({"query": "{ viewer { user { username } } }"});
        let call = member
            .request("POST", "/graphql")
            .header(HEADER, name)
            .json(&viewer);
        assert_eq!(
            member.send(call).await.json()["data"]["viewer"]["user"]["username"],
            "eve"
        );
        let nobody = app.anonymous();
        let answer = nobody
            .send(create(&nobody, "mallory").header(HEADER, name))
            .await;
        assert_eq!(answer.code(), "UNAUTHENTICATED", "{}", answer.text());
    }
    let client = admin.db.endpoint().client().await.unwrap();
    let trail = "SELECT count(*) FROM audit_events WHERE on_behalf_of IS NOT NULL";
    let count: i64 = client.query_one(trail, &[]).await.unwrap().get(0);
    assert_eq!(count, 0, "what was refused is in the trail");
}

#[tokio::test]
async fn what_is_not_well_formed_is_left_out() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let longest = "x".repeat(256);
    let too_long = "x".repeat(257);
    for (number, (said, recorded)) in [
        (vec![longest.as_str()], Some(longest.as_str())),
        (vec![&too_long], None),
        (vec![""], None),
        (vec!["a\tb"], None),
        (vec!["grâce"], None),
        (vec!["ada", "grace"], None),
        (vec!["ada", "ada"], None),
    ]
    .into_iter()
    .enumerate()
    {
        let mut call = create(&admin, &format!("user-{number}"));
        for value in &said {
            call = call.header(HEADER, value);
        }
        let made = admin.send(call).await.json();
        assert_eq!(
            told(&admin, &made).await["onBehalfOf"],
            json!(recorded),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn a_key_that_somebody_put_there_is_not_recorded() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let key = app.admin_key.to_string();
    let call = Call::new("POST", "/graphql")
        .header("authorization", &format!("Bearer {key}"))
        .header(HEADER, &format!("holder of {key}."))
        .header("user-agent", &format!("curl {key}"))
        .header("x-request-id", &key)
        .json(&json!({"query": CREATE, "variables": {"name": "ada"}}));
    let answer = admin.send(call).await;
    let event = told(&admin, &answer.json()).await;
    assert_eq!(event["onBehalfOf"], "holder of ks_….");
    assert_eq!(event["userAgent"], "curl ks_…");
    // An id that holds a secret is none: the server makes one.
    assert_ne!(event["requestId"], key.as_str());
    assert_eq!(event["requestId"], answer.header("x-request-id"));
    assert_eq!(answer.header("x-request-id").len(), 32);
}
