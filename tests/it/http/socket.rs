//! WebSockets: `graphql-transport-ws`, message by message.

use std::time::Duration;

use keystead::http::Settings;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::{Bound, TestApp};

fn settings() -> Settings {
    Settings {
        init_timeout: Duration::from_millis(300),
        max_operations: 2,
        ..Settings::default()
    }
}

#[tokio::test]
async fn queries_and_mutations_run_and_errors_end_an_operation() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, settings()).await;
    let mut socket = server.socket().await;
    socket.init(Some(&app.admin_key)).await;
    socket
        .subscribe(
            "1",
            "{ users(first: 1) { totalCount } b: __typename a: __typename }",
        )
        .await;
    let next = socket.next().await;
    assert_eq!((&next["id"], &next["type"]), (&json!("1"), &json!("next")));
    assert_eq!(next["payload"]["data"]["a"], "Query");
    assert!(next["payload"]["extensions"]["cost"].is_u64());
    assert_eq!(socket.next().await, json!({"id": "1", "type": "complete"}));
    socket
        .subscribe(
            "1",
            "mutation { createUser(input: {username: \"ada\"}) { user { username } } }",
        )
        .await;
    let next = socket.next().await;
    assert_eq!(
        next["payload"]["data"]["createUser"]["user"]["username"],
        "ada"
    );
    assert_eq!(socket.next().await["type"], "complete");
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (
            &format!("{{ a(b: {}1{}) }}", "[".repeat(2_000), "]".repeat(2_000)),
            "LIMIT_EXCEEDED",
        ),
    ] {
        socket.subscribe("x", query).await;
        let error = socket.next().await;
        assert_eq!(
            (&error["id"], &error["type"]),
            (&json!("x"), &json!("error"))
        );
        assert_eq!(error["payload"][0]["extensions"]["code"], code);
        let id = error["payload"][0]["extensions"]["requestId"].as_str();
        assert!(id.is_some_and(|id| !id.is_empty()));
    }
    socket
        .send(json!({"type": "ping", "payload": {"a": 1}}))
        .await;
    assert_eq!(
        socket.next().await,
        json!({"type": "pong", "payload": {"a": 1}})
    );
    socket.send(json!({"type": "ping"})).await;
    assert_eq!(socket.next().await, json!({"type": "pong"}));
    socket.send(json!({"type": "pong"})).await;
    socket
        .send(json!({"id": "unknown", "type": "complete"}))
        .await;
    socket.subscribe("2", "{ __typename }").await;
    assert_eq!(socket.next().await["id"], "2");
}

#[tokio::test]
async fn an_anonymous_client_may_ask_what_anybody_may() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, settings()).await;
    let mut socket = server.socket().await;
    socket.init(None).await;
    socket
        .subscribe("1", "{ serverInfo { limits { maxBatchSize } } }")
        .await;
    assert_eq!(
        socket.next().await["payload"]["data"],
        json!({"serverInfo": {"limits": {"maxBatchSize": 10}}})
    );
    assert_eq!(socket.next().await["type"], "complete");
}

#[tokio::test]
async fn a_subscription_that_is_refused_is_one_error() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, settings()).await;
    let mut socket = server.socket().await;
    socket.init(None).await;
    socket
        .subscribe("1", "subscription { auditEvents { action } }")
        .await;
    let error = socket.next().await;
    assert_eq!(error["type"], "error", "{error}");
    assert_eq!(error["payload"][0]["extensions"]["code"], "UNAUTHENTICATED");
    // Nothing follows it, and the id is free again.
    socket.subscribe("1", "{ __typename }").await;
    assert_eq!(socket.next().await["type"], "next");
}

