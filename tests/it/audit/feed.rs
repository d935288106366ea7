//! The subscription `auditEvents`: everything once, from every process, to those who may see it, as long as they may.

use std::time::Duration;

use chrono::TimeDelta;
use keystead::audit::follow::{Feed, Subscriber};
use keystead::audit::model::{AuditFilter, Change};
use keystead::audit::ops as audit;
use keystead::authn::Credential;
use keystead::ctx::{Events, RequestInfo};
use keystead::db::ids::{Id, Kind};
use keystead::http::Settings;
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use serde_json::{Value, json};

use crate::support::{Bound, Client, TestApp};

const FOLLOW: &str = "subscription { auditEvents(filter: {action: \"user.\"}) { action actorName after actor { ... on User { username } } } }";
const CREATE: &str =
    "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";

async fn create(client: &Client, username: &str) -> Value {
    let input = json!({"input": {"username": username}});
    client.data(CREATE, input).await["createUser"]["user"]["id"].take()
}

/// A subscription of the client to all events, below GraphQL.
async fn subscribe(app: &TestApp, feed: &std::sync::Arc<Feed>, key: &str) -> Subscriber {
    let info = RequestInfo::default();
    let credential = Credential::ApiKey(Secret::new(key.to_owned()));
    let actor = app.app.authenticate(credential, &info).await.unwrap();
    let ctx = app.app.ctx(actor, info);
    feed.subscribe(ctx, AuditFilter::default(), None)
        .await
        .unwrap()
}

/// The feed of this app's process, or with events of its own that of another.
fn feed(app: &TestApp, events: Events) -> std::sync::Arc<Feed> {
    Feed::new(app.app.db.clone(), events, app.app.authenticator.clone())
}

