//! `teams`, `Team.members`, `Team.children`, `User.memberships`, `User.teams`: filters, orders, pages, sight.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{UPDATE, add, members, team};
use crate::support::{Client, TestApp};

async fn slugs(client: &Client, arguments: &str) -> Vec<String> {
    let document = format!("{{ teams({arguments}) {{ totalCount nodes {{ slug }} }} }}");
    let found = client.data(&document, json!({})).await;
    let nodes = found["teams"]["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| node["slug"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn filters_are_joined_by_and() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let research = team(&app, "research", None).await;
    app.app.clock.advance(chrono::TimeDelta::days(1));
    let vision = team(&app, "vision-lab", Some(&research)).await;
    let speech = team(&app, "speech-lab", Some(&research)).await;
    add(&app, &vision, &ada, "MEMBER").await;
    app.admin()
        .data(UPDATE, json!({"input": {"id": speech, "enabled": false}}))
        .await;
    let admin = app.admin();
    let ada = ada.typed_id();
    for (arguments, expected) in [
        (
            "first: 100".into(),
            vec!["research", "vision-lab", "speech-lab"],
        ),
        (
            "orderBy: {field: SLUG}".into(),
            vec!["research", "speech-lab", "vision-lab"],
        ),
        (
            "orderBy: {field: SLUG, direction: DESC}".into(),
            vec!["vision-lab", "speech-lab", "research"],
        ),
        (
            "orderBy: {field: CREATED_AT, direction: DESC}".into(),
            vec!["speech-lab", "vision-lab", "research"],
        ),
        (
            "filter: {search: \"LAB\"}".into(),
            vec!["vision-lab", "speech-lab"],
        ),
        ("filter: {search: \"vis la\"}".into(), vec!["vision-lab"]),
        ("filter: {search: \"%\"}".into(), vec![]),
        ("filter: {search: \"' | ! & \\\\\"}".into(), vec![]),
        ("filter: {enabled: false}".into(), vec!["speech-lab"]),
        ("filter: {root: true}".into(), vec!["research"]),
        (
            "filter: {root: false, enabled: true}".into(),
            vec!["vision-lab"],
        ),
        (
            format!("filter: {{parent: \"{research}\"}}"),
            vec!["vision-lab", "speech-lab"],
        ),
        (format!("filter: {{member: \"{ada}\"}}"), vec!["vision-lab"]),
        (
            "filter: {createdFrom: \"2030-01-02T00:00:00Z\"}".into(),
            vec!["vision-lab", "speech-lab"],
        ),
        (
            "filter: {createdBefore: \"2030-01-02T00:00:00Z\"}".into(),
            vec!["research"],
        ),
        (
            "filter: {member: \"user_7zzzzzzzzzzzzzzzzzzzzzzzzz\"}".into(),
            vec![],
        ),
    ] {
        let mut found = slugs(&admin, &arguments).await;
        // Made at the same moment: their order is that of their ids.
        if !arguments.contains("SLUG") && found.len() > 1 {
            let mut expected: Vec<&str> = expected.clone();
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected, "{arguments}");
        } else {
            assert_eq!(found, expected, "{arguments}");
        }
    }
    for (arguments, field) in [
        (
            "filter: {parent: \"user_7zzzzzzzzzzzzzzzzzzzzzzzzz\"}".to_owned(),
            "filter.parent",
        ),
        ("filter: {member: \"\"}".into(), "filter.member"),
        (
            format!("filter: {{search: \"{}\"}}", "s".repeat(201)),
            "filter.search",
        ),
        ("first: -1".into(), "first"),
        ("first: 101".into(), "first"),
        ("first: 1, last: 1".into(), "last"),
        ("after: \"x\"".into(), "after"),
    ] {
        let document = format!("{{ teams({arguments}) {{ totalCount }} }}");
        let (code, at, message) = admin.error(&document, json!({})).await;
        assert_eq!(
            (code.as_str(), at.as_str()),
            ("BAD_USER_INPUT", field),
            "{message}"
        );
    }
}

#[tokio::test]
async fn what_one_may_not_see_a_filter_does_not_tell() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (bob, as_bob) = app.user("bob", InstanceRole::Member).await;
    let top = team(&app, "top", None).await;
    let own = team(&app, "own", Some(&top)).await;
    add(&app, &own, &bob, "MEMBER").await;
    let ada_id = ada.typed_id();
    assert!(
        slugs(&as_bob, &format!("filter: {{parent: \"{top}\"}}"))
            .await
            .is_empty()
    );
    assert!(
        slugs(&as_bob, &format!("filter: {{member: \"{ada_id}\"}}"))
            .await
            .is_empty()
    );
    add(&app, &own, &ada, "MEMBER").await;
    assert_eq!(
        slugs(&as_bob, &format!("filter: {{member: \"{ada_id}\"}}")).await,
        ["own"]
    );
    // Who belongs to a team that bob may not see.
    add(&app, &top, &ada, "MEMBER").await;
    let hidden = as_bob
        .data(
            "query($team: ID!) { users(filter: {team: $team}) { totalCount nodes { username } } }",
            json!({"team": top}),
        )
        .await;
    assert_eq!(hidden["users"]["totalCount"], json!(0));
    let of_ada = as_bob
        .data(
            "query($id: ID!) { user(by: {id: $id}) { teams { totalCount nodes { slug } } memberships { totalCount nodes { team { slug } } } } }",
            json!({"id": ada_id.to_string()}),
        )
        .await;
    assert_eq!(
        of_ada["user"],
        json!({"teams": {"totalCount": 1, "nodes": [{"slug": "own"}]},
            "memberships": {"totalCount": 1, "nodes": [{"team": {"slug": "own"}}]}})
    );
}

