//! `deleteApiKey`.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use crate::support::TestApp;

const DELETE: &str = "mutation($id: ID!) { deleteApiKey(input: {id: $id}) { deletedApiKeyId } }";

#[tokio::test]
async fn a_deleted_key_is_gone_with_its_permissions() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let (key, own) = app.restricted(&ada, &[("/", "READ")]).await;
    let id = json!({"id": key.typed_id().to_string()});
    let answer = client.data(DELETE, id.clone()).await;
    assert_eq!(answer["deleteApiKey"]["deletedApiKeyId"], id["id"]);
    assert_eq!(
        own.error("{ apiKeys { totalCount } }", json!({})).await.0,
        "UNAUTHENTICATED"
    );
    assert_eq!(client.error(DELETE, id.clone()).await.0, "NOT_FOUND");
    let found = client
        .data("query($id: ID!) { node(id: $id) { id } }", id.clone())
        .await;
    assert_eq!(found["node"], json!(null));
    let rows = app
        .admin()
        .data("{ permissions { totalCount } }", json!({}))
        .await;
    assert_eq!(rows["permissions"]["totalCount"], 0);
}

#[tokio::test]
async fn a_key_may_delete_itself_and_no_other() {
    let app = TestApp::new().await;
    let (vera, viewer) = app.user("vera", InstanceRole::Viewer).await;
    let (key, nothing) = app.restricted(&vera, &[]).await;
    let (other, _) = app.restricted(&vera, &[]).await;
    let other = json!({"id": other.typed_id().to_string()});
    // It does not see the other one; the viewer sees it but may not.
    assert_eq!(nothing.error(DELETE, other.clone()).await.0, "NOT_FOUND");
    assert_eq!(viewer.error(DELETE, other).await.0, "FORBIDDEN");
    nothing
        .data(DELETE, json!({"id": key.typed_id().to_string()}))
        .await;
    assert_eq!(
        nothing
            .error("{ apiKeys { totalCount } }", json!({}))
            .await
            .0,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn what_is_not_there_or_not_seen_is_not_deleted() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let (key, _) = app.restricted(&ada, &[]).await;
    let id = key.typed_id().to_string();
    assert_eq!(bob.error(DELETE, json!({"id": id})).await.0, "NOT_FOUND");
    assert_eq!(
        app.anonymous().error(DELETE, json!({"id": id})).await.0,
        "UNAUTHENTICATED"
    );
    let user = ada.typed_id().to_string();
    for (wrong, code) in [
        ("", "BAD_USER_INPUT"),
        (user.as_str(), "BAD_USER_INPUT"),
        ("key_01h455vb4pex5vsknk084sn02q", "NOT_FOUND"),
    ] {
        let error = app.admin().error(DELETE, json!({"id": wrong})).await;
        assert_eq!((error.0.as_str(), error.1.as_str()), (code, "input.id"));
    }
    let (_, otto) = app.user("otto", InstanceRole::Auditor).await;
    assert_eq!(otto.error(DELETE, json!({"id": id})).await.0, "FORBIDDEN");
    let two = json!({"id": id});
    let admin = app.admin();
    let (one, other) = tokio::join!(admin.gql(DELETE, two.clone()), admin.gql(DELETE, two));
    let refused = [&one, &other]
        .into_iter()
        .filter(|answer| answer.get("errors").is_some());
    assert_eq!(refused.count(), 1, "{one} {other}");
}
