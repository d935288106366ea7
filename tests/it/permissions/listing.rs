//! `permissions`: filters, pages, and who sees what.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::fixture::{Fixture, LIST};
use crate::support::Client;

async fn paths(client: &Client, filter: Value) -> Vec<String> {
    let answer = client
        .data(LIST, json!({"filter": filter, "first": 100}))
        .await;
    let nodes = answer["permissions"]["nodes"].as_array().unwrap().clone();
    let paths: Vec<String> = nodes
        .iter()
        .map(|node| node["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(answer["permissions"]["totalCount"], json!(paths.len()));
    paths
}

#[tokio::test]
async fn filters_are_joined_by_and() {
    let f = Fixture::new().await;
    let (bob, _) = f.member("bob").await;
    for path in ["/a", "/a/b", "/ab", "/a_b", "/a%25"] {
        f.grant(&f.ada_id, path, &["READ"]).await;
    }
    f.grant(&bob, "/a", &["EDIT"]).await;
    let soon = json!({"input": {"principal": bob, "path": "/t", "roles": [{"role": "READ", "expiresAt": "2030-01-02T00:00:00Z"}]}});
    f.admin.data(super::fixture::UPDATE, soon).await;
    let all = paths(&f.admin, json!({})).await;
    assert_eq!(all, ["/a", "/a/b", "/ab", "/a_b", "/a%25", "/a", "/t"]);
    assert_eq!(
        paths(&f.admin, json!({"principal": bob})).await,
        ["/a", "/t"]
    );
    assert_eq!(paths(&f.admin, json!({"path": "/a"})).await, ["/a", "/a"]);
    assert_eq!(
        paths(&f.admin, json!({"pathPrefix": "/a"})).await,
        ["/a", "/a/b", "/a"]
    );
    assert_eq!(
        paths(&f.admin, json!({"pathPrefix": "/a", "role": "edit"})).await,
        ["/a"]
    );
    assert_eq!(paths(&f.admin, json!({"pathPrefix": "/"})).await.len(), 7);
    assert_eq!(
        paths(&f.admin, json!({"role": "NOPE"})).await,
        Vec::<String>::new()
    );
    assert_eq!(
        paths(&f.admin, json!({"expiresBefore": "2030-02-01T00:00:00Z"})).await,
        ["/t"]
    );
    let (code, field, _) = f.admin.error(LIST, json!({"filter": {"path": "a"}})).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("BAD_USER_INPUT", "filter.path")
    );
}

#[tokio::test]
async fn pages_follow_one_another() {
    let f = Fixture::new().await;
    let wanted: Vec<String> = (0..7).map(|number| format!("/p/{number}")).collect();
    for path in &wanted {
        f.grant(&f.ada_id, path, &["READ"]).await;
    }
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = f
            .admin
            .data(LIST, json!({"first": 3, "after": after}))
            .await["permissions"]
            .take();
        seen.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["path"].as_str().unwrap().to_owned()),
        );
        assert_eq!(page["totalCount"], json!(7));
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, wanted);
    let last = f.admin.data(LIST, json!({"last": 2})).await["permissions"].take();
    assert_eq!(last["nodes"][1]["path"], "/p/6");
    assert_eq!(
        last["pageInfo"],
        json!({"hasNextPage": false, "hasPreviousPage": true, "endCursor": last["edges"][1]["cursor"]})
    );
}

