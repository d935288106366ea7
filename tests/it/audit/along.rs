//! What goes along with the deletion of a user or a team, and changes that change nothing.

use keystead::api_keys::model::NewApiKey;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};
use crate::teams::world::{DELETE as DELETE_TEAM, add, grant, team};

const DELETE_USER: &str =
    "mutation($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }";

/// Action, target and paths of what the last moment saw, sorted; ids become the names of `known`.
async fn told(app: &TestApp, known: &[(&str, &str)]) -> Vec<String> {
    let found = app
        .admin()
        .data(
            "query($from: DateTime) { auditEvents(first: 100, filter: {from: $from}) { nodes { action target paths before after } } }",
            json!({"from": app.app.clock.now()}),
        )
        .await;
    let name = |text: String| {
        known
            .iter()
            .fold(text, |text, (id, name)| text.replace(id, name))
    };
    let events = found["auditEvents"]["nodes"].as_array().unwrap();
    let mut told: Vec<String> = events
        .iter()
        .map(|event| {
            assert_eq!(event["after"], Value::Null);
            let kept = [
                "username",
                "slug",
                "name",
                "user",
                "role",
                "path",
                "permissions",
            ];
            let kept: Vec<String> = kept
                .iter()
                .filter_map(|member| Some(format!("{member}={}", event["before"].get(member)?)))
                .collect();
            name(format!(
                "{} {} at {} {}",
                event["action"],
                event["target"],
                event["paths"],
                kept.join(" ")
            ))
        })
        .collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn all_that_goes_with_a_user_or_a_team_is_told() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let crew = team(&app, "crew", None).await;
    let ada_id = ada.typed_id().to_string();
    let bob_id = bob.typed_id().to_string();
    for user in [&ada, &bob] {
        add(&app, &crew, user, "MEMBER").await;
    }
    let crew_uuid =
        keystead::db::ids::Id::parse_as(keystead::db::ids::Kind::Team, "", &crew).unwrap();
    let for_crew = NewApiKey {
        owner: Some(bob.id),
        team: Some(crew_uuid),
        name: Some("for the crew".into()),
        ..NewApiKey::default()
    };
    let (for_crew, as_crew) = app.generate(for_crew).await;
    let (narrow, _) = app
        .restricted(&ada, &[("/models", "USE"), ("/data", "READ")])
        .await;
    grant(&app, &ada_id, "/models", &["USE"]).await;
    grant(&app, &crew, "/vms/1", &["EDIT"]).await;
    let others = as_ada
        .data(
            "{ apiKeys { nodes { id name } } permissions { nodes { id } } }",
            json!({}),
        )
        .await;
    let keys = others["apiKeys"]["nodes"].as_array().unwrap();
    let first = keys.iter().find(|key| key["name"] == "first").unwrap()["id"]
        .as_str()
        .unwrap();
    let narrow_name = narrow.name.clone();
    let (narrow, for_crew) = (
        narrow.typed_id().to_string(),
        for_crew.typed_id().to_string(),
    );
    let mut known: Vec<(&str, &str)> = vec![
        (&ada_id, "ADA"),
        (&bob_id, "BOB"),
        (&crew, "CREW"),
        (first, "FIRST"),
        (&narrow, "NARROW"),
        (&narrow_name, "NARROW_NAME"),
        (&for_crew, "FOR_CREW"),
    ];
    let all = app
        .admin()
        .data(
            "{ permissions { nodes { id path role { name } principal { __typename } } } }",
            json!({}),
        )
        .await;
    let rows: Vec<(String, String)> = all["permissions"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["id"].as_str().unwrap().to_owned(),
                format!("{} {}", row["principal"]["__typename"], row["path"]),
            )
        })
        .collect();
    known.extend(rows.iter().map(|(id, name)| (id.as_str(), name.as_str())));

    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    app.admin()
        .data(DELETE_USER, json!({"input": {"id": ada_id}}))
        .await;
    let user = told(&app, &known).await;
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    app.admin()
        .data(DELETE_TEAM, json!({"input": {"id": crew}}))
        .await;
    let team = told(&app, &known).await;
    insta::assert_json_snapshot!(json!({"deleteUser": user, "deleteTeam": team}));

    let (code, ..) = as_crew.error("{ users { totalCount } }", json!({})).await;
    assert_eq!(code, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_large_team_is_told_of_in_few_events_and_statements() {
    let app = TestApp::new().await;
    let crew = team(&app, "crew", None).await;
    let client = app.app.db.endpoint().client().await.unwrap();
    client
        .batch_execute(
            "INSERT INTO users (id, username, kind, role, enabled, metadata, created_at, updated_at)
                SELECT gen_random_uuid(), 'many' || n, 'PERSON', 'MEMBER', true, '{}', '2030-01-01', '2030-01-01'
                    FROM generate_series(1, 1201) n;
            INSERT INTO team_memberships SELECT t.id, u.id, 'MEMBER', '2030-01-01' FROM teams t, users u
                WHERE u.username LIKE 'many%'",
        )
        .await
        .unwrap();
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let before = app.app.db.statements();
    app.admin()
        .data(DELETE_TEAM, json!({"input": {"id": crew}}))
        .await;
    let sent = app.app.db.statements() - before;
    assert!(sent < 15, "{sent} statements");
    let found = app
        .admin()
        .data(
            "query($from: DateTime) { auditEvents(first: 100, filter: {from: $from}, orderBy: {direction: ASC}) {
                nodes { action target paths before } } }",
            json!({"from": app.app.clock.now()}),
        )
        .await;
    let events = found["auditEvents"]["nodes"].as_array().unwrap();
    let told: Vec<(&str, usize)> = events
        .iter()
        .map(|event| {
            assert_eq!(event["target"], json!(crew));
            assert_eq!(event["paths"], json!([format!("/teams/{crew}")]));
            let gone = event["before"]["gone"].as_array().map_or(0, Vec::len);
            (event["action"].as_str().unwrap(), gone)
        })
        .collect();
    let remove = "teamMember.remove";
    assert_eq!(
        told,
        [
            (remove, 500),
            (remove, 500),
            (remove, 201),
            ("team.delete", 0)
        ]
    );
    let mut users: Vec<&str> = events
        .iter()
        .filter_map(|event| event["before"]["gone"].as_array())
        .flatten()
        .map(|gone| gone["user"].as_str().unwrap())
        .collect();
    users.sort_unstable();
    users.dedup();
    assert_eq!(users.len(), 1201);
}