#[tokio::test]
async fn each_breach_has_its_close_code() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, settings()).await;
    let init = json!({"type": "connection_init"});
    let subscribe = json!({"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}});
    let wrong = json!({"type": "connection_init", "payload": {"Authorization": "Bearer ks_wrong"}});
    let table: Vec<(Vec<Value>, u16)> = vec![
        (vec![], 4408),
        (vec![subscribe.clone()], 4401),
        (vec![wrong], 4403),
        (vec![init.clone(), init.clone()], 4429),
        (vec![json!({"type": "connection_init", "payload": 7})], 4400),
        (
            vec![json!({"type": "connection_init", "payload": {"Authorization": 7}})],
            4400,
        ),
        (vec![json!("ping")], 4400),
        (vec![json!({"type": "start"})], 4400),
        (vec![json!({"type": "connection_ack"})], 4400),
        (vec![json!({"type": "ping", "payload": []})], 4400),
        (vec![json!({})], 4400),
        (
            vec![json!({"type": "subscribe", "payload": {"query": "{ a }"}})],
            4400,
        ),
        (
            vec![json!({"id": "", "type": "subscribe", "payload": {"query": "{ a }"}})],
            4400,
        ),
        (vec![json!({"id": "1", "type": "subscribe"})], 4400),
        (
            vec![json!({"id": "1", "type": "subscribe", "payload": {"query": 7}})],
            4400,
        ),
        (
            vec![
                json!({"id": "1", "type": "subscribe", "payload": {"query": "{ a }", "variables": 7}}),
            ],
            4400,
        ),
    ];
    for (messages, code) in table {
        let mut socket = server.socket().await;
        for message in &messages {
            socket.send(message.clone()).await;
        }
        let (found, reason) = socket.closed().await;
        assert_eq!(found, code, "{messages:?}: {reason}");
        assert!(!reason.is_empty());
    }
    let mut socket = server.socket().await;
    socket.send_raw(Message::text("{")).await;
    assert_eq!(socket.closed().await.0, 4400);
    let mut socket = server.socket().await;
    socket.send_raw(Message::binary(vec![1])).await;
    assert_eq!(socket.closed().await.0, 4400);
    let mut socket = server.socket_with(&[]).await.unwrap();
    assert_eq!(socket.closed().await.0, 4406);
}

#[tokio::test]
async fn a_message_over_the_limit_closes_with_1009_and_says_the_limit() {
    let app = TestApp::new().await;
    let settings = Settings {
        body_limit: 2_000,
        ..settings()
    };
    let server = Bound::new(&app, settings).await;
    // One that is announced in a frame's head and is never read, and one of which all is there.
    for bytes in [2_001, 100_000, 8_000_000] {
        let mut socket = server.socket().await;
        socket.init(None).await;
        socket.send_unread(Message::text(" ".repeat(bytes))).await;
        let (code, reason) = socket.closed().await;
        assert_eq!(
            (code, reason.as_str()),
            (
                1009,
                "The message is larger than 2000 bytes, which is the limit"
            )
        );
    }
    let mut socket = server.socket().await;
    socket.init(None).await;
    socket
        .send_raw(Message::text(format!("{:2000}", r#"{"type":"ping"}"#)))
        .await;
    assert_eq!(socket.next().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_message_that_is_not_utf_8_closes_with_1007() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, settings()).await;
    let mut socket = server.socket().await;
    let broken = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    socket.send_raw(Message::Frame(broken)).await;
    assert_eq!(
        socket.closed().await,
        (1007, "The message is not UTF-8".to_owned())
    );
}

#[tokio::test]
async fn a_credential_may_be_among_headers_too() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, settings()).await;
    let key = format!("Bearer {}", app.admin_key);
    for payload in [
        json!({"authorization": key}),
        json!({"headers": {"Authorization": key}}),
        json!({"Headers": {"x-other": 1, "authorization": key}}),
        json!({"headers": {"Authorization": "Bearer ks_wrong"}, "Authorization": key}),
    ] {
        let mut socket = server.socket().await;
        socket
            .send(json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(socket.next().await["type"], "connection_ack", "{payload}");
        socket
            .subscribe("1", "{ viewer { user { username } } }")
            .await;
        let answer = socket.next().await;
        assert_eq!(
            answer["payload"]["data"]["viewer"]["user"]["username"], "admin",
            "{answer}"
        );
    }
    for (payload, code) in [
        (
            json!({"headers": {"Authorization": "Bearer ks_wrong"}}),
            4403,
        ),
        (json!({"headers": {"Authorization": 7}}), 4400),
    ] {
        let mut socket = server.socket().await;
        socket
            .send(json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(socket.closed().await.0, code, "{payload}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_socket() {
    let app = TestApp::new().await;
    let server = Bound::new(&app, settings()).await;
    let own = format!("http://{}", server.address);
    for (origin, allowed) in [
        (own.as_str(), true),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let headers = [
            ("sec-websocket-protocol", "graphql-transport-ws"),
            ("origin", origin),
        ];
        assert_eq!(
            server.socket_with(&headers).await.is_ok(),
            allowed,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn a_deleted_key_ends_its_connections() {
    let app = TestApp::new().await;
    let settings = Settings {
        heartbeat: Duration::from_millis(100),
        ..settings()
    };
    let server = Bound::new(&app, settings).await;
    let mut socket = server.socket().await;
    socket.init(Some(&app.admin_key)).await;
    let client = app.app.db.endpoint().client().await.unwrap();
    client.batch_execute("DELETE FROM api_keys").await.unwrap();
    assert_eq!(socket.closed().await.0, 4403);
}