#[tokio::test]
async fn members_are_filtered_by_words_and_role_and_by_what_one_sees() {
    let app = TestApp::new().await;
    let id = team(&app, "team", None).await;
    let mut people = Vec::new();
    for name in ["ada", "adam", "bob"] {
        let (user, client) = app.user(name, InstanceRole::Member).await;
        add(
            &app,
            &id,
            &user,
            if name == "bob" { "ADMIN" } else { "MEMBER" },
        )
        .await;
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        people.push((user, client));
    }
    let names = async |client: &Client, filter: &str| -> Vec<String> {
        let document = format!(
            "query($id: ID!) {{ team(by: {{id: $id}}) {{ members(filter: {filter}) {{ totalCount nodes {{ user {{ username }} }} }} }} }}"
        );
        let found = client.data(&document, json!({ "id": id })).await;
        let list = &found["team"]["members"];
        let nodes = list["nodes"].as_array().unwrap();
        assert_eq!(list["totalCount"], nodes.len());
        let name = |node: &Value| node["user"]["username"].as_str().unwrap().to_owned();
        nodes.iter().map(name).collect()
    };
    let admin = app.admin();
    assert_eq!(names(&admin, "{}").await, ["ada", "adam", "bob"]);
    assert_eq!(names(&admin, "{search: \"AD\"}").await, ["ada", "adam"]);
    assert_eq!(names(&admin, "{role: ADMIN}").await, ["bob"]);
    assert_eq!(
        names(&admin, "{role: ADMIN, search: \"ad\"}").await,
        Vec::<String>::new()
    );
    // A member sees all of them; who may only read the team itself sees those it knows from elsewhere.
    assert_eq!(
        members(&people[0].1, &id).await,
        ["ada MEMBER", "adam MEMBER", "bob ADMIN"]
    );
    app.admin()
        .data(
            "mutation { createRole(input: {name: \"LOOKER\", privileges: [\"team.read\"]}) { role { name } } }",
            json!({}),
        )
        .await;
    let (eve, as_eve) = app.user("eve", InstanceRole::Member).await;
    super::world::grant(
        &app,
        &eve.typed_id().to_string(),
        &format!("/teams/{id}"),
        &["LOOKER"],
    )
    .await;
    assert_eq!(names(&as_eve, "{}").await, Vec::<String>::new());
    let both = team(&app, "both", None).await;
    add(&app, &both, &eve, "MEMBER").await;
    add(&app, &both, &people[1].0, "MEMBER").await;
    assert_eq!(names(&as_eve, "{}").await, ["adam"]);
    super::world::grant(
        &app,
        &eve.typed_id().to_string(),
        &format!("/users/{}", people[0].0.typed_id()),
        &["READ"],
    )
    .await;
    assert_eq!(names(&as_eve, "{}").await, ["ada", "adam"]);
}

#[tokio::test]
async fn nested_pages_go_forward_and_backward() {
    let app = TestApp::new().await;
    let id = team(&app, "team", None).await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    // All at one moment: ids break the tie.
    for number in 0..7 {
        let (user, _) = app.user(&format!("u{number}"), InstanceRole::Member).await;
        add(&app, &id, &user, "MEMBER").await;
        let child = team(&app, &format!("child-{number}"), Some(&id)).await;
        add(&app, &child, &ada, "MEMBER").await;
    }
    let list = |name: &str| -> (String, &str, &str) {
        match name {
            "members" => ("team(by: {id: $id})".to_owned(), "members", "user { id }"),
            "children" => ("team(by: {id: $id})".to_owned(), "children", "id"),
            "teams" => (
                format!("user(by: {{id: \"{}\"}})", ada.typed_id()),
                "teams",
                "id",
            ),
            _ => (
                format!("user(by: {{id: \"{}\"}})", ada.typed_id()),
                "memberships",
                "team { id }",
            ),
        }
    };
    for name in ["members", "children", "teams", "memberships"] {
        let (parent, field, node) = list(name);
        let page = async |arguments: String| -> Value {
            let document = format!(
                "query($id: ID!) {{ x: {parent} {{ list: {field}({arguments}) {{ totalCount edges {{ cursor node {{ {node} }} }}
                    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} id: team(by: {{id: $id}}) {{ id }} }}"
            );
            app.admin().data(&document, json!({ "id": id })).await["x"]["list"].take()
        };
        let all = page("first: 100".into()).await;
        let all = all["edges"].as_array().unwrap().clone();
        assert_eq!(all.len(), 7, "{name}");
        let mut forward = Vec::new();
        let mut arguments = "first: 3".to_owned();
        loop {
            let next = page(arguments.clone()).await;
            assert_eq!(next["totalCount"], json!(7));
            forward.extend(next["edges"].as_array().unwrap().clone());
            if next["pageInfo"]["hasNextPage"] == json!(false) {
                break;
            }
            arguments = format!("first: 3, after: {}", next["pageInfo"]["endCursor"]);
        }
        assert_eq!(forward, all, "{name}");
        let mut backward = Vec::new();
        let mut arguments = "last: 2".to_owned();
        loop {
            let next = page(arguments.clone()).await;
            let edges = next["edges"].as_array().unwrap().clone();
            backward = [edges, backward].concat();
            if next["pageInfo"]["hasPreviousPage"] == json!(false) {
                break;
            }
            arguments = format!("last: 2, before: {}", next["pageInfo"]["startCursor"]);
        }
        assert_eq!(backward, all, "{name}");
        assert_eq!(page("first: 0".into()).await["edges"], json!([]));
    }
}