#[tokio::test]
async fn no_key_goes_untold_that_is_made_meanwhile() {
    let app = TestApp::new().await;
    let make = "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { apiKey { id } } }";
    for round in 0..5 {
        let (ada, _) = app.user(&format!("ada{round}"), InstanceRole::Member).await;
        let id = ada.typed_id().to_string();
        let admin = app.admin();
        let keys = (0..6).map(|_| admin.gql(make, json!({"input": {"owner": id}})));
        let (made, gone) = tokio::join!(
            futures_util::future::join_all(keys),
            admin.gql(DELETE_USER, json!({"input": {"id": id}}))
        );
        assert!(gone.get("errors").is_none(), "{gone}");
        for answer in made {
            let Some(key) = answer["data"]["generateApiKey"]["apiKey"]["id"].as_str() else {
                assert_eq!(
                    answer["errors"][0]["extensions"]["code"], "NOT_FOUND",
                    "{answer}"
                );
                continue;
            };
            let actions = actions(&admin, key).await;
            assert_eq!(actions, ["apiKey.create", "apiKey.delete"], "round {round}");
        }
    }
}

async fn actions(client: &Client, target: &str) -> Vec<String> {
    let found = client
        .data(
            "query($target: ID!) { auditEvents(filter: {target: $target}) { nodes { action } } }",
            json!({"target": target}),
        )
        .await;
    let nodes = found["auditEvents"]["nodes"].as_array().unwrap();
    let mut actions: Vec<String> = nodes
        .iter()
        .map(|node| node["action"].as_str().unwrap().into())
        .collect();
    actions.sort_unstable();
    actions
}

#[tokio::test]
async fn what_changes_nothing_leaves_the_time_and_the_trail_alone() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let ada = ada.typed_id().to_string();
    let crew = team(&app, "crew", None).await;
    let key = admin
        .data(
            "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { apiKey { id } } }",
            json!({"input": {"name": "k", "permissions": [{"path": "/models", "role": "USE"}]}}),
        )
        .await["generateApiKey"]["apiKey"]["id"]
        .clone();
    let role = admin
        .data(
            "mutation($input: CreateRoleInput!) { createRole(input: $input) { role { id } } }",
            json!({"input": {"name": "OWN", "privileges": ["model.use"]}}),
        )
        .await["createRole"]["role"]["id"]
        .clone();
    let end = "2031-01-01T00:00:00.123456Z";
    for (document, same, other) in [
        (
            "mutation($input: UpdateUserInput!) { updateUser(input: $input) { is: user { updatedAt } } }",
            json!({"id": ada, "username": "ada", "name": null, "metadata": {}, "enabled": true, "expiresAt": end}),
            json!({"id": ada, "name": "Ada"}),
        ),
        (
            "mutation($input: UpdateTeamInput!) { updateTeam(input: $input) { is: team { updatedAt } } }",
            json!({"id": crew, "slug": "crew", "parent": null, "enabled": true, "metadata": null}),
            json!({"id": crew, "name": "Crew"}),
        ),
        (
            "mutation($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { is: apiKey { updatedAt } } }",
            json!({"id": key, "name": "k", "permissions": [{"path": "/models", "role": "use"}], "allowedCidrs": [], "expiresAt": end}),
            json!({"id": key, "permissions": [{"path": "/models", "role": "READ"}]}),
        ),
        (
            "mutation($input: UpdateRoleInput!) { updateRole(input: $input) { is: role { updatedAt } } }",
            json!({"id": role, "name": "OWN", "privileges": ["model.use", "model.use"], "description": null}),
            json!({"id": role, "description": "Mine"}),
        ),
    ] {
        let is = |answer: Value| {
            answer.as_object().unwrap().values().next().unwrap()["is"]["updatedAt"].clone()
        };
        let id = same["id"].as_str().unwrap().to_owned();
        // The first time sets the end.
        let first = is(admin.data(document, json!({"input": same})).await);
        let events = actions(&admin, &id).await;
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        let again = is(admin.data(document, json!({"input": same})).await);
        assert_eq!(again, first, "{document}");
        assert_eq!(actions(&admin, &id).await, events, "{document}");
        let changed = is(admin.data(document, json!({"input": other})).await);
        assert_ne!(changed, first, "{document}");
    }
}
