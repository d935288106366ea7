//! The subscription `events`: it goes on from an event, misses nothing, and ends with the credential.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use keystead::audit::follow::{Feed, Subscriber};
use keystead::audit::model::{AuditFilter, Change};
use keystead::audit::ops as audit;
use keystead::authn::Credential;
use keystead::ctx::RequestInfo;
use keystead::db::ids::{Id, Kind};
use keystead::http::Settings;
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Bound, Client, TestApp};

async fn role(client: &Client, name: &str) {
    let create = "mutation($name: String!) { createRole(input: {name: $name, privileges: []}) { role { id } } }";
    client.data(create, json!({"name": name})).await;
}

/// The ids of the events on roles, oldest first.
async fn on_roles(client: &Client) -> Vec<String> {
    let list = "{ auditEvents(first: 100, filter: {action: \"role.\"}, orderBy: {direction: ASC}) { nodes { id } } }";
    let data = client.data(list, json!({})).await;
    let nodes = data["auditEvents"]["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| node["id"].as_str().unwrap().to_owned())
        .collect()
}

fn follow(after: &str) -> String {
    format!(
        "subscription {{ events(filter: {{action: \"role.\"}}, after: \"{after}\") {{ id action after }} }}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_websocket_it_goes_on_after_an_event() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for name in ["one", "two", "three"] {
        role(&admin, name).await;
        app.user(name, InstanceRole::Member).await;
    }
    let events = on_roles(&admin).await;
    let server = Bound::new(&app, Settings::default()).await;
    let mut socket = server.socket().await;
    socket.init(Some(&app.admin_key)).await;
    socket.subscribe("1", &follow(&events[0])).await;
    for expected in &events[1..] {
        let message = socket.next().await;
        assert_eq!(
            message["payload"]["data"]["events"]["id"],
            json!(expected),
            "{message}"
        );
    }
    // Then live; what was told is not told again.
    role(&admin, "four").await;
    let message = socket.next().await;
    assert_eq!(
        message["payload"]["data"]["events"]["after"]["name"],
        "four"
    );
    role(&admin, "five").await;
    let message = socket.next().await;
    assert_eq!(
        message["payload"]["data"]["events"]["after"]["name"],
        "five"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn as_server_sent_events_it_ends_when_the_credential_is_revoked() {
    let app = TestApp::new().await;
    let (_, auditor) = app.user("auditor", InstanceRole::Auditor).await;
    role(&app.admin(), "one").await;
    role(&app.admin(), "two").await;
    let events = on_roles(&app.admin()).await;
    let server = Bound::new(&app, Settings::default()).await;
    let call = auditor
        .request("POST", "/graphql")
        .header("accept", "text/event-stream")
        .json(&json!({"query": follow(&events[0])}));
    let stream = tokio::spawn(async move { server.send(call).await.text() });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let own = auditor
        .data("{ viewer { apiKey { id } } }", json!({}))
        .await;
    let delete = "mutation($id: ID!) { deleteApiKey(input: {id: $id}) { deletedApiKeyId } }";
    app.admin()
        .data(delete, json!({"id": own["viewer"]["apiKey"]["id"]}))
        .await;
    let text = tokio::time::timeout(Duration::from_secs(20), stream)
        .await
        .expect("it does not end")
        .unwrap();
    assert!(text.contains(&events[1]), "{text}");
    assert!(
        text.contains("UNAUTHENTICATED") && text.ends_with("event: complete\ndata:\n\n"),
        "{text}"
    );
}

/// A subscription to all events after one, below GraphQL.
async fn resume(
    app: &TestApp,
    key: &str,
    after: Option<Uuid>,
) -> keystead::error::Result<Subscriber> {
    let info = RequestInfo::default();
    let credential = Credential::ApiKey(Secret::new(key.to_owned()));
    let actor = app.app.authenticate(credential, &info).await.unwrap();
    let feed: Arc<Feed> = Feed::new(
        app.app.db.clone(),
        app.app.events.clone(),
        app.app.authenticator.clone(),
    );
    feed.subscribe(app.app.ctx(actor, info), AuditFilter::default(), after)
        .await
}

async fn record(app: &TestApp, name: &str, hold: u64) {
    let ctx = app.ctx();
    let mut tx = ctx.db.begin("test").await.unwrap();
    let target = Id::new(Kind::User, ctx.new_id());
    let change = Change::created("user.create", target, json!({"username": name}));
    audit::record(&ctx, &mut tx, vec![change]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(hold)).await;
    tx.commit().await.unwrap();
    ctx.events.publish();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_off_after_every_event_misses_none_while_transactions_overlap() {
    let app = TestApp::new().await;
    record(&app, "first", 0).await;
    let list = "{ auditEvents(first: 1, filter: {action: \"user.create\"}) { nodes { id } } }";
    let data = app.admin().data(list, json!({})).await;
    let first = data["auditEvents"]["nodes"][0]["id"].as_str().unwrap();
    let mut last = Id::parse_as(Kind::AuditEvent, "id", first).unwrap();
    // Each begins before the last has ended; the first ends after all.
    let writers = (0..12).map(|number: u64| {
        let app = app.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(number * 30)).await;
            record(&app, &format!("user{number}"), (12 - number) * 100).await;
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut told = BTreeSet::new();
    let everything = async {
        while told.len() < 12 {
            let mut subscriber = resume(&app, &app.admin_key, Some(last)).await.unwrap();
            // What overlaps may be told again: one takes as many as one likes, and goes on from the last.
            for _ in 0..=told.len() {
                let (event, _) = subscriber.next().await.unwrap().unwrap();
                let name = event.after.as_ref().unwrap()["username"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                last = event.id;
                if told.insert(name) {
                    break;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), everything)
        .await
        .expect("an event is missing");
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(
        (0..12).all(|number| told.contains(&format!("user{number}"))),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn from_what_is_not_there_or_may_not_be_read_nobody_goes_on() {
    let app = TestApp::new().await;
    let (_, member) = app.user("member", InstanceRole::Member).await;
    record(&app, "first", 0).await;
    let list = "{ auditEvents(first: 1) { nodes { id } } }";
    let data = app.admin().data(list, json!({})).await;
    let id = data["auditEvents"]["nodes"][0]["id"].as_str().unwrap();
    let event = Id::parse_as(Kind::AuditEvent, "id", id).unwrap();
    let hidden = resume(&app, member.key().unwrap(), Some(event))
        .await
        .err()
        .unwrap();
    let unknown = resume(&app, member.key().unwrap(), Some(Uuid::nil()))
        .await
        .err()
        .unwrap();
    for (error, id) in [(&hidden, event), (&unknown, Uuid::nil())] {
        let id = Id::new(Kind::AuditEvent, id).to_string();
        assert_eq!(error.message, format!("There is no audit event '{id}'."));
        assert_eq!(
            (error.code.as_str(), error.field.as_deref()),
            ("NOT_FOUND", Some("after"))
        );
    }
    // Nor from what is too long ago.
    let client = app.app.db.endpoint().client().await.unwrap();
    let many = "INSERT INTO audit_events (id, at, action, target, paths, within, request_id)
        SELECT gen_random_uuid(), now(), 'user.create', 'user', '{}', '{}', 'x' FROM generate_series(1, $1::int)";
    client.execute(many, &[&10_000]).await.unwrap();
    let mut subscriber = resume(&app, &app.admin_key, Some(event)).await.unwrap();
    let mut told = 0;
    while told < 10_000 {
        subscriber.next().await.unwrap().unwrap();
        told += 1;
    }
    client.execute(many, &[&1]).await.unwrap();
    let error = resume(&app, &app.admin_key, Some(event))
        .await
        .err()
        .unwrap();
    assert_eq!(
        (error.code.as_str(), error.field.as_deref()),
        ("LIMIT_EXCEEDED", Some("after"))
    );
}
