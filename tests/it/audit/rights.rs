//! Who may read which events: in lists, in counts, one by one, and below a user.

use keystead::audit::model::Change;
use keystead::audit::ops as audit;
use keystead::db::ids::{Id, Kind};
use keystead::permissions::model::InstanceRole;
use keystead::permissions::path::Path;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

const ACTIONS: &str = "query($filter: AuditFilter) { auditEvents(first: 100, filter: $filter, orderBy: {direction: ASC}) {
    totalCount nodes { id action } } }";
const GRANT: &str =
    "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { added } }";

/// Records one event for each list of paths; its action tells which.
async fn record(app: &TestApp, events: &[(&'static str, &[&str])]) {
    let ctx = app.ctx();
    for (action, paths) in events {
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        let paths = paths.iter().map(|path| Path::parse(path).unwrap());
        let target = Id::new(Kind::Permission, ctx.new_id());
        let change = Change::created(action, target, json!({"a": 1})).at(paths);
        let mut tx = ctx.db.begin("test").await.unwrap();
        audit::record(&ctx, &mut tx, vec![change]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// The actions of the events about permissions that the client sees; the count must agree with the list.
async fn seen(client: &Client) -> Vec<String> {
    let answer = client
        .data(ACTIONS, json!({"filter": {"action": "test."}}))
        .await;
    let nodes = answer["auditEvents"]["nodes"].as_array().unwrap();
    assert_eq!(answer["auditEvents"]["totalCount"], nodes.len());
    let action = |node: &Value| node["action"].as_str().unwrap().to_owned();
    nodes.iter().map(action).collect()
}

async fn grant(app: &TestApp, principal: Id, path: &str, role: &str, propagate: bool) {
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let roles = json!([{"role": role, "propagate": propagate}]);
    let input = json!({"principal": principal.to_string(), "path": path, "roles": roles});
    app.admin().data(GRANT, json!({"input": input})).await;
}

#[tokio::test]
async fn a_list_holds_what_lies_where_the_actor_may_read_the_trail() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    record(
        &app,
        &[
            ("test.none", &[]),
            ("test.root", &["/"]),
            ("test.models", &["/models"]),
            ("test.model", &["/models/a"]),
            ("test.deep", &["/models/a/b/c"]),
            ("test.other", &["/models/b"]),
            ("test.neighbour", &["/models/ab"]),
            ("test.two", &["/vms/1", "/models/a/x"]),
        ],
    )
    .await;
    assert_eq!(seen(&app.admin()).await.len(), 8);
    assert_eq!(seen(&auditor).await.len(), 8);
    assert_eq!(seen(&as_ada).await, Vec::<String>::new());

    let id = ada.typed_id();
    grant(&app, id, "/models/a", "READ", true).await;
    assert_eq!(seen(&as_ada).await, ["test.model", "test.deep", "test.two"]);

    // What does not propagate is for the path alone.
    grant(&app, id, "/models", "READ", false).await;
    let expected = ["test.models", "test.model", "test.deep", "test.two"];
    assert_eq!(seen(&as_ada).await, expected);

    // What is nearer replaces what comes from above; an event with several paths is seen through any of them.
    grant(&app, id, "/models/a/x", "NO_ACCESS", true).await;
    assert_eq!(
        seen(&as_ada).await,
        ["test.models", "test.model", "test.deep"]
    );
    grant(&app, id, "/vms", "READ", true).await;
    assert_eq!(seen(&as_ada).await, expected);

    // At the root: everything.
    grant(&app, id, "/", "READ", true).await;
    assert_eq!(seen(&as_ada).await.len(), 8);
}

#[tokio::test]
async fn one_event_is_shown_by_the_same_rule() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    record(
        &app,
        &[("test.a", &["/models/a"]), ("test.b", &["/models/b"])],
    )
    .await;
    grant(&app, ada.typed_id(), "/models/a", "READ", true).await;
    let answer = app
        .admin()
        .data(ACTIONS, json!({"filter": {"action": "test."}}))
        .await;
    let ids: Vec<&Value> = answer["auditEvents"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["id"])
        .collect();
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on AuditEvent { action } } }";
    let before = app.app.db.statements();
    let answer = as_ada.data(nodes, json!({"ids": ids})).await;
    // Who is calling, and both events.
    assert_eq!(app.app.db.statements() - before, 2);
    assert_eq!(answer["nodes"], json!([{"action": "test.a"}, null]));
    let (code, _, _) = app.anonymous().error(nodes, json!({"ids": ids})).await;
    assert_eq!(code, "UNAUTHENTICATED");
    let (code, _, _) = app.anonymous().error(ACTIONS, json!({})).await;
    assert_eq!(code, "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_events_about_many_users_cost_one_statement() {
    let app = TestApp::new().await;
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    for name in ["ada", "bob", "cyd"] {
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        app.user(name, InstanceRole::Member).await;
    }
    let document = "{ users(filter: {role: MEMBER}) { nodes { username auditEvents(first: 1) { totalCount nodes { action } } } } }";
    let before = app.app.db.statements();
    let answer = auditor.data(document, json!({})).await;
    // Who is calling, the users, their events with their numbers.
    assert_eq!(app.app.db.statements() - before, 4);
    let one = |name| json!({"username": name, "auditEvents": {"totalCount": 1, "nodes": [{"action": "user.create"}]}});
    assert_eq!(
        answer["users"]["nodes"],
        json!([one("ada"), one("bob"), one("cyd")])
    );

    let before = app.app.db.statements();
    auditor
        .data(
            "{ auditEvents { nodes { action actor { __typename } } } }",
            json!({}),
        )
        .await;
    // Who is calling, the events; their actor is Keystead itself.
    assert_eq!(app.app.db.statements() - before, 2);
}

#[tokio::test]
async fn a_member_sees_itself_without_its_trail() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let document = "query($id: ID!) { user(by: {id: $id}) { username auditEvents { totalCount nodes { action } } } }";
    let id = ada.typed_id();
    let answer = as_ada.data(document, json!({"id": id.to_string()})).await;
    assert_eq!(
        answer["user"]["auditEvents"],
        json!({"totalCount": 0, "nodes": []})
    );
    grant(&app, id, &format!("/users/{id}"), "READ", true).await;
    let answer = as_ada.data(document, json!({"id": id.to_string()})).await;
    let actions = json!([{"action": "permission.update"}, {"action": "user.create"}]);
    assert_eq!(answer["user"]["auditEvents"]["nodes"], actions);
}
