//! What the trail holds of a change, and that nobody can alter it.

use keystead::audit::model::Change;
use keystead::audit::ops as audit;
use keystead::db::ids::{Id, Kind};
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::support::TestApp;

const CREATE: &str =
    "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";
const UPDATE: &str =
    "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }";
const EVENTS: &str = "query($filter: AuditFilter) { auditEvents(filter: $filter) { totalCount nodes { id at actorId actorName
    apiKeyId onBehalfOf action target paths before after requestId ip userAgent actor { __typename ... on User { username } } } } }";

#[tokio::test]
async fn a_change_is_told_with_its_actor_its_request_and_what_differs() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let made = admin
        .data(
            CREATE,
            json!({"input": {"username": "ada", "comment": "first"}}),
        )
        .await;
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let id = made["createUser"]["user"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    admin
        .data(
            UPDATE,
            json!({"input": {"id": id, "name": "Ada", "comment": null}}),
        )
        .await;
    // What changes nothing leaves no event.
    admin
        .data(UPDATE, json!({"input": {"id": id, "name": "Ada"}}))
        .await;
    let answer = admin.data(EVENTS, json!({"filter": {"target": id}})).await;
    let events = answer["auditEvents"]["nodes"].as_array().unwrap();
    assert_eq!(answer["auditEvents"]["totalCount"], 2);
    let (update, create) = (&events[0], &events[1]);
    assert_eq!(update["action"], "user.update");
    assert_eq!(update["before"], json!({"name": null, "comment": "first"}));
    assert_eq!(update["after"], json!({"name": "Ada", "comment": null}));
    assert_eq!(create["action"], "user.create");
    assert_eq!(create["before"], Value::Null);
    assert_eq!(create["after"]["username"], "ada");
    assert_eq!(create["target"], id.as_str());
    assert_eq!(create["paths"], json!([format!("/users/{id}")]));
    assert_eq!(create["actorName"], "admin");
    assert_eq!(
        create["actor"],
        json!({"__typename": "User", "username": "admin"})
    );
    assert_eq!(create["requestId"], "test-request");
    assert_eq!(create["at"], "2030-01-01T12:00:00Z");
    assert!(create["apiKeyId"].as_str().unwrap().starts_with("key_"));
    let node = "query($id: ID!) { node(id: $id) { ... on AuditEvent { action target } } }";
    let answer = admin.data(node, json!({"id": create["id"]})).await;
    assert_eq!(
        answer["node"],
        json!({"action": "user.create", "target": id})
    );
}

#[tokio::test]
async fn the_actor_is_null_for_keystead_itself_and_for_the_deleted() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Admin).await;
    as_ada
        .data(CREATE, json!({"input": {"username": "bob"}}))
        .await;
    let gone = "mutation($id: ID!) { deleteUser(input: {id: $id}) { deletedUserId } }";
    let id = ada.typed_id().to_string();
    app.admin().data(gone, json!({"id": id})).await;
    let by_ada = app
        .admin()
        .data(EVENTS, json!({"filter": {"actor": id}}))
        .await;
    let event = &by_ada["auditEvents"]["nodes"][0];
    assert_eq!(event["actor"], Value::Null);
    assert_eq!(event["actorId"], id.as_str());
    assert_eq!(event["actorName"], "ada");
    let about_ada = app
        .admin()
        .data(
            EVENTS,
            json!({"filter": {"target": id, "action": "user.create"}}),
        )
        .await;
    let event = &about_ada["auditEvents"]["nodes"][0];
    assert_eq!(event["actor"], Value::Null);
    assert_eq!(event["actorId"], Value::Null);
    assert_eq!(event["actorName"], Value::Null);
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_an_event() {
    let app = TestApp::new().await;
    let client = app.app.db.endpoint().client().await.unwrap();
    for attempt in [
        "UPDATE audit_events SET action = 'nothing'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
    ] {
        let refused = client.batch_execute(attempt).await.unwrap_err();
        let message = refused.as_db_error().unwrap().message().to_owned();
        assert_eq!(
            message, "audit events are never changed or deleted",
            "{attempt}"
        );
    }
}