#[tokio::test]
async fn one_sees_by_the_path_or_by_the_holder() {
    let f = Fixture::new().await;
    let (bob, bobs) = f.member("bob").await;
    let (_, auditor) = f.app.user("carol", InstanceRole::Auditor).await;
    let team = f.team(1, None).await;
    let (key, restricted) = f.key(true).await;
    for (principal, path) in [
        (&f.ada_id, "/a"),
        (&bob, "/a"),
        (&bob, "/a/secret"),
        (&bob, "/b"),
        (&team, "/a/b"),
        (&key, "/k"),
    ] {
        f.grant(principal, path, &["USE"]).await;
    }
    assert_eq!(paths(&auditor, json!({})).await.len(), 6);
    assert_eq!(
        paths(&f.ada, json!({})).await,
        ["/a", "/a", "/a/secret", "/a/b", "/k"],
        "USE includes *.read, at /a and below"
    );
    f.grant(&f.ada_id, "/a", &["NO_ACCESS"]).await;
    assert_eq!(
        paths(&f.ada, json!({})).await,
        ["/k", "/a"],
        "her own, and her key's"
    );
    assert_eq!(
        paths(&bobs, json!({})).await,
        ["/a", "/a/secret", "/b", "/a/b", "/a"],
        "his own, and all at /a and below"
    );
    f.grant(&bob, "/a/secret", &["NO_ACCESS"]).await;
    f.grant(&f.ada_id, "/a/secret/x", &["READ"]).await;
    assert!(
        !paths(&bobs, json!({}))
            .await
            .contains(&"/a/secret/x".to_owned())
    );
    assert_eq!(paths(&restricted, json!({})).await, Vec::<String>::new());
    let (code, ..) = f.app.anonymous().error(LIST, json!({})).await;
    assert_eq!(code, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_permission_is_a_node_for_those_who_see_it() {
    let f = Fixture::new().await;
    let granted = f.grant(&f.ada_id, "/a", &["READ"]).await;
    let id = &granted["permissions"][0]["id"];
    let ask = "query($id: ID!) { node(id: $id) { id ... on Permission { path role { id name builtIn } createdBy { username } principal { ... on User { username } } } } }";
    let seen = f.ada.data(ask, json!({"id": id})).await["node"].take();
    assert_eq!(
        (&seen["path"], &seen["role"]["name"]),
        (&json!("/a"), &json!("READ"))
    );
    assert_eq!(
        seen["createdBy"],
        json!(null),
        "ada does not see the administrator"
    );
    assert_eq!(seen["principal"]["username"], "ada");
    let role = f
        .ada
        .data(
            "query($id: ID!) { node(id: $id) { ... on Role { name } } }",
            json!({"id": seen["role"]["id"]}),
        )
        .await;
    assert_eq!(role["node"]["name"], "READ");
    let (_, bobs) = f.member("bob").await;
    assert_eq!(bobs.data(ask, json!({"id": id})).await["node"], json!(null));
}

#[tokio::test]
async fn users_and_teams_have_their_permissions_in_one_statement() {
    let f = Fixture::new().await;
    let (bob, bobs) = f.member("bob").await;
    let team = f.team(1, None).await;
    f.join(1).await;
    for path in ["/a", "/b", "/c"] {
        f.grant(&f.ada_id, path, &["USE"]).await;
        f.grant(&team, path, &["USE"]).await;
    }
    f.grant(&bob, "/b", &["USE"]).await;
    let document = "{ users(first: 10) { nodes { username permissions(first: 2) { nodes { path } totalCount pageInfo { hasNextPage } } } }
        teams(first: 10) { nodes { permissions(last: 1) { nodes { path principal { __typename } } totalCount } } } }";
    let before = f.app.app.db.statements();
    let seen = f.admin.data(document, json!({})).await;
    assert!(
        f.app.app.db.statements() - before < 12,
        "the same for any number of users"
    );
    let of = |name: &str| {
        let users = seen["users"]["nodes"].as_array().unwrap();
        users.iter().find(|user| user["username"] == name).unwrap()["permissions"].clone()
    };
    assert_eq!(
        of("ada"),
        json!({"nodes": [{"path": "/a"}, {"path": "/b"}], "totalCount": 3, "pageInfo": {"hasNextPage": true}})
    );
    assert_eq!(of("bob")["totalCount"], json!(1));
    assert_eq!(
        of("admin"),
        json!({"nodes": [], "totalCount": 0, "pageInfo": {"hasNextPage": false}})
    );
    assert_eq!(
        seen["teams"]["nodes"][0]["permissions"],
        json!({"nodes": [{"path": "/c", "principal": {"__typename": "Team"}}], "totalCount": 3})
    );
    // Ada may not read what her team holds by the path of the team, but by the paths where she holds `*.read`.
    f.grant(&team, "/d", &["USE"]).await;
    f.grant(&f.ada_id, "/a", &["NO_ACCESS"]).await;
    let ask = "{ teams { nodes { permissions { nodes { path } totalCount } } } }";
    let seen = f.ada.data(ask, json!({})).await["teams"]["nodes"][0]["permissions"].take();
    assert_eq!(
        seen,
        json!({"nodes": [{"path": "/b"}, {"path": "/c"}, {"path": "/d"}], "totalCount": 3})
    );
    assert_eq!(bobs.data(ask, json!({})).await["teams"]["nodes"], json!([]));
}

#[tokio::test]
async fn the_list_holds_what_the_check_says() {
    let f = Fixture::new().await;
    let (bob, _) = f.member("bob").await;
    let places = [
        "/", "/a", "/a/b", "/a/b/c", "/a/b/d", "/ab", "/a_b/c", "/a%25/c", "/b", "/b/c/d",
    ];
    for path in places {
        f.grant(&bob, path, &["USE"]).await;
    }
    let here = |path: &str, role: &str| json!({"input": {"principal": f.ada_id, "path": path, "roles": [{"role": role, "propagate": false}]}});
    let steps = [
        here("/b", "READ"),
        here("/a/b", "READ"),
        super::fixture::wanted(&f.ada_id, "/a", &["READ"]),
        super::fixture::wanted(&f.ada_id, "/a/b", &["NO_ACCESS"]),
        super::fixture::wanted(&f.ada_id, "/a/b/c", &["READ"]),
        super::fixture::wanted(&f.ada_id, "/a%25", &["READ"]),
        here("/", "READ"),
        here("/", "NO_ACCESS"),
    ];
    // Ada holds nothing at bob's path, so that paths alone decide.
    for step in steps {
        f.admin.data(super::fixture::UPDATE, step.clone()).await;
        let listed = paths(&f.ada, json!({"principal": bob})).await;
        let mut expected = Vec::new();
        for path in places {
            if f.may(&f.ada, "permission.read", path).await {
                expected.push(path);
            }
        }
        assert_eq!(listed, expected, "after {step}");
    }
}
