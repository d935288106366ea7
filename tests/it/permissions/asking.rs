//! `checkPermission` and `effectivePermissions`.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::fixture::{CHECK, Fixture};

const EFFECTIVE: &str = "query($principal: ID, $prefix: String) {
    effectivePermissions(principal: $principal, pathPrefix: $prefix) {
        path privileges propagated privilegesBelow decidedBy { path role { name } } } }";

#[tokio::test]
async fn a_check_explains_itself() {
    let f = Fixture::new().await;
    f.grant(&f.ada_id, "/models", &["USE"]).await;
    let asked = json!({"privilege": "model.use", "path": "/models/gpt%2d4o"});
    let answer = f.ada.data(CHECK, asked).await["checkPermission"].take();
    assert_eq!(
        answer,
        json!({
            "allowed": true, "privilege": "model.use", "path": "/models/gpt-4o",
            "decidedBy": [{"path": "/models", "derived": false, "role": {"name": "USE"}}],
            "explanation": "ada may model.use at /models/gpt-4o: it is included in the role USE at /models.",
        })
    );
    let asked = json!({"privilege": "user.write", "path": format!("/users/{}", f.ada_id)});
    let answer = f.ada.data(CHECK, asked).await["checkPermission"].take();
    assert_eq!(answer["allowed"], json!(false));
    assert_eq!(answer["decidedBy"][0]["role"]["name"], "SELF");
    assert_eq!(answer["decidedBy"][0]["derived"], json!(true));
}

#[tokio::test]
async fn about_others_one_asks_with_the_right() {
    let f = Fixture::new().await;
    let (bob, bobs) = f.member("bob").await;
    let (_, auditor) = f.app.user("carol", InstanceRole::Auditor).await;
    let of = |principal: &str| json!({"principal": principal, "privilege": "x.read", "path": "/a"});
    let (code, field, _) = bobs.error(CHECK, of(&f.ada_id)).await;
    assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "principal"));
    f.grant(&bob, "/users", &["READ"]).await;
    bobs.data(CHECK, of(&f.ada_id)).await;
    assert_eq!(
        auditor.data(CHECK, of(&f.ada_id)).await["checkPermission"]["allowed"],
        json!(false)
    );
    let (code, ..) = auditor
        .error(CHECK, of("user_00000000000000000000000001"))
        .await;
    assert_eq!(code, "NOT_FOUND");
    let (code, ..) = f.app.anonymous().error(CHECK, of(&f.ada_id)).await;
    assert_eq!(code, "UNAUTHENTICATED");
}

#[tokio::test]
async fn who_sees_somebody_but_not_its_permissions_is_forbidden() {
    let f = Fixture::new().await;
    let (bob, bobs) = f.member("bob").await;
    let create =
        "mutation($input: CreateRoleInput!) { createRole(input: $input) { role { name } } }";
    f.admin
        .data(
            create,
            json!({"input": {"name": "SEER", "privileges": ["user.read"]}}),
        )
        .await;
    f.grant(&bob, "/users", &["SEER"]).await;
    let asked = json!({"principal": f.ada_id, "privilege": "x.read", "path": "/a"});
    let (code, _, message) = bobs.error(CHECK, asked).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    assert!(
        message.contains("permission.read at /users/user_"),
        "{message}"
    );
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let f = Fixture::new().await;
    for (privilege, path, field) in [
        ("no-such", "/a", "privilege"),
        ("*", "/a", "privilege"),
        ("x.read", "a", "path"),
    ] {
        let (code, at, message) = f
            .ada
            .error(CHECK, json!({"privilege": privilege, "path": path}))
            .await;
        assert_eq!(
            (code.as_str(), at.as_str()),
            ("BAD_USER_INPUT", field),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_team_and_a_key_can_be_asked_about() {
    let f = Fixture::new().await;
    let (team, below) = (f.team(1, None).await, f.team(2, Some(1)).await);
    f.join(2).await;
    f.grant(&team, "/a", &["EDIT"]).await;
    let asked =
        |principal: &str| json!({"principal": principal, "privilege": "x.edit", "path": "/a"});
    for principal in [&team, &below] {
        let answer = f.admin.data(CHECK, asked(principal)).await;
        assert_eq!(answer["checkPermission"]["allowed"], json!(true));
    }
    assert!(
        f.may(&f.ada, "x.edit", "/a").await,
        "through the team above hers"
    );
    let (key, caller) = f.key(true).await;
    let answer = f.ada.data(CHECK, asked(&key)).await;
    assert_eq!(answer["checkPermission"]["allowed"], json!(false));
    let answer = caller
        .data(CHECK, json!({"privilege": "x.edit", "path": "/a"}))
        .await;
    assert_eq!(
        answer["checkPermission"]["allowed"],
        json!(false),
        "a restricted key asks about itself"
    );
    let (code, ..) = caller.error(CHECK, asked(&f.ada_id)).await;
    assert_eq!(code, "NOT_FOUND", "and sees nobody");
}

#[tokio::test]
async fn effective_permissions_say_what_is_held_where() {
    let f = Fixture::new().await;
    f.grant(&f.ada_id, "/a", &["READ"]).await;
    f.grant(&f.ada_id, "/a/secret", &["NO_ACCESS"]).await;
    let here = json!({"input": {"principal": f.ada_id, "path": "/a/b", "roles": [{"role": "EDIT", "propagate": false}]}});
    f.admin.data(super::fixture::UPDATE, here).await;
    let answer =
        f.ada.data(EFFECTIVE, json!({"prefix": "/a"})).await["effectivePermissions"].take();
    assert_eq!(
        answer,
        json!([
            {"path": "/a", "privileges": ["*.read"], "propagated": true, "privilegesBelow": ["*.read"],
                "decidedBy": [{"path": "/a", "role": {"name": "READ"}}]},
            {"path": "/a/b", "privileges": ["*.edit", "*.read", "*.use"], "propagated": false, "privilegesBelow": ["*.read"],
                "decidedBy": [{"path": "/a/b", "role": {"name": "EDIT"}}]},
            {"path": "/a/secret", "privileges": [], "propagated": true, "privilegesBelow": [],
                "decidedBy": [{"path": "/a/secret", "role": {"name": "NO_ACCESS"}}]},
        ])
    );
    let everything = f
        .admin
        .data(EFFECTIVE, json!({"principal": null, "prefix": "/x"}))
        .await;
    assert_eq!(
        everything["effectivePermissions"][0]["privileges"],
        json!(["*"])
    );
}