#[tokio::test]
async fn a_secret_that_somebody_pasted_into_a_text_does_not_reach_the_trail() {
    let app = TestApp::new().await;
    let ctx = app.ctx();
    let key = keystead::secrets::Secret::generate_api_key(&ctx.random);
    let hash = format!("$2b$12${}", "a".repeat(53));
    let session = format!("kss_{}", "b".repeat(40));
    let text = format!("my key is {}, my hash {hash}, {session}.", key.expose());
    let made = app
        .admin()
        .data(
            CREATE,
            json!({"input": {"username": "ada", "comment": text, "metadata": {"ci": [key.expose()], key.expose(): 1}}}),
        )
        .await;
    let id = made["createUser"]["user"]["id"].clone();
    let answer = app
        .admin()
        .data(EVENTS, json!({"filter": {"target": id}}))
        .await;
    let after = &answer["auditEvents"]["nodes"][0]["after"];
    let shown = key.display_prefix();
    assert_eq!(
        after["comment"],
        format!("my key is {shown}, my hash [redacted], [redacted].")
    );
    assert_eq!(after["metadata"], json!({"ci": [shown], shown: 1}));
}

#[tokio::test]
async fn the_trail_pages_by_time_and_counts_what_the_filter_leaves() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for number in 0..5 {
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        let input = json!({"input": {"username": format!("user{number}")}});
        admin.data(CREATE, input).await;
    }
    let page = "query($after: String, $order: AuditOrder, $filter: AuditFilter) {
        auditEvents(first: 2, after: $after, orderBy: $order, filter: $filter) {
            totalCount pageInfo { hasNextPage endCursor } nodes { after } } }";
    let names = |answer: &Value| -> Vec<String> {
        let nodes = answer["auditEvents"]["nodes"].as_array().unwrap();
        let name = |node: &Value| node["after"]["username"].as_str().unwrap().to_owned();
        nodes.iter().map(name).collect()
    };
    let filter = json!({"action": "user.", "from": "2030-01-01T12:00:02Z", "before": "2030-01-01T12:00:05Z"});
    let first = admin.data(page, json!({"filter": filter})).await;
    assert_eq!(names(&first), ["user3", "user2"]);
    assert_eq!(first["auditEvents"]["totalCount"], 3);
    let after = &first["auditEvents"]["pageInfo"]["endCursor"];
    let second = admin
        .data(page, json!({"filter": filter, "after": after}))
        .await;
    assert_eq!(names(&second), ["user1"]);
    assert_eq!(second["auditEvents"]["pageInfo"]["hasNextPage"], false);
    let oldest = admin
        .data(
            page,
            json!({"filter": filter, "order": {"direction": "ASC"}}),
        )
        .await;
    assert_eq!(names(&oldest), ["user1", "user2"]);
    let (code, field, _) = admin
        .error(page, json!({"after": after, "order": {"direction": "ASC"}}))
        .await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "after"));
    let by_request = json!({"filter": {"requestId": "test-request"}});
    let answer = admin.data(page, by_request).await;
    assert_eq!(answer["auditEvents"]["totalCount"], 5);
}

#[tokio::test]
async fn a_filter_that_cannot_be_is_refused() {
    let app = TestApp::new().await;
    for (filter, field, part) in [
        (
            json!({"target": "ada"}),
            "filter.target",
            "'ada' is not an id",
        ),
        (
            json!({"actor": "team_00000000000000000000000000"}),
            "filter.actor",
            "is the id of a team",
        ),
        (json!({"apiKey": "ks_x"}), "filter.apiKey", "is not an id"),
        (
            json!({"action": "user"}),
            "filter.action",
            "'user' is not an action",
        ),
        (
            json!({"action": "user.%"}),
            "filter.action",
            "is not an action",
        ),
        (
            json!({"requestId": "x".repeat(201)}),
            "filter.requestId",
            "At most 200",
        ),
    ] {
        let (code, at, message) = app.admin().error(EVENTS, json!({"filter": filter})).await;
        assert_eq!(code, "BAD_USER_INPUT", "{message}");
        assert_eq!(at, field, "{message}");
        let right =
            message.contains(part) || (part == "At most 200" && message.contains("201 bytes"));
        assert!(right, "{message}");
    }
}

#[tokio::test]
async fn several_events_of_one_operation_are_written_together() {
    let app = TestApp::new().await;
    let ctx = app.ctx();
    let id = |kind| Id::new(kind, ctx.new_id());
    let change = |kind| Change::created("thing.create", id(kind), json!({"a": 1}));
    let before = app.app.db.statements();
    let mut tx = ctx.db.begin("test").await.unwrap();
    let changes = vec![change(Kind::User), change(Kind::Team), change(Kind::ApiKey)];
    audit::record(&ctx, &mut tx, changes).await.unwrap();
    tx.commit().await.unwrap();
    // BEGIN, one insert, COMMIT.
    assert_eq!(app.app.db.statements() - before, 3);
}
