//! How many statements the hot ones send: one for each level of what is read.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{INVITE, TEAM, app_with_team, data, search, viewer};
use crate::support::{Client, TestApp};

/// Statements of one request, without the one that finds out who is calling.
async fn count(client: &Client, app: &TestApp, document: &str, variables: Value) -> u64 {
    let sent = async |document: &str, variables: Value| {
        let before = app.app.db.statements();
        data(client, document, variables).await;
        app.app.db.statements() - before
    };
    sent("{ __typename }", json!({})).await;
    let to_sign_in = sent("{ __typename }", json!({})).await;
    assert_eq!(to_sign_in, 1);
    sent(document, variables).await - to_sign_in
}

#[tokio::test]
async fn one_for_each_level() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    for number in 0..30 {
        let name = format!("user-{number}");
        app.user(&name, InstanceRole::Member).await;
        data(
            &admin,
            INVITE,
            json!({"entity": "research", "username": name}),
        )
        .await;
    }
    let short = "query Viewer{viewer{id entity username email flags teams{edges{node{name}}}}}";
    let cases = [
        ("Viewer", short.to_owned(), json!({}), 2),
        ("GetViewer", viewer(), json!({}), 3),
        (
            "GetDefaultEntity",
            "{ viewer { id entity } }".into(),
            json!({}),
            1,
        ),
        ("SearchUsers, one", search(), json!({"query": "user-3"}), 4),
        (
            "SearchUsers, by address",
            search(),
            json!({"query": "user-3@example.com"}),
            5,
        ),
        ("SearchUsers, thirty", search(), json!({"query": "user"}), 4),
        ("GetTeamEntity", TEAM.into(), json!({"name": "research"}), 4),
        (
            "ServerFeaturesQuery",
            "{ serverInfo { features { name } } }".into(),
            json!({}),
            0,
        ),
    ];
    for (name, document, variables, statements) in cases {
        assert_eq!(
            count(&admin, &app, &document, variables).await,
            statements,
            "{name}"
        );
    }
}
