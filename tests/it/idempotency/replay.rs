//! What is replayed, what is refused, and what runs again.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{CREATE, named, send};
use crate::support::{Client, TestApp};

const USERS: &str = "{ users { totalCount } }";

async fn users(client: &Client) -> Value {
    client.data(USERS, json!({})).await["users"]["totalCount"].take()
}

#[tokio::test]
async fn the_same_request_has_one_effect_and_the_same_answer() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let first = send(&admin, "one", CREATE, named("ada")).await;
    assert_eq!(first.status, 200);
    let made = &first.json()["data"]["createUser"]["user"];
    assert_eq!(made["username"], "ada");
    // What is nested in the payload is read in the same transaction, before it is committed.
    let events = json!({"totalCount": 1, "nodes": [{"action": "user.create"}]});
    assert_eq!(made["auditEvents"], events);
    let before = app.app.db.statements();
    let second = send(&admin, "one", CREATE, named("ada")).await;
    assert_eq!(second.body, first.body);
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!(second.header("idempotency-replayed"), "true");
    // Who is calling; BEGIN, the claim, the answer, ROLLBACK; that the others know of the first attempt's change, and who they are.
    assert_eq!(app.app.db.statements() - before, 7);
    assert_eq!(users(&admin).await, 2);
}

#[tokio::test]
async fn a_request_under_a_key_costs_four_statements_more() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let document =
        "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";
    let before = app.app.db.statements();
    admin.data(document, named("ada")).await;
    let plain = app.app.db.statements() - before;
    let before = app.app.db.statements();
    send(&admin, "one", document, named("bob")).await;
    // BEGIN and COMMIT around, the claim, and the answer.
    assert_eq!(app.app.db.statements() - before, plain + 4);
}

#[tokio::test]
async fn the_order_of_members_and_a_persisted_query_make_no_difference() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let body = |variables: &str, rest: &str| format!(r#"{{"variables": {variables}, {rest}}}"#);
    let query = format!(r#""query": {}"#, json!(CREATE));
    let post = async |body: String| {
        let call = admin
            .request("POST", "/graphql")
            .header("content-type", "application/json")
            .header("idempotency-key", "one")
            .body(body);
        admin.send(call).await
    };
    let one = r#"{"input": {"username": "ada", "metadata": {"a": 1, "b": 2}}}"#;
    let other = r#"{"input": {"metadata": {"b": 2, "a": 1}, "username": "ada"}}"#;
    let first = post(body(one, &query)).await;
    assert_eq!(
        first.json()["data"]["createUser"]["user"]["username"],
        "ada"
    );
    assert_eq!(post(body(other, &query)).await.body, first.body);
    let hash = sha256(CREATE);
    let extensions =
        format!(r#""extensions": {{"persistedQuery": {{"version": 1, "sha256Hash": "{hash}"}}}}"#);
    let registering = format!("{query}, {extensions}");
    assert_eq!(post(body(one, &registering)).await.body, first.body);
    assert_eq!(post(body(one, &extensions)).await.body, first.body);
}

fn sha256(text: &str) -> String {
    let digest = keystead::secrets::Digest::of(text.as_bytes());
    digest
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test]
async fn another_request_under_the_same_key_is_an_error() {
    let app = TestApp::new().await;
    let admin = app.admin();
    send(&admin, "one", CREATE, named("ada")).await;
    for (document, variables) in [
        (CREATE.to_owned(), named("bob")),
        (CREATE.replace("mutation(", "mutation Make("), named("ada")),
    ] {
        let answer = send(&admin, "one", &document, variables).await;
        assert_eq!(answer.code(), "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(
            answer.json()["errors"][0]["extensions"]["field"],
            "Idempotency-Key"
        );
        assert_eq!(answer.json().get("data"), None);
    }
    assert_eq!(users(&admin).await, 2);
    // Another user's keys are its own.
    let (_, other) = app.user("eve", InstanceRole::Admin).await;
    let answer = send(&other, "one", CREATE, named("bob")).await;
    assert_eq!(
        answer.json()["data"]["createUser"]["user"]["username"],
        "bob"
    );
}

#[tokio::test]
async fn an_error_that_stays_is_replayed_and_the_key_is_checked() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let first = send(&admin, "one", CREATE, named("not a name")).await;
    assert_eq!(first.code(), "BAD_USER_INPUT");
    assert_eq!(
        send(&admin, "one", CREATE, named("not a name")).await.body,
        first.body
    );

    for key in ["", "with a blank", &"x".repeat(256)] {
        let answer = send(&admin, key, CREATE, named("ada")).await;
        assert_eq!(
            answer.code(),
            "BAD_USER_INPUT",
            "{key:?}: {}",
            answer.text()
        );
        assert_eq!(
            answer.json()["errors"][0]["extensions"]["field"],
            "Idempotency-Key"
        );
    }
    let answer = send(&app.anonymous(), "one", CREATE, named("ada")).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED");
    // A query has no effect, and its key none either.
    let once = send(&admin, "one", USERS, json!({})).await;
    assert_eq!(once.json()["data"]["users"]["totalCount"], 1);
    let batch = admin
        .request("POST", "/graphql")
        .header("idempotency-key", "two")
        .json(&json!([{"query": CREATE, "variables": named("ada")}]));
    let answer = admin.send(batch).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "BAD_USER_INPUT")
    );
    assert_eq!(users(&admin).await, 1);
}

