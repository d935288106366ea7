//! `apiKey`, `apiKeys`, and the edges that lead to keys.

use chrono::TimeDelta;
use keystead::api_keys::model::NewApiKey;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{grant, team};
use crate::support::{Client, TestApp};

async fn names(client: &Client, arguments: &str) -> Vec<String> {
    let document = format!("{{ apiKeys{arguments} {{ totalCount nodes {{ name }} }} }}");
    let found = client.data(&document, json!({})).await;
    let nodes = found["apiKeys"]["nodes"].as_array().unwrap();
    assert_eq!(found["apiKeys"]["totalCount"], nodes.len());
    nodes
        .iter()
        .map(|node| node["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Makes a key a second after the one before.
async fn made(app: &TestApp, new: NewApiKey) -> (keystead::api_keys::model::ApiKey, Client) {
    app.app.clock.advance(TimeDelta::seconds(1));
    app.generate(new).await
}

fn new(owner: uuid::Uuid, name: &str) -> NewApiKey {
    NewApiKey {
        owner: Some(owner),
        name: Some(name.into()),
        ..NewApiKey::default()
    }
}

#[tokio::test]
async fn everybody_sees_their_own_keys_and_a_key_itself() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let (_, bob) = app.user("bob", InstanceRole::Viewer).await;
    let (key, nothing) = made(
        &app,
        NewApiKey {
            permissions: Some(Vec::new()),
            ..new(ada.id, "nothing")
        },
    )
    .await;
    assert_eq!(names(&client, "").await, ["first", "nothing"]);
    assert_eq!(names(&bob, "").await, ["first"]);
    assert_eq!(names(&nothing, "").await, ["nothing"]);
    assert_eq!(names(&app.admin(), "").await.len(), 4);
    let by_id = "query($id: ID!) { apiKey(by: {id: $id}) { name owner { username } } node(id: $id) { id } }";
    let id = json!({"id": key.typed_id().to_string()});
    let own = nothing.data(by_id, id.clone()).await;
    assert_eq!(
        own["apiKey"],
        json!({"name": "nothing", "owner": {"username": "ada"}})
    );
    assert_eq!(own["node"]["id"], id["id"]);
    assert_eq!(
        bob.data(by_id, id.clone()).await,
        json!({"apiKey": null, "node": null})
    );
    assert_eq!(app.anonymous().error(by_id, id).await.0, "UNAUTHENTICATED");
}

#[tokio::test]
async fn filters_are_joined_by_and() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    let ml = team(&app, "ml", &[(&ada, "ADMIN")]).await;
    let team = keystead::db::ids::Id::parse("id", &ml).unwrap().uuid;
    let tomorrow = app.ctx().now() + TimeDelta::days(1);
    made(
        &app,
        NewApiKey {
            team: Some(team),
            description: Some("nightly builds".into()),
            ..new(ada.id, "teams")
        },
    )
    .await;
    made(
        &app,
        NewApiKey {
            expires_at: Some(tomorrow),
            ..new(ada.id, "short")
        },
    )
    .await;
    made(
        &app,
        NewApiKey {
            permissions: Some(Vec::new()),
            ..new(ada.id, "100%_narrow")
        },
    )
    .await;
    let (off, _) = made(&app, new(ada.id, "off")).await;
    client
        .data(
            "mutation($id: ID!) { updateApiKey(input: {id: $id, enabled: false}) { apiKey { id } } }",
            json!({"id": off.typed_id().to_string()}),
        )
        .await;
    client
        .data(
            "mutation { generateApiKey(input: {name: \"mine\"}) { apiKey { id } } }",
            json!({}),
        )
        .await;
    app.app.clock.advance(TimeDelta::days(1));
    let owner = ada.typed_id();
    for (filter, expected) in [
        (
            format!("owner: \"{owner}\", status: EXPIRED"),
            vec!["short"],
        ),
        ("status: DISABLED".into(), vec!["off"]),
        (
            "status: ACTIVE".into(),
            vec!["first", "teams", "100%_narrow", "mine"],
        ),
        ("restricted: true".into(), vec!["100%_narrow"]),
        (format!("team: \"{ml}\""), vec!["teams"]),
        (format!("team: \"{ml}\", restricted: true"), vec![]),
        (format!("createdBy: \"{owner}\""), vec!["mine"]),
        (
            "expiresBefore: \"2030-01-02T12:00:01Z\"".into(),
            vec!["short"],
        ),
        ("expiresBefore: \"2030-01-02T12:00:00Z\"".into(), vec![]),
        ("search: \"NIGHT build\"".into(), vec!["teams"]),
        ("search: \"100\"".into(), vec!["100%_narrow"]),
        ("search: \"%\"".into(), vec![]),
        ("search: \"' | !x & (\"".into(), vec![]),
    ] {
        assert_eq!(
            names(&client, &format!("(filter: {{{filter}}})")).await,
            expected,
            "{filter}"
        );
    }
    assert_eq!(
        names(
            &client,
            "(orderBy: {field: NAME, direction: DESC}, filter: {restricted: false})"
        )
        .await
        .len(),
        5
    );
    for (argument, field) in [
        ("filter: {owner: \"x\"}", "filter.owner"),
        (
            "filter: {team: \"user_01h455vb4pex5vsknk084sn02q\"}",
            "filter.team",
        ),
        ("filter: {createdBy: \"\"}", "filter.createdBy"),
        ("first: 101", "first"),
        ("first: -1", "first"),
        ("first: 1, last: 1", "last"),
        ("after: \"x\"", "after"),
    ] {
        let document = format!("{{ apiKeys({argument}) {{ nodes {{ id }} }} }}");
        let error = client.error(&document, json!({})).await;
        assert_eq!(
            (error.0.as_str(), error.1.as_str()),
            ("BAD_USER_INPUT", field),
            "{argument}"
        );
    }
    let long = format!(
        "{{ apiKeys(filter: {{search: \"{}\"}}) {{ nodes {{ id }} }} }}",
        "x".repeat(201)
    );
    assert_eq!(client.error(&long, json!({})).await.1, "filter.search");
}

#[tokio::test]
async fn pages_go_through_every_list_in_both_directions() {
    let app = TestApp::new().await;
    let (ada, client) = app.user("ada", InstanceRole::Member).await;
    for number in 0..5 {
        made(&app, new(ada.id, &format!("k{number}"))).await;
    }
    let user = json!(ada.typed_id().to_string());
    let page = async |arguments: &str, nested: bool| -> (Vec<String>, Value) {
        let list = format!(
            "apiKeys({arguments}) {{ nodes {{ name }} pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }} }}"
        );
        let document = if nested {
            format!("query($id: ID!) {{ user(by: {{id: $id}}) {{ {list} }} }}")
        } else {
            format!("{{ {list} }}")
        };
        let found = client.data(&document, json!({"id": user})).await;
        let found = if nested {
            found["user"]["apiKeys"].clone()
        } else {
            found["apiKeys"].clone()
        };
        let names = found["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["name"].as_str().unwrap().to_owned());
        (names.collect(), found["pageInfo"].clone())
    };
    for (nested, order) in [(true, ""), (false, ""), (false, ", orderBy: {field: NAME}")] {
        let (all, _) = page(&format!("first: 100{order}"), nested).await;
        assert_eq!(all, ["first", "k0", "k1", "k2", "k3", "k4"]);
        let (one, info) = page(&format!("first: 4{order}"), nested).await;
        assert_eq!(one, all[..4]);
        assert_eq!(
            (&info["hasNextPage"], &info["hasPreviousPage"]),
            (&json!(true), &json!(false))
        );
        let (two, info) = page(
            &format!("first: 4, after: {}{order}", info["endCursor"]),
            nested,
        )
        .await;
        assert_eq!(two, all[4..]);
        assert_eq!(info["hasNextPage"], false);
        let (back, info) = page(
            &format!("last: 2, before: {}{order}", info["startCursor"]),
            nested,
        )
        .await;
        assert_eq!(back, all[2..4]);
        assert_eq!(info["hasPreviousPage"], true);
        let (last, _) = page(&format!("last: 1{order}"), nested).await;
        assert_eq!(last, all[5..]);
        let (none, _) = page(&format!("first: 0{order}"), nested).await;
        assert!(none.is_empty());
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_secret_by_those_who_may_read_it() {
    let app = TestApp::new().await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let made = ada
        .data(
            "mutation { generateApiKey(input: {name: \"k\"}) { secret } }",
            json!({}),
        )
        .await;
    let secret = made["generateApiKey"]["secret"].as_str().unwrap();
    const ASK: &str = "query($secret: String!) { apiKey(by: {secret: $secret}) { name } }";
    let by = |secret: &str| json!({"secret": secret});
    assert_eq!(ada.data(ASK, by(secret)).await["apiKey"]["name"], "k");
    assert_eq!(
        app.admin().data(ASK, by(secret)).await["apiKey"]["name"],
        "k"
    );
    assert_eq!(bob.data(ASK, by(secret)).await["apiKey"], json!(null));
    let mut wrong = secret.to_owned();
    wrong.replace_range(39.., if wrong.ends_with('A') { "B" } else { "A" });
    let statements = app.app.db.statements();
    assert_eq!(ada.data(ASK, by(&wrong)).await["apiKey"], json!(null));
    assert_eq!(app.app.db.statements() - statements, 1, "only the sign-on");
    for malformed in ["", "ks_", "password", &secret[..39]] {
        let (code, field, message) = ada.error(ASK, by(malformed)).await;
        assert_eq!(
            (code.as_str(), field.as_str()),
            ("BAD_USER_INPUT", "by.secret")
        );
        assert!(
            malformed.is_empty() || !message.contains(malformed) || malformed == "ks_",
            "{message}"
        );
    }
    assert_eq!(
        app.anonymous().error(ASK, by(secret)).await.0,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn a_teams_admin_sees_the_teams_keys_and_who_owns_them() {
    let app = TestApp::new().await;
    let (ada, admin) = app.user("ada", InstanceRole::Member).await;
    let (bob, member) = app.user("bob", InstanceRole::Member).await;
    let ml = team(&app, "ml", &[(&ada, "ADMIN"), (&bob, "MEMBER")]).await;
    let team = keystead::db::ids::Id::parse("id", &ml).unwrap().uuid;
    made(
        &app,
        NewApiKey {
            team: Some(team),
            permissions: Some(Vec::new()),
            ..new(bob.id, "of the team")
        },
    )
    .await;
    made(&app, new(bob.id, "bob's own")).await;
    assert_eq!(names(&admin, "").await, ["first", "of the team"]);
    const NESTED: &str = "query($id: ID!) { team(by: {id: $id}) { apiKeys { totalCount nodes { name team { slug } owner { username } } } } }";
    let seen = admin.data(NESTED, json!({"id": ml})).await;
    let key = json!({"name": "of the team", "team": {"slug": "ml"}, "owner": {"username": "bob"}});
    assert_eq!(
        seen["team"]["apiKeys"],
        json!({"totalCount": 1, "nodes": [key]})
    );
    assert_eq!(
        names(&member, "").await,
        ["first", "of the team", "bob's own"]
    );
    let owner = "query($id: ID!) { user(by: {id: $id}) { apiKeys { totalCount nodes { name } } } }";
    let of_bob = admin
        .data(owner, json!({"id": bob.typed_id().to_string()}))
        .await;
    assert_eq!(
        of_bob["user"]["apiKeys"],
        json!({"totalCount": 1, "nodes": [{"name": "of the team"}]})
    );
}

#[tokio::test]
async fn a_grant_at_a_users_path_shows_its_keys() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (max, client) = app.user("max", InstanceRole::Member).await;
    let (_, eve) = app.user("eve", InstanceRole::Member).await;
    grant(&app, &max, &format!("/users/{}", ada.typed_id()), "READ").await;
    assert_eq!(names(&client, "").await.len(), 2);
    assert_eq!(names(&eve, "").await.len(), 1);
}
