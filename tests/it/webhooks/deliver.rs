//! What arrives, when, and how often.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use ring::hmac::{HMAC_SHA256, Key, verify};
use serde_json::json;

use super::{app, create, deliver, deliveries, event};
use crate::support::{Arrived, HttpAnswer, Receiver};

/// Whether one of the message's signatures is right, by the words of Standard Webhooks.
fn is_signed(arrived: &Arrived, secret: &str) -> bool {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let of = |name: &str| arrived.headers[name].clone();
    let signed = format!(
        "{}.{}.{}",
        of("webhook-id"),
        of("webhook-timestamp"),
        arrived.body
    );
    of("webhook-signature").split(' ').any(|one| {
        let tag = STANDARD.decode(one.strip_prefix("v1,").unwrap()).unwrap();
        verify(&Key::new(HMAC_SHA256, &key), signed.as_bytes(), &tag).is_ok()
    })
}

#[tokio::test]
async fn an_event_arrives_signed_and_whole() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let (_, secret) = create(&app.admin(), &receiver, &["role."]).await;
    event(&app.admin(), "tester").await;
    assert_eq!(
        receiver.connections(),
        0,
        "nothing is sent by the request itself"
    );
    deliver(&app).await;
    let arrived = receiver.arrived();
    assert_eq!(
        arrived.len(),
        1,
        "the webhook's own making is no event on a role"
    );
    let message = &arrived[0];
    assert!(secret.starts_with("whsec_") && is_signed(message, &secret));
    assert!(!is_signed(
        message,
        &format!("whsec_{}", STANDARD.encode([1; 32]))
    ));
    assert_eq!(message.line, "POST /hooks?a=b HTTP/1.1");
    assert_eq!(message.headers["webhook-timestamp"], "1893499200");
    assert_eq!(message.headers["content-type"], "application/json");
    assert_eq!(message.headers["host"], receiver.address.to_string());
    let body = message.json();
    assert_eq!(body["data"]["id"], json!(message.headers["webhook-id"]));
    insta::assert_json_snapshot!(body, {
        ".data.id" => "[id]", ".data.actorId" => "[id]", ".data.apiKeyId" => "[id]", ".data.target" => "[id]", ".data.paths" => "[paths]",
    });
    let made = deliveries(&app.admin(), json!({})).await;
    assert_eq!(made.len(), 1);
    assert_eq!(
        (
            &made[0]["status"],
            &made[0]["attempts"],
            &made[0]["responseStatus"],
            &made[0]["nextAttemptAt"]
        ),
        (&json!("DELIVERED"), &json!(1), &json!(204), &json!(null))
    );
}

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_id_and_then_given_up() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let (_, secret) = create(&app.admin(), &receiver, &["role.create"]).await;
    event(&app.admin(), "tester").await;
    receiver.answer(HttpAnswer::Status(500));
    deliver(&app).await;
    let made = deliveries(&app.admin(), json!({"status": "PENDING"})).await;
    assert_eq!(made[0]["error"], "the receiver answered 500");
    deliver(&app).await;
    assert_eq!(receiver.arrived().len(), 1, "not at once");
    for _ in 0..200 {
        app.app.clock.advance(TimeDelta::minutes(10));
        deliver(&app).await;
    }
    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), 11);
    let ids = |arrived: &[Arrived]| -> Vec<String> {
        arrived
            .iter()
            .map(|one| one.headers["webhook-id"].clone())
            .collect()
    };
    assert_eq!(ids(&arrived), vec![ids(&arrived)[0].clone(); 11]);
    assert!(arrived.iter().all(|one| is_signed(one, &secret)));
    let dead = deliveries(&app.admin(), json!({"status": "DEAD"})).await;
    assert_eq!((dead.len(), &dead[0]["attempts"]), (1, &json!(11)));

    // Asked for, it is made once more.
    receiver.answer(HttpAnswer::Status(200));
    let again = "mutation($id: ID!) { redeliver(input: {id: $id}) { delivery { status attempts webhook { url } event { action } } } }";
    let id = json!({"id": dead[0]["id"]});
    let data = app.admin().data(again, id.clone()).await;
    insta::assert_json_snapshot!(data, {".redeliver.delivery.webhook.url" => "[url]"});
    let (code, field, _) = app.admin().error(again, id.clone()).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("CONFLICT", "input.id"),
        "it is under way"
    );
    deliver(&app).await;
    assert_eq!(ids(&receiver.arrived())[11], ids(&arrived)[0]);
    assert_eq!(
        deliveries(&app.admin(), json!({"status": "DEAD"}))
            .await
            .len(),
        0
    );
    // What was delivered can be too: the receiver may have lost it.
    app.admin().data(again, id).await;
    deliver(&app).await;
    assert_eq!(receiver.arrived().len(), 13);
}

#[tokio::test]
async fn both_secrets_sign_until_the_overlap_ends() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let (id, old) = create(&app.admin(), &receiver, &["role.create"]).await;
    let rotate = "mutation($id: ID!, $overlap: Duration) { rotateWebhookSecret(input: {id: $id, overlap: $overlap}) {
        secret webhook { previousSecretUntil } } }";
    let data = app
        .admin()
        .data(rotate, json!({"id": id, "overlap": "P1D"}))
        .await;
    let rotated = &data["rotateWebhookSecret"];
    let new = rotated["secret"].as_str().unwrap();
    assert_ne!(new, old);
    assert_eq!(
        rotated["webhook"]["previousSecretUntil"],
        "2030-01-02T12:00:00Z"
    );
    event(&app.admin(), "one").await;
    deliver(&app).await;
    app.app.clock.advance(TimeDelta::days(1));
    event(&app.admin(), "two").await;
    deliver(&app).await;
    let arrived = receiver.arrived();
    let by = |place: usize| {
        (
            is_signed(&arrived[place], new),
            is_signed(&arrived[place], &old),
        )
    };
    assert_eq!((by(0), by(1)), ((true, true), (true, false)));
    let (code, field, _) = app
        .admin()
        .error(rotate, json!({"id": id, "overlap": "P31D"}))
        .await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("BAD_USER_INPUT", "input.overlap")
    );
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_asked_no_more() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let (id, _) = create(&app.admin(), &receiver, &["role.create"]).await;
    receiver.answer(HttpAnswer::Status(410));
    event(&app.admin(), "one").await;
    deliver(&app).await;
    event(&app.admin(), "two").await;
    deliver(&app).await;
    assert_eq!(receiver.arrived().len(), 1);
    let query = "query($id: ID!) { webhook(id: $id) { enabled disabledReason } auditEvents(first: 1, filter: {target: $id}) {
        nodes { action actorId after } } }";
    let data = app.admin().data(query, json!({"id": id})).await;
    insta::assert_json_snapshot!(data);
    let enable = "mutation($id: ID!) { updateWebhook(input: {id: $id, enabled: true}) { webhook { enabled disabledReason } } }";
    let data = app.admin().data(enable, json!({"id": id})).await;
    assert_eq!(
        data["updateWebhook"]["webhook"],
        json!({"enabled": true, "disabledReason": null})
    );
}
