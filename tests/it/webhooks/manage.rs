//! Making, changing and deleting webhooks.

use chrono::TimeDelta;
use serde_json::json;

use super::{CREATE, app, create, deliver, deliveries, event};
use crate::support::Receiver;

#[tokio::test]
async fn a_webhook_is_made_changed_and_deleted() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let admin = app.admin();
    let input = json!({"url": "https://hooks.example.com/keystead?a=b", "events": ["user.", "role.create", "user."], "description": " For the wiki "});
    let data = admin.data(CREATE, json!({"input": input})).await;
    let id = data["createWebhook"]["webhook"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let secret = data["createWebhook"]["secret"].as_str().unwrap().to_owned();
    insta::assert_json_snapshot!(data, {".createWebhook.secret" => "[secret]", ".createWebhook.webhook.id" => "[id]"});

    app.app.clock.advance(TimeDelta::hours(1));
    let update = "mutation($input: UpdateWebhookInput!) { updateWebhook(input: $input) { webhook {
        url events description enabled updatedAt } } }";
    let changed = admin.data(update, json!({"input": {"id": id, "url": receiver.url(), "events": null, "description": null, "enabled": false}})).await;
    let kept = admin.data(update, json!({"input": {"id": id}})).await;
    assert_eq!(changed, kept, "absent keeps");
    insta::assert_json_snapshot!("changed", changed, {".updateWebhook.webhook.url" => "[url]"});

    let list = "{ webhooks { totalCount nodes { id } } node(id: \"ID\") { id ... on Webhook { enabled } } }".replace("ID", &id);
    let listed = admin.data(&list, json!({})).await;
    assert_eq!(
        (
            &listed["webhooks"]["totalCount"],
            &listed["node"]["enabled"]
        ),
        (&json!(1), &json!(false))
    );
    let delete = "mutation($id: ID!) { deleteWebhook(input: {id: $id}) { deletedWebhookId } }";
    let deleted = admin.data(delete, json!({"id": id})).await;
    assert_eq!(deleted["deleteWebhook"]["deletedWebhookId"], json!(id));
    let (code, field, _) = admin.error(delete, json!({"id": id})).await;
    assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.id"));

    let trail =
        "{ auditEvents(filter: {action: \"webhook.\"}) { nodes { action before after paths } } }";
    let trail = admin.data(trail, json!({})).await;
    assert!(!trail.to_string().contains(&secret[6..20]), "{trail}");
    insta::assert_json_snapshot!("trail", trail, {
        ".auditEvents.nodes[].paths" => "[paths]", ".auditEvents.nodes[].before.owner" => "[id]", ".auditEvents.nodes[].after.owner" => "[id]",
        ".auditEvents.nodes[].before.url" => "[url]", ".auditEvents.nodes[].after.url" => "[url]",
    });
}

#[tokio::test]
async fn what_makes_no_webhook_is_refused_by_name() {
    let app = app().await;
    let mut answers = Vec::new();
    for input in [
        json!({"events": ["user"]}),
        json!({"events": ["user.create", ""]}),
        json!({"events": [".create"]}),
        json!({"events": ["*"]}),
        json!({"events": vec!["user.create"; 51]}),
        json!({"description": ""}),
        json!({"description": "a\u{202e}b"}),
    ] {
        let mut input = input;
        input["url"] = json!("https://hooks.example.com/");
        answers.push(app.admin().error(CREATE, json!({"input": input})).await);
    }
    insta::assert_debug_snapshot!(answers);
}

#[tokio::test]
async fn there_are_a_hundred_webhooks_at_most() {
    let (app, receiver) = (app().await, Receiver::start().await);
    for _ in 0..100 {
        create(&app.admin(), &receiver, &[]).await;
    }
    let input = json!({"input": {"url": receiver.url()}});
    let (code, _, message) = app.admin().error(CREATE, input).await;
    assert_eq!(code, "LIMIT_EXCEEDED");
    assert_eq!(
        message,
        "There are 100 webhooks, which is as many as there may be. Delete one first."
    );
}

#[tokio::test]
async fn what_waits_goes_to_the_new_address_and_nowhere_once_it_is_disabled_or_deleted() {
    let (app, old, new) = (
        app().await,
        Receiver::start().await,
        Receiver::start().await,
    );
    let admin = app.admin();
    let (moved, _) = create(&admin, &old, &["role.create"]).await;
    let (disabled, _) = create(&admin, &old, &["role.create"]).await;
    let (deleted, _) = create(&admin, &old, &["role.create"]).await;
    event(&admin, "tester").await;
    while keystead::webhooks::spread::spread(&app.ctx())
        .await
        .unwrap()
        > 0
    {}
    let update =
        "mutation($input: UpdateWebhookInput!) { updateWebhook(input: $input) { webhook { id } } }";
    admin
        .data(update, json!({"input": {"id": moved, "url": new.url()}}))
        .await;
    admin
        .data(update, json!({"input": {"id": disabled, "enabled": false}}))
        .await;
    admin
        .data(
            "mutation($id: ID!) { deleteWebhook(input: {id: $id}) { deletedWebhookId } }",
            json!({"id": deleted}),
        )
        .await;
    deliver(&app).await;
    assert_eq!((old.connections(), new.arrived().len()), (0, 1));
    let dead = deliveries(&admin, json!({"status": "DEAD"})).await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["error"], "the webhook is disabled");
    let again = "mutation($id: ID!) { redeliver(input: {id: $id}) { delivery { id } } }";
    let (code, _, _) = admin.error(again, json!({"id": dead[0]["id"]})).await;
    assert_eq!(code, "CONFLICT");
    // What came of it is kept for a month.
    app.app.clock.advance(TimeDelta::days(31));
    keystead::webhooks::ops::tidy(&app.app.db, app.app.clock.now())
        .await
        .unwrap();
    assert_eq!(deliveries(&admin, json!({})).await.len(), 0);
}
