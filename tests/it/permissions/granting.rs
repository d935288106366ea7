//! `updatePermission` and `deletePermission`.

use serde_json::json;

use super::fixture::{Fixture, UPDATE, wanted};

const DELETE: &str =
    "mutation($id: ID!) { deletePermission(input: {id: $id}) { deletedPermissionId } }";

#[tokio::test]
async fn what_is_wanted_is_what_is_held_and_doing_it_again_changes_nothing() {
    let f = Fixture::new().await;
    let first = f
        .grant(&f.ada_id, "/models/gpt%2D4o", &["use", "EDIT"])
        .await;
    assert_eq!(
        (&first["added"], &first["removed"]),
        (&json!(["EDIT", "USE"]), &json!([]))
    );
    assert_eq!(first["permissions"][0]["path"], "/models/gpt-4o");
    assert_eq!(first["permissions"][0]["createdBy"]["username"], "admin");
    assert!(f.may(&f.ada, "model.edit", "/models/gpt-4o/x").await);

    let again = f.grant(&f.ada_id, "/models/gpt-4o", &["EDIT", "USE"]).await;
    assert_eq!(
        (&again["added"], &again["changed"], &again["removed"]),
        (&json!([]), &json!([]), &json!([]))
    );
    assert_eq!(again["permissions"], first["permissions"]);

    let other = json!({"input": {"principal": f.ada_id, "path": "/models/gpt-4o", "roles": [
        {"role": "USE", "propagate": false, "expiresAt": "2031-01-01T00:00:00Z"}, {"role": "READ"}]}});
    let changed = f.admin.data(UPDATE, other).await["updatePermission"].take();
    assert_eq!(
        (&changed["added"], &changed["changed"], &changed["removed"]),
        (&json!(["READ"]), &json!(["USE"]), &json!(["EDIT"]))
    );
    let used = &changed["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["role"]["name"] == "USE")
        .unwrap();
    assert_eq!(
        (&used["propagate"], &used["expiresAt"]),
        (&json!(false), &json!("2031-01-01T00:00:00Z"))
    );
    assert!(!f.may(&f.ada, "model.edit", "/models/gpt-4o").await);

    let none = f.grant(&f.ada_id, "/models/gpt-4o", &[]).await;
    assert_eq!(
        (&none["permissions"], &none["removed"]),
        (&json!([]), &json!(["READ", "USE"]))
    );
    assert!(!f.may(&f.ada, "model.read", "/models/gpt-4o").await);
}

#[tokio::test]
async fn bad_input_is_named() {
    let f = Fixture::new().await;
    let long = "x".repeat(600);
    let nobody = "user_00000000000000000000000001";
    for (principal, path, roles, code, field, said) in [
        (
            "ada",
            "/a",
            json!([]),
            "BAD_USER_INPUT",
            "input.principal",
            "is not an id",
        ),
        (
            "role_00000000000000000000000001",
            "/a",
            json!([]),
            "BAD_USER_INPUT",
            "input.principal",
            "is the id of a role",
        ),
        (
            nobody,
            "/a",
            json!([]),
            "NOT_FOUND",
            "input.principal",
            "There is no user",
        ),
        (
            "team_00000000000000000000000001",
            "/a",
            json!([]),
            "NOT_FOUND",
            "input.principal",
            "There is no team",
        ),
        (
            "key_00000000000000000000000001",
            "/a",
            json!([]),
            "NOT_FOUND",
            "input.principal",
            "There is no API key",
        ),
        (
            &f.ada_id,
            "a",
            json!([]),
            "BAD_USER_INPUT",
            "input.path",
            "must begin with \"/\"",
        ),
        (
            &f.ada_id,
            &long,
            json!([]),
            "BAD_USER_INPUT",
            "input.path",
            "is not a path",
        ),
        (
            &f.ada_id,
            "/a",
            json!([{"role": "READ\0"}]),
            "NOT_FOUND",
            "input.roles.0.role",
            "There is no role",
        ),
        (
            &f.ada_id,
            "/a",
            json!([{"role": "NOPE"}]),
            "NOT_FOUND",
            "input.roles.0.role",
            "There is no role 'NOPE'",
        ),
        (
            &f.ada_id,
            "/a",
            json!([{"role": "READ"}, {"role": "SELF"}]),
            "BAD_USER_INPUT",
            "input.roles.1.role",
            "cannot be granted",
        ),
        (
            &f.ada_id,
            "/a",
            json!([{"role": "READ"}, {"role": "read"}]),
            "BAD_USER_INPUT",
            "input.roles.1.role",
            "given twice",
        ),
        (
            &f.ada_id,
            "/a",
            json!([{"role": "READ", "expiresAt": "2029-12-31T00:00:00Z"}]),
            "BAD_USER_INPUT",
            "input.roles.0.expiresAt",
            "lies in the past",
        ),
        (
            &f.ada_id,
            "/a",
            json!(vec![json!({"role": "READ"}); 33]),
            "BAD_USER_INPUT",
            "input.roles",
            "at most 32",
        ),
    ] {
        let input = json!({"input": {"principal": principal, "path": path, "roles": roles}});
        let (found, at, message) = f.admin.error(UPDATE, input).await;
        assert_eq!((found.as_str(), at.as_str()), (code, field), "{message}");
        assert!(message.contains(said), "{message}");
    }
}

#[tokio::test]
async fn it_takes_permission_write_at_the_path() {
    let f = Fixture::new().await;
    let (bob, bobs) = f.member("bob").await;
    let (code, ..) = f.ada.error(UPDATE, wanted(&bob, "/a", &["READ"])).await;
    assert_eq!(code, "NOT_FOUND", "ada does not see bob");
    let (code, _, message) = f
        .ada
        .error(UPDATE, wanted(&f.ada_id, "/a", &["READ"]))
        .await;
    assert_eq!(code, "FORBIDDEN");
    assert_eq!(
        message,
        "This needs the privilege permission.write at /a, which you do not hold."
    );
    let (code, ..) = f
        .app
        .anonymous()
        .error(UPDATE, wanted(&bob, "/a", &["READ"]))
        .await;
    assert_eq!(code, "UNAUTHENTICATED");

    f.grant(&f.ada_id, "/a", &["MANAGE"]).await;
    f.grant(&f.ada_id, "/users", &["READ"]).await;
    f.ada.data(UPDATE, wanted(&bob, "/a/b", &["EDIT"])).await;
    assert!(f.may(&bobs, "x.edit", "/a/b").await);
}

#[tokio::test]
async fn nobody_hands_out_more_than_they_hold() {
    let f = Fixture::new().await;
    let (bob, bobs) = f.member("bob").await;
    f.grant(&f.ada_id, "/users", &["READ"]).await;
    f.grant(&f.ada_id, "/a", &["MANAGE"]).await;
    let (code, _, message) = f.ada.error(UPDATE, wanted(&bob, "/a", &["ADMIN"])).await;
    assert_eq!(code, "FORBIDDEN");
    assert_eq!(
        message,
        "Nobody can hand out more than they hold: you lack * at /a."
    );
    let (_, _, message) = f
        .ada
        .error(UPDATE, wanted(&f.ada_id, "/a", &["ADMIN"]))
        .await;
    assert!(
        message.contains("you lack * at /a"),
        "nor to themselves: {message}"
    );

    // What NO_ACCESS hides comes back when it goes.
    f.grant(&f.ada_id, "/a/secret", &["READ", "MANAGE"]).await;
    f.grant(&bob, "/a", &["ADMIN"]).await;
    f.grant(&bob, "/a/secret", &["NO_ACCESS"]).await;
    let (code, _, message) = f.ada.error(UPDATE, wanted(&bob, "/a/secret", &[])).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    assert!(!f.may(&bobs, "x.read", "/a/secret").await);

    // A right that lasts longer is more.
    let until = |principal: &str, end: &str| json!({"input": {"principal": principal, "path": "/t", "roles": [{"role": "MANAGE", "expiresAt": end}]}});
    f.admin
        .data(UPDATE, until(&f.ada_id, "2030-02-01T00:00:00Z"))
        .await;
    let (code, _, message) = f
        .ada
        .error(UPDATE, until(&f.ada_id, "2030-03-01T00:00:00Z"))
        .await;
    assert_eq!(code, "FORBIDDEN");
    assert!(
        message.ends_with("at /t from 2030-02-01T00:00:00Z on."),
        "{message}"
    );
    f.ada
        .data(UPDATE, until(&bob, "2030-02-01T00:00:00Z"))
        .await;
}

#[tokio::test]
async fn what_a_team_s_row_hid_from_a_member_counts_too() {
    let f = Fixture::new().await;
    let (team, below) = (f.team(1, None).await, f.team(2, Some(1)).await);
    f.join(2).await;
    f.grant(&f.ada_id, "/", &["ADMIN"]).await;
    f.grant(&team, "/a", &["NO_ACCESS"]).await;
    assert!(!f.may(&f.ada, "x.edit", "/a").await);
    let (clerk, clerks) = f.member("clerk").await;
    f.grant(&clerk, "/a", &["MANAGE"]).await;
    f.grant(&clerk, "/teams", &["READ"]).await;
    let (code, _, message) = clerks.error(UPDATE, wanted(&team, "/a", &[])).await;
    assert_eq!(code, "FORBIDDEN");
    assert!(message.contains("you lack * at /a"), "{message}");
    clerks.data(UPDATE, wanted(&below, "/a/b", &["READ"])).await;
    f.admin.data(UPDATE, wanted(&team, "/a", &[])).await;
    assert!(f.may(&f.ada, "x.edit", "/a").await);
}

#[tokio::test]
async fn a_restricted_key_holds_its_own_within_its_owner_s() {
    let f = Fixture::new().await;
    let (free, _) = f.key(false).await;
    let (key, caller) = f.key(true).await;
    f.grant(&f.ada_id, "/a", &["EDIT"]).await;
    let (code, field, message) = f.ada.error(UPDATE, wanted(&free, "/a", &["READ"])).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("BAD_USER_INPUT", "input.principal"),
        "{message}"
    );
    f.ada.data(UPDATE, wanted(&key, "/", &["READ"])).await;
    assert!(f.may(&caller, "x.read", "/a").await);
    assert!(!f.may(&caller, "x.edit", "/a").await, "the key holds READ");
    assert!(
        !f.may(&caller, "x.read", "/b").await,
        "its owner holds nothing there"
    );
    let (_, bobs) = f.member("bob").await;
    let (code, ..) = bobs.error(UPDATE, wanted(&key, "/", &["READ"])).await;
    assert_eq!(code, "NOT_FOUND", "bob does not see the key");
}