#[tokio::test]
async fn what_may_pass_is_rolled_back_and_runs_again() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let document =
        "mutation($a: CreateUserInput!, $id: ID!) { createUser(input: $a) { user { id } }
        updateUser(input: {id: $id, enabled: false}) { user { id } } }";
    let me = admin
        .data("{ user(by: {username: \"admin\"}) { id } }", json!({}))
        .await;
    let variables = json!({"a": {"username": "ada"}, "id": me["user"]["id"]});
    // The last administrator cannot be disabled: a conflict with the present state, which may change.
    let first = send(&admin, "one", document, variables.clone()).await;
    assert_eq!(first.code(), "CONFLICT");
    assert_eq!(first.json()["data"], Value::Null);
    assert_eq!(
        users(&admin).await,
        1,
        "the first of the two fields was rolled back"
    );
    assert_eq!(rows(&app).await, 0);

    let (_, other) = app.user("eve", InstanceRole::Admin).await;
    let second = send(&admin, "one", document, variables.clone()).await;
    assert_eq!(second.json().get("errors"), None, "{}", second.text());
    assert_eq!(users(&other).await, 3);
}

#[tokio::test]
async fn after_a_day_the_key_is_free_again_and_what_expired_is_purged() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let first = send(&admin, "one", CREATE, named("ada")).await;
    send(&admin, "two", CREATE, named("bob")).await;
    app.app
        .clock
        .advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_eq!(
        send(&admin, "one", CREATE, named("ada")).await.body,
        first.body
    );
    assert_eq!(purge(&app).await, 0);
    app.app.clock.advance(TimeDelta::seconds(1));
    let again = send(&admin, "one", CREATE, named("ada")).await;
    assert_eq!(again.code(), "ALREADY_EXISTS");
    assert_eq!(
        send(&admin, "one", CREATE, named("ada")).await.body,
        again.body
    );
    assert_eq!(purge(&app).await, 1);
    assert_eq!(rows(&app).await, 1);
}

async fn purge(app: &TestApp) -> i64 {
    keystead::idempotency::ops::purge(&app.app.db, &app.app.clock)
        .await
        .unwrap()
}

async fn rows(app: &TestApp) -> i64 {
    let client = app.app.db.endpoint().client().await.unwrap();
    let row = client
        .query_one("SELECT count(*) FROM idempotency_keys", &[])
        .await;
    row.unwrap().get(0)
}

#[tokio::test]
async fn who_deletes_itself_leaves_no_answer() {
    let app = TestApp::new().await;
    let (eve, as_eve) = app.user("eve", InstanceRole::Admin).await;
    let document = "mutation($id: ID!) { deleteUser(input: {id: $id}) { deletedUserId } }";
    let id = json!({"id": eve.typed_id().to_string()});
    let answer = send(&as_eve, "one", document, id.clone()).await;
    assert_eq!(
        answer.json()["data"]["deleteUser"]["deletedUserId"],
        id["id"]
    );
    assert_eq!(rows(&app).await, 0);
    let answer = send(&as_eve, "one", document, id).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED");
}
