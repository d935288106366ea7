//! Who may do what with webhooks, and which events a webhook gets.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{CREATE, app, create, deliver, deliveries, event};
use crate::support::{Client, Receiver, TestApp};

/// Gives a user a role at a path.
async fn grant(app: &TestApp, user: &str, path: &str, role: &str) {
    let input = json!({"input": {"principal": user, "path": path, "roles": [{"role": role}]}});
    let document = "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { permissions { id } } }";
    app.admin().data(document, input).await;
}

/// A member who may have webhooks of its own.
async fn maker(app: &TestApp, name: &str) -> (String, Client) {
    let (user, client) = app.user(name, InstanceRole::Member).await;
    let role = json!({"input": {"name": format!("HOOKS.{name}"), "privileges": ["webhook.read", "webhook.write"]}});
    let document =
        "mutation($input: CreateRoleInput!) { createRole(input: $input) { role { id } } }";
    app.admin().data(document, role).await;
    let id = user.typed_id().to_string();
    grant(app, &id, &format!("/users/{id}"), &format!("HOOKS.{name}")).await;
    (id, client)
}

fn actions(receiver: &Receiver) -> Vec<Value> {
    receiver
        .arrived()
        .iter()
        .map(|one| one.json()["type"].clone())
        .collect()
}

#[tokio::test]
async fn a_webhook_gets_what_its_maker_may_read_at_that_time() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let (ada, client) = maker(&app, "ada").await;
    create(&client, &receiver, &[]).await;
    let comment = "mutation($id: ID!, $text: String!) { updateUser(input: {id: $id, comment: $text}) { user { id } } }";
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let bob = bob.typed_id().to_string();
    event(&app.admin(), "hidden").await;
    app.admin()
        .data(comment, json!({"id": bob, "text": "hidden"}))
        .await;
    deliver(&app).await;
    assert_eq!(
        receiver.connections(),
        0,
        "a member may read nothing of the trail"
    );

    grant(&app, &ada, &format!("/users/{bob}"), "READ").await;
    app.admin()
        .data(comment, json!({"id": bob, "text": "seen"}))
        .await;
    event(&app.admin(), "hidden-still").await;
    deliver(&app).await;
    let seen = actions(&receiver);
    assert!(seen.contains(&json!("user.update")), "{seen:?}");
    assert!(!seen.contains(&json!("role.create")), "{seen:?}");

    // What was spread while it might be read is not delivered once it may not.
    let before = receiver.arrived().len();
    app.admin()
        .data(comment, json!({"id": bob, "text": "too late"}))
        .await;
    keystead::webhooks::spread::spread(&app.ctx())
        .await
        .unwrap();
    grant(&app, &ada, &format!("/users/{bob}"), "NO_ACCESS").await;
    deliver(&app).await;
    assert_eq!(receiver.arrived().len(), before);
    let dead = deliveries(&client, json!({"status": "DEAD"})).await;
    assert_eq!(
        dead[0]["error"],
        "its maker may not read the event any more"
    );

    // A maker who is disabled gets nothing, and one who is gone has no webhook.
    grant(&app, &ada, &format!("/users/{bob}"), "READ").await;
    let disable =
        "mutation($id: ID!) { updateUser(input: {id: $id, enabled: false}) { user { id } } }";
    app.admin().data(disable, json!({"id": ada})).await;
    app.admin()
        .data(comment, json!({"id": bob, "text": "nobody"}))
        .await;
    deliver(&app).await;
    assert_eq!(receiver.arrived().len(), before);
    let delete = "mutation($id: ID!) { deleteUser(input: {id: $id}) { deletedUserId } }";
    app.admin().data(delete, json!({"id": ada})).await;
    let trail = "{ auditEvents(first: 1, filter: {action: \"webhook.delete\"}) { nodes { action } } webhooks { totalCount } }";
    let data = app.admin().data(trail, json!({})).await;
    assert_eq!(
        data,
        json!({"auditEvents": {"nodes": [{"action": "webhook.delete"}]}, "webhooks": {"totalCount": 0}})
    );
}