#[tokio::test]
async fn one_permission_can_be_deleted() {
    let f = Fixture::new().await;
    let granted = f.grant(&f.ada_id, "/a", &["READ", "EDIT"]).await;
    let id = granted["permissions"][0]["id"].as_str().unwrap().to_owned();
    let (code, ..) = f.ada.error(DELETE, json!({"id": id})).await;
    assert_eq!(
        code, "FORBIDDEN",
        "ada sees what she holds, but may not change it"
    );
    let (_, bobs) = f.member("bob").await;
    let (code, field, message) = bobs.error(DELETE, json!({"id": id})).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("NOT_FOUND", "input.id"),
        "{message}"
    );
    let gone = f.admin.data(DELETE, json!({"id": id})).await;
    assert_eq!(gone["deletePermission"]["deletedPermissionId"], json!(id));
    let (code, ..) = f.admin.error(DELETE, json!({"id": id})).await;
    assert_eq!(code, "NOT_FOUND");
    let node = f
        .admin
        .data(
            "query($id: ID!) { node(id: $id) { id } }",
            json!({"id": id}),
        )
        .await;
    assert_eq!(node["node"], json!(null));
}

#[tokio::test]
async fn two_at_a_time_make_one_change() {
    let f = Fixture::new().await;
    let both =
        futures_util::future::join_all((0..8).map(|_| f.grant(&f.ada_id, "/a", &["READ"]))).await;
    let added = both
        .iter()
        .filter(|answer| answer["added"] == json!(["READ"]))
        .count();
    assert_eq!(added, 1);
    assert!(
        both.iter()
            .all(|answer| answer["permissions"] == both[0]["permissions"])
    );
}

#[tokio::test]
async fn a_change_is_recorded_and_no_change_is_not() {
    let f = Fixture::new().await;
    f.grant(&f.ada_id, "/a", &["READ"]).await;
    f.grant(&f.ada_id, "/a", &["READ"]).await;
    let client = f.app.ctx().db.endpoint().client().await.unwrap();
    let rows = client
        .query("SELECT target, before::text, after::text FROM audit_events WHERE action = 'permission.update'", &[])
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    let (target, before, after): (String, String, String) =
        (rows[0].get(0), rows[0].get(1), rows[0].get(2));
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(target, f.ada_id);
    assert_eq!(read(&before), json!({"path": "/a", "roles": []}));
    assert_eq!(
        read(&after),
        json!({"path": "/a", "roles": [{"role": "READ", "propagate": true, "expiresAt": null}]})
    );
}
