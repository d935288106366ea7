//! What the policy asks of keys: who makes them, what they have, how many there are.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{GENERATE, refusal, set, team};
use crate::support::{Client, TestApp};

async fn count(app: &TestApp, owner: &str) -> Value {
    let keys = "query($id: ID!) { apiKeys(filter: {owner: $id}) { totalCount } }";
    let data = app.admin().data(keys, json!({ "id": owner })).await;
    data["apiKeys"]["totalCount"].clone()
}

#[tokio::test]
async fn keys_are_made_by_those_whom_the_policy_lets() {
    let app = TestApp::new().await;
    let (boss, as_boss) = app.user("boss", InstanceRole::Member).await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let (outsider, as_outsider) = app.user("outsider", InstanceRole::Member).await;
    let (_, auditor) = app.user("auditor", InstanceRole::Auditor).await;
    let members = json!([{"user": boss.typed_id().to_string(), "role": "ADMIN"},
        {"user": ada.typed_id().to_string(), "role": "MEMBER"}]);
    let blue = team(&app, "blue", members).await;
    let outsider = outsider.typed_id().to_string();
    crate::users::world::grant(&app, &outsider, "/", &["MANAGE"]).await;
    let of_team = json!({"team": blue, "owner": boss.typed_id().to_string()});
    let rules = json!({"personalKeyMakers": ["AUDITOR"], "teamKeyMakers": ["ADMIN"]});
    set(&app, json!({ "apiKeys": rules })).await;
    let mut told = Vec::new();
    for (client, input) in [
        (&as_ada, json!({})),
        (&as_boss, json!({})),
        // Membership in the team decides, not what else the actor holds at it.
        (&as_outsider, of_team.clone()),
        (&as_outsider, json!({"owner": ada.typed_id().to_string()})),
    ] {
        told.push(refusal(client, GENERATE, input).await);
    }
    set(
        &app,
        json!({"apiKeys": {"personalKeyMakers": [], "teamKeyMakers": ["ADMIN", "MEMBER"]}}),
    )
    .await;
    told.push(refusal(&auditor, GENERATE, json!({})).await);
    told.push(refusal(&as_outsider, GENERATE, of_team.clone()).await);
    insta::assert_snapshot!("makers", told.join("\n"));
    set(&app, json!({ "apiKeys": rules })).await;
    for (client, input) in [
        (&auditor, json!({})),
        (&as_boss, json!({ "team": blue })),
        (&app.admin(), of_team),
        (&app.admin(), json!({})),
    ] {
        client.data(GENERATE, json!({ "input": input })).await;
    }
}

#[tokio::test]
async fn what_is_required_is_asked_of_what_is_made_and_changed() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let made = ada.data(GENERATE, json!({"input": {}})).await;
    let older = made["generateApiKey"]["apiKey"]["id"].clone();
    let fields = json!(["DESCRIPTION", "EXPIRES_AT", "ALLOWED_CIDRS", "PERMISSIONS"]);
    set(&app, json!({"apiKeys": {"requiredFields": fields}})).await;
    let whole = json!({"description": "for tests", "expiresIn": "P1D", "allowedCidrs": ["192.0.2.0/24"], "permissions": []});
    let mut told = Vec::new();
    for part in ["description", "expiresIn", "allowedCidrs", "permissions"] {
        let mut input = whole.clone();
        input[part] = Value::Null;
        told.push(refusal(&ada, GENERATE, input).await);
    }
    let made = ada.data(GENERATE, json!({ "input": whole })).await;
    let key = made["generateApiKey"]["apiKey"]["id"].clone();
    let update =
        "mutation($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { apiKey { id } } }";
    for change in [
        json!({"description": null}),
        json!({"expiresAt": null}),
        json!({"allowedCidrs": []}),
        json!({"permissions": null}),
    ] {
        let mut input = change;
        input["id"] = key.clone();
        told.push(refusal(&ada, update, input).await);
    }
    // One that is older keeps what it lacks until it has a new secret.
    for change in [
        json!({"name": "older"}),
        json!({"description": null}),
        json!({"description": "old"}),
    ] {
        let mut input = change;
        input["id"] = older.clone();
        ada.data(update, json!({ "input": input })).await;
    }
    let rotate =
        "mutation($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { apiKey { id } } }";
    told.push(refusal(&ada, rotate, json!({ "id": older })).await);
    let end = json!({"id": older, "expiresAt": "2030-02-01T00:00:00Z"});
    told.push(refusal(&ada, rotate, end).await);
    app.admin()
        .data(rotate, json!({"input": {"id": older}}))
        .await;
    ada.data(rotate, json!({"input": {"id": key}})).await;
    insta::assert_snapshot!("required", told.join("\n"));
}

#[tokio::test]
async fn a_user_has_no_more_keys_than_the_policy_allows() {
    let app = TestApp::new().await;
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let id = user.typed_id().to_string();
    set(&app, json!({"apiKeys": {"maxPerUser": 2}})).await;
    let made = ada
        .data(GENERATE, json!({"input": {"expiresIn": "PT1M"}}))
        .await;
    let told = refusal(&ada, GENERATE, json!({})).await;
    insta::assert_snapshot!("too_many", told);
    assert_eq!(count(&app, &id).await, 2, "what is refused is not there");
    // One that has expired counts until it is deleted; administrators are not bound.
    app.app.clock.advance(chrono::TimeDelta::hours(1));
    refusal(&ada, GENERATE, json!({})).await;
    app.admin()
        .data(GENERATE, json!({"input": {"owner": id}}))
        .await;
    let delete = "mutation($id: ID!) { deleteApiKey(input: {id: $id}) { deletedApiKeyId } }";
    let key = &made["generateApiKey"]["apiKey"]["id"];
    ada.data(delete, json!({ "id": key })).await;
    refusal(&ada, GENERATE, json!({})).await;
    set(&app, json!({"apiKeys": {"maxPerUser": 3}})).await;
    ada.data(GENERATE, json!({"input": {}})).await;
}

async fn at_once(client: Client, n: usize) -> bool {
    let name = format!("key {n}");
    let answer = client.gql(GENERATE, json!({"input": {"name": name}})).await;
    match answer["errors"][0]["extensions"]["code"].as_str() {
        None => true,
        Some(code) => {
            assert_eq!(code, "LIMIT_EXCEEDED", "{answer}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_as_many_succeed_as_there_is_room_for() {
    let app = TestApp::new().await;
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    set(&app, json!({"apiKeys": {"maxPerUser": 5}})).await;
    let tasks: Vec<_> = (0..12)
        .map(|n| tokio::spawn(at_once(ada.clone(), n)))
        .collect();
    let mut succeeded = 0;
    for task in tasks {
        succeeded += usize::from(task.await.unwrap());
    }
    assert_eq!(succeeded, 4);
    assert_eq!(count(&app, &user.typed_id().to_string()).await, 5);
}