#[tokio::test]
async fn nobody_gets_more_by_a_webhook_than_by_itself() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let (ada, client) = maker(&app, "ada").await;
    let (admins, _) = create(&app.admin(), &receiver, &[]).await;
    let (own, _) = create(&client, &receiver, &[]).await;
    let update = "mutation($input: UpdateWebhookInput!) { updateWebhook(input: $input) { webhook { enabled } } }";
    let rotate = "mutation($id: ID!) { rotateWebhookSecret(input: {id: $id}) { secret } }";
    let url = json!({"input": {"id": admins, "url": receiver.url()}});

    // Others' webhooks are not there.
    let (code, _, message) = client.error(update, url.clone()).await;
    assert_eq!(code, "NOT_FOUND");
    let unknown = "webhook_00000000000000000000000000";
    let (_, _, of_none) = client
        .error(
            update,
            json!({"input": {"id": unknown, "url": receiver.url()}}),
        )
        .await;
    assert_eq!(message.replace(&admins, unknown), of_none);

    // Who may write them without holding what their maker holds may disable them, and not direct them.
    let admin = app
        .admin()
        .data("{ viewer { user { id } } }", json!({}))
        .await;
    let admin = admin["viewer"]["user"]["id"].as_str().unwrap().to_owned();
    grant(&app, &ada, &format!("/users/{admin}"), "HOOKS.ada").await;
    for (document, variables) in [
        (update, url),
        (update, json!({"input": {"id": admins, "events": []}})),
        (update, json!({"input": {"id": admins, "enabled": true}})),
        (rotate, json!({"id": admins})),
    ] {
        let (code, _, message) = client.error(document, variables).await;
        assert_eq!(code, "FORBIDDEN", "{message}");
    }
    let disabled = client
        .data(update, json!({"input": {"id": admins, "enabled": false}}))
        .await;
    assert_eq!(disabled["updateWebhook"]["webhook"]["enabled"], false);
    // An administrator may direct everybody's.
    app.admin().data(rotate, json!({"id": own})).await;

    // Nor by a key that holds less than its owner.
    let (user, _) = app.user("eve", InstanceRole::Member).await;
    let id = user.typed_id().to_string();
    grant(&app, &id, &format!("/users/{id}"), "HOOKS.ada").await;
    grant(&app, &id, "/users", "READ").await;
    let path = format!("/users/{id}");
    let (_, restricted) = app.restricted(&user, &[(path.as_str(), "HOOKS.ada")]).await;
    let (code, _, message) = restricted
        .error(CREATE, json!({"input": {"url": receiver.url()}}))
        .await;
    assert_eq!(code, "FORBIDDEN", "{message}");
}

#[tokio::test]
async fn without_the_privilege_nobody_makes_one() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let input = json!({"input": {"url": receiver.url()}});
    for (name, role) in [
        ("viewer", InstanceRole::Viewer),
        ("member", InstanceRole::Member),
        ("auditor", InstanceRole::Auditor),
    ] {
        let (_, client) = app.user(name, role).await;
        let (code, _, _) = client.error(CREATE, input.clone()).await;
        assert_eq!(code, "FORBIDDEN", "{name}");
    }
    let (code, _, _) = app.anonymous().error(CREATE, input).await;
    assert_eq!(code, "UNAUTHENTICATED");
    let lists = "{ webhooks { totalCount } webhookDeliveries { totalCount } }";
    let (_, member) = app.user("other", InstanceRole::Member).await;
    create(&app.admin(), &receiver, &[]).await;
    deliver(&app).await;
    let none = json!({"webhooks": {"totalCount": 0}, "webhookDeliveries": {"totalCount": 0}});
    assert_eq!(member.data(lists, json!({})).await, none);
    let (_, auditor) = app.user("auditor2", InstanceRole::Auditor).await;
    assert_eq!(
        auditor.data(lists, json!({})).await["webhooks"]["totalCount"],
        1
    );
}