async fn next(subscriber: &mut Subscriber) -> String {
    let next = tokio::time::timeout(Duration::from_secs(20), subscriber.next()).await;
    let (event, _) = next.unwrap().unwrap().unwrap();
    event.after.as_ref().map_or_else(
        || event.action.clone(),
        |after| after["username"].as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_arrives_over_a_websocket_and_its_nested_fields_answer() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, Settings::default()).await;
    let mut socket = server.socket().await;
    socket.init(Some(&app.admin_key)).await;
    socket.subscribe("1", FOLLOW).await;
    // The protocol does not say when a subscription has begun: change things until something arrives.
    let admin = app.admin();
    let mut arrived = Box::pin(socket.next());
    let mut number = 0;
    let first = loop {
        number += 1;
        create(&admin, &format!("user{number}")).await;
        if let Ok(message) = tokio::time::timeout(Duration::from_millis(300), &mut arrived).await {
            break message;
        }
    };
    let event = &first["payload"]["data"]["auditEvents"];
    assert_eq!(event["action"], "user.create");
    assert_eq!(event["actorName"], "admin");
    assert_eq!(event["actor"]["username"], "admin");
    let name = event["after"]["username"].as_str().unwrap();
    assert!(name.starts_with("user"), "{first:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_or_told_twice_while_transactions_overlap() {
    let app = TestApp::new().await;
    let feed = feed(&app, app.app.events.clone());
    let mut subscriber = subscribe(&app, &feed, &app.admin_key).await;
    let record = async |username: String, hold: u64| {
        let ctx = app.ctx();
        let mut tx = ctx.db.begin("test").await.unwrap();
        let target = Id::new(Kind::User, ctx.new_id());
        let change = Change::created("user.create", target, json!({"username": username}));
        audit::record(&ctx, &mut tx, vec![change]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(hold)).await;
        tx.commit().await.unwrap();
        ctx.events.publish();
    };
    // Each begins before the last has ended; the first ends after all.
    let writers = (0..12).map(|number: u64| {
        let record = &record;
        async move {
            tokio::time::sleep(Duration::from_millis(number * 30)).await;
            record(format!("user{number}"), (12 - number) * 100).await;
        }
    });
    futures_util::future::join_all(writers).await;
    record("last".into(), 0).await;
    let mut names = Vec::new();
    while names.last().is_none_or(|name| name != "last") {
        names.push(next(&mut subscriber).await);
    }
    names.pop();
    names.sort();
    let mut all: Vec<String> = (0..12).map(|number| format!("user{number}")).collect();
    all.sort();
    assert_eq!(names, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_hears_of_it_and_an_open_transaction_holds_nothing_up() {
    let app = TestApp::new().await;
    let feed = feed(&app, Events::default());
    let mut client = app.app.db.endpoint().client().await.unwrap();
    let open = client.transaction().await.unwrap();
    open.execute("UPDATE users SET comment = 'slow'", &[])
        .await
        .unwrap();
    let mut subscriber = subscribe(&app, &feed, &app.admin_key).await;
    create(&app.admin(), "ada").await;
    assert_eq!(next(&mut subscriber).await, "ada");
    open.rollback().await.unwrap();
    // More than one page of them.
    let ctx = app.ctx();
    let mut tx = ctx.db.begin("test").await.unwrap();
    let change = |number: usize| {
        let target = Id::new(Kind::User, ctx.new_id());
        Change::created(
            "user.create",
            target,
            json!({"username": format!("user{number}")}),
        )
    };
    let changes: Vec<Change> = (0..1_200).map(change).collect();
    audit::record(&ctx, &mut tx, changes).await.unwrap();
    tx.commit().await.unwrap();
    for number in 0..1_200 {
        assert_eq!(next(&mut subscriber).await, format!("user{number}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_looked_at_for_each_event() {
    let app = TestApp::new().await;
    let (eve, as_eve) = app.user("eve", InstanceRole::Auditor).await;
    let feed = feed(&app, app.app.events.clone());
    let mut subscriber = subscribe(&app, &feed, as_eve.key().unwrap()).await;
    let admin = app.admin();
    create(&admin, "ada").await;
    assert_eq!(next(&mut subscriber).await, "ada");
    let role = "mutation($id: ID!, $role: InstanceRole!) { updateUser(input: {id: $id, role: $role}) { user { id } } }";
    let id = eve.typed_id().to_string();
    admin.data(role, json!({"id": id, "role": "MEMBER"})).await;
    create(&admin, "bob").await;
    admin.data(role, json!({"id": id, "role": "AUDITOR"})).await;
    create(&admin, "cyd").await;
    // What is delivered together is shown by the rights of that moment, so the changes of the role may be told or not.
    let mut told = Vec::new();
    while told.last().is_none_or(|name| name != "cyd") {
        told.push(next(&mut subscriber).await);
    }
    assert!(!told.contains(&"ada".to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_the_credential_stops_working() {
    let app = TestApp::new().await;
    let (eve, as_eve) = app.user("eve", InstanceRole::Auditor).await;
    let feed = feed(&app, app.app.events.clone());
    let mut subscriber = subscribe(&app, &feed, as_eve.key().unwrap()).await;
    let off = "mutation($id: ID!) { updateUser(input: {id: $id, enabled: false}) { user { id } } }";
    let id = eve.typed_id().to_string();
    app.admin().data(off, json!({"id": id})).await;
    let ended = tokio::time::timeout(Duration::from_secs(10), subscriber.next()).await;
    let error = ended.unwrap().unwrap().err().unwrap();
    assert_eq!(error.code.as_str(), "UNAUTHENTICATED");
    assert!(subscriber.next().await.is_none());

    // Without any event it is noticed within seconds.
    let (bob, as_bob) = app.user("bob", InstanceRole::Auditor).await;
    let mut subscriber = subscribe(&app, &feed, as_bob.key().unwrap()).await;
    let client = app.app.db.endpoint().client().await.unwrap();
    let expire = "UPDATE users SET expires_at = '2030-01-01T12:00:01Z' WHERE username = $1";
    client.execute(expire, &[&bob.username]).await.unwrap();
    app.app.clock.advance(TimeDelta::seconds(2));
    let ended = tokio::time::timeout(Duration::from_secs(10), subscriber.next()).await;
    assert_eq!(
        ended.unwrap().unwrap().err().unwrap().code.as_str(),
        "UNAUTHENTICATED"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_too_slowly_is_told_so() {
    let app = TestApp::new().await;
    let feed = feed(&app, app.app.events.clone());
    let mut slow = subscribe(&app, &feed, &app.admin_key).await;
    let client = app.app.db.endpoint().client().await.unwrap();
    let many = "INSERT INTO audit_events (id, at, action, target, paths, within, request_id)
        SELECT gen_random_uuid(), now(), 'user.create', 'user', '{}', '{}', 'x' FROM generate_series(1, 5000)";
    client.execute(many, &[]).await.unwrap();
    // The feed reads them all while nobody takes them.
    let mut quick = subscribe(&app, &feed, &app.admin_key).await;
    app.app.events.publish();
    let arrived = tokio::time::timeout(Duration::from_secs(20), quick.next()).await;
    assert!(arrived.is_ok());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let error = slow.next().await.unwrap().err().unwrap();
    assert_eq!(error.code.as_str(), "LIMIT_EXCEEDED");
    assert!(slow.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reads_only_while_somebody_is_subscribed() {
    let app = TestApp::new().await;
    let feed = feed(&app, app.app.events.clone());
    let subscriber = subscribe(&app, &feed, &app.admin_key).await;
    drop(subscriber);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let before = app.app.db.statements();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(app.app.db.statements(), before);
    let mut again = subscribe(&app, &feed, &app.admin_key).await;
    create(&app.admin(), "ada").await;
    assert_eq!(next(&mut again).await, "ada");
}

#[tokio::test]
async fn nobody_follows_anonymously_or_with_a_filter_that_cannot_be() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, Settings::default()).await;
    let mut socket = server.socket().await;
    socket.init(Some(&app.admin_key)).await;
    socket
        .subscribe(
            "1",
            "subscription { auditEvents(filter: {action: \"user\"}) { id } }",
        )
        .await;
    let answer = socket.next().await;
    let text = answer.to_string();
    assert!(
        text.contains("BAD_USER_INPUT") && text.contains("filter.action"),
        "{text}"
    );
    let mut socket = server.socket().await;
    socket.init(None).await;
    socket.subscribe("1", FOLLOW).await;
    let text = socket.next().await.to_string();
    assert!(text.contains("UNAUTHENTICATED"), "{text}");
}
