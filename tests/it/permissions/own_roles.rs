//! Roles over GraphQL: reading them, and making, changing and deleting one's own.

use keystead::permissions::role::BUILT_IN;
use serde_json::json;

use super::fixture::{Fixture, UPDATE, wanted};

const CREATE: &str = "mutation($input: CreateRoleInput!) { createRole(input: $input) { role {
    id name description privileges builtIn } } }";
const CHANGE: &str = "mutation($input: UpdateRoleInput!) { updateRole(input: $input) { role { name description privileges } } }";
const DELETE: &str = "mutation($id: ID!) { deleteRole(input: {id: $id}) { deletedRoleId } }";

async fn id_of(f: &Fixture, name: &str) -> String {
    let role = f
        .ada
        .data(
            "query($name: String!) { role(name: $name) { id } }",
            json!({"name": name}),
        )
        .await;
    role["role"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_table_holds_the_built_in_roles_of_this_binary() {
    let f = Fixture::new().await;
    let answer = f
        .ada
        .data(
            "{ roles { name description privileges builtIn } }",
            json!({}),
        )
        .await;
    let mut expected: Vec<_> = BUILT_IN.iter().collect();
    expected.sort_by_key(|role| role.name);
    let expected: Vec<_> = expected
        .iter()
        .map(|role| {
            json!({"name": role.name, "description": role.description, "privileges": role.privileges, "builtIn": true})
        })
        .collect();
    assert_eq!(answer["roles"], json!(expected));
    for role in &BUILT_IN {
        let id = keystead::db::ids::Id::new(keystead::db::ids::Kind::Role, role.id).to_string();
        assert_eq!(id_of(&f, &role.name.to_lowercase()).await, id);
    }
}

#[tokio::test]
async fn a_role_is_made_changed_and_deleted() {
    let f = Fixture::new().await;
    let input = json!({"input": {"name": "Trainer", "description": "Trains.", "privileges": ["run.write", "model.use", "run.write"]}});
    let made = f.admin.data(CREATE, input).await["createRole"]["role"].take();
    assert_eq!(
        made["privileges"],
        json!(["model.use", "run.write"]),
        "in order, each once"
    );
    f.grant(&f.ada_id, "/a", &["trainer"]).await;
    assert!(f.may(&f.ada, "run.write", "/a").await);
    let change =
        json!({"input": {"id": made["id"], "description": null, "privileges": ["run.read"]}});
    let changed = f.admin.data(CHANGE, change).await["updateRole"]["role"].take();
    assert_eq!(
        changed,
        json!({"name": "Trainer", "description": null, "privileges": ["run.read"]})
    );
    assert!(!f.may(&f.ada, "run.write", "/a").await && f.may(&f.ada, "run.read", "/a").await);
    let (code, _, message) = f.admin.error(DELETE, json!({"id": made["id"]})).await;
    assert_eq!(code, "CONFLICT", "{message}");
    f.grant(&f.ada_id, "/a", &[]).await;
    assert_eq!(
        f.admin.data(DELETE, json!({"id": made["id"]})).await["deleteRole"]["deletedRoleId"],
        made["id"]
    );
    let gone = f
        .ada
        .data("{ role(name: \"Trainer\") { id } }", json!({}))
        .await;
    assert_eq!(gone["role"], json!(null));
}

#[tokio::test]
async fn bad_roles_are_refused() {
    let f = Fixture::new().await;
    f.admin
        .data(
            CREATE,
            json!({"input": {"name": "Trainer", "privileges": []}}),
        )
        .await;
    let (long, many) = ("x".repeat(65), vec!["a.b".to_owned(); 201]);
    for (name, privileges, code, field) in [
        ("", json!([]), "BAD_USER_INPUT", "input.name"),
        ("a b", json!([]), "BAD_USER_INPUT", "input.name"),
        ("é", json!([]), "BAD_USER_INPUT", "input.name"),
        (&long, json!([]), "BAD_USER_INPUT", "input.name"),
        ("trainer", json!([]), "ALREADY_EXISTS", "input.name"),
        ("read", json!([]), "ALREADY_EXISTS", "input.name"),
        ("self", json!([]), "ALREADY_EXISTS", "input.name"),
        (
            "R",
            json!(["a.b", "*"]),
            "BAD_USER_INPUT",
            "input.privileges.1",
        ),
        (
            "R",
            json!(["*.read"]),
            "BAD_USER_INPUT",
            "input.privileges.0",
        ),
        ("R", json!([""]), "BAD_USER_INPUT", "input.privileges.0"),
        ("R", json!(many), "BAD_USER_INPUT", "input.privileges"),
    ] {
        let (found, at, message) = f
            .admin
            .error(
                CREATE,
                json!({"input": {"name": name, "privileges": privileges}}),
            )
            .await;
        assert_eq!(
            (found.as_str(), at.as_str()),
            (code, field),
            "{name}: {message}"
        );
    }
}

#[tokio::test]
async fn built_in_roles_never_change() {
    let f = Fixture::new().await;
    let read = id_of(&f, "READ").await;
    let change = json!({"input": {"id": read, "privileges": ["a.b"]}});
    let (code, field, message) = f.admin.error(CHANGE, change).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("FORBIDDEN", "input.id"),
        "{message}"
    );
    let (code, ..) = f.admin.error(DELETE, json!({"id": read})).await;
    assert_eq!(code, "FORBIDDEN");
}

#[tokio::test]
async fn it_takes_role_write_and_what_is_added() {
    let f = Fixture::new().await;
    let input = json!({"input": {"name": "Trainer", "privileges": ["run.read"]}});
    let (code, _, message) = f.ada.error(CREATE, input.clone()).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    let (code, ..) = f.app.anonymous().error(CREATE, input.clone()).await;
    assert_eq!(code, "UNAUTHENTICATED");
    f.grant(&f.ada_id, "/roles", &["MANAGE"]).await;
    let made = f.ada.data(CREATE, input).await["createRole"]["role"].take();
    let grow = json!({"input": {"id": made["id"], "privileges": ["run.read", "run.write"]}});
    f.ada.data(CHANGE, grow).await;
    f.grant(&f.ada_id, "/a", &["Trainer"]).await;
    let grow =
        json!({"input": {"id": made["id"], "privileges": ["run.read", "run.write", "run.delete"]}});
    let (code, _, message) = f.ada.error(CHANGE, grow).await;
    assert_eq!(code, "FORBIDDEN");
    assert_eq!(
        message,
        "Nobody can hand out more than they hold: you lack run.delete at /a."
    );
    let shrink = json!({"input": {"id": made["id"], "privileges": ["run.read"]}});
    f.ada.data(CHANGE, shrink).await;
    let (code, ..) = f
        .ada
        .error(UPDATE, wanted(&f.ada_id, "/a", &["ADMIN"]))
        .await;
    assert_eq!(code, "FORBIDDEN");
}
