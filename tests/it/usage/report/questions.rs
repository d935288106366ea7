//! What may be asked, what is taken where something is left out, and what is refused.

use serde_json::{Value, json};

use super::world::{USAGE, World, key_id, some, team_id, usage, user_id};

/// The whole answer, with names for ids.
fn named(world: &World, answer: &Value) -> String {
    let mut text = serde_json::to_string_pretty(answer).unwrap();
    for (name, id) in [
        ("ADA", user_id(&world.ada.0)),
        ("BOB", user_id(&world.bob.0)),
        ("ALL", team_id(world.teams[0])),
        ("ML", team_id(world.teams[1])),
        ("KEY0", key_id(world.spenders[0].key.unwrap())),
        ("KEY1", key_id(world.spenders[1].key.unwrap())),
        ("KEY2", key_id(world.spenders[2].key.unwrap())),
        ("KEY3", key_id(world.spenders[3].key.unwrap())),
    ] {
        text = text.replace(&id, name);
    }
    text
}

#[tokio::test]
async fn whole_answers() {
    let world = some().await;
    let admin = world.app.admin();
    let mut answers = Vec::new();
    for variables in [
        json!({}),
        json!({"granularity": "DAY"}),
        json!({"granularity": "HOUR", "timeZone": "Asia/Kolkata", "groupBy": ["USER"]}),
        json!({"granularity": "MONTH", "timeZone": "America/New_York", "groupBy": ["TAG", "TEAM"]}),
        json!({"groupBy": ["KEY", "USER", "TEAM", "RESOURCE"], "filter": {"from": "2029-12-31T23:45:00Z", "to": "2030-01-01T00:15:00Z"}}),
        json!({"filter": {"from": "2031-01-01T00:00:00Z", "to": "2031-01-02T00:00:00Z"}, "granularity": "DAY"}),
    ] {
        answers.push(format!(
            "{variables}\n{}",
            named(&world, &usage(&admin, variables.clone()).await)
        ));
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test]
async fn a_group_shows_what_is_there_and_the_caller_may_see() {
    let world = some().await;
    let document = "query($filter: UsageFilter) { usage(filter: $filter, groupBy: [KEY, USER, TEAM]) { timeZone series {
        group { apiKeyId apiKey { id } userId user { username } teamId team { slug } } usd } } }";
    let of_all = json!({"filter": {"team": team_id(world.teams[0])}});
    let shown = |data: Value| named(&world, &data["usage"]);
    let mut answers = vec![
        (
            "administrator",
            shown(world.app.admin().data(document, json!({})).await),
        ),
        (
            "admin of the team above",
            shown(world.ada.1.data(document, of_all.clone()).await),
        ),
    ];
    let delete = "mutation($id: ID!) { deleteUser(input: {id: $id}) { deletedUserId } }";
    world
        .app
        .admin()
        .data(delete, json!({"id": user_id(&world.bob.0)}))
        .await;
    answers.push((
        "deleted",
        shown(world.app.admin().data(document, of_all).await),
    ));
    let answers: Vec<String> = answers
        .iter()
        .map(|(who, answer)| format!("{who}\n{answer}"))
        .collect();
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let world = some().await;
    let (ada, team) = (user_id(&world.ada.0), team_id(world.teams[0]));
    let mut refused = Vec::new();
    for variables in [
        json!({"timeZone": "Mars/Olympus"}),
        json!({"timeZone": ""}),
        json!({"groupBy": ["KEY", "USER", "KEY"]}),
        json!({"filter": {"from": "2030-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}}),
        json!({"filter": {"from": "2030-01-02T00:00:00Z", "to": "2030-01-01T00:00:00Z"}}),
        json!({"filter": {"from": "2031-01-02T00:00:00Z"}}),
        json!({"filter": {"from": "2030-01-01T00:07:00Z"}}),
        json!({"filter": {"to": "2030-01-01T00:00:00.000001Z"}}),
        json!({"filter": {"from": "1999-12-31T00:00:00Z"}}),
        json!({"filter": {"to": "2200-01-01T00:00:00Z"}}),
        json!({"filter": {"from": "2028-01-01T00:00:00Z"}, "granularity": "HOUR"}),
        json!({"filter": {"from": "2000-01-01T00:00:00Z", "to": "2199-01-01T00:00:00Z"}, "granularity": "DAY"}),
        json!({"filter": {"user": team}}),
        json!({"filter": {"team": ada}}),
        json!({"filter": {"apiKey": ada}}),
        json!({"filter": {"user": ""}}),
        json!({"filter": {"resource": "models"}}),
        json!({"filter": {"resource": ""}}),
        json!({"filter": {"tag": ""}}),
        json!({"filter": {"tag": "x".repeat(65)}}),
        json!({"filter": {"tag": "\u{0}"}}),
    ] {
        let (code, field, message) = world.app.admin().error(USAGE, variables.clone()).await;
        refused.push(format!(
            "{code} {field}: {}",
            message.replace(&ada, "ADA").replace(&team, "TEAM")
        ));
    }
    insta::assert_snapshot!(refused.join("\n"));
}

#[tokio::test]
async fn ids_that_nobody_has_used_nothing() {
    let world = some().await;
    for filter in [
        json!({"user": "user_01h455vb4pex5vsknk084sn02q"}),
        json!({"team": "team_01h455vb4pex5vsknk084sn02q"}),
        json!({"apiKey": "key_01h455vb4pex5vsknk084sn02q"}),
    ] {
        let answer = usage(
            &world.app.admin(),
            json!({"filter": filter, "granularity": "DAY"}),
        )
        .await;
        assert_eq!(
            (&answer["totals"]["events"], &answer["series"]),
            (&json!(0), &json!([]))
        );
    }
}

#[tokio::test]
async fn more_points_than_are_wanted_are_an_error() {
    let world = some().await;
    let document = "query($most: Int!) { usage(groupBy: [USER, KEY], granularity: HOUR) { totals { events } series(atMost: $most) { usd } } }";
    let admin = world.app.admin();
    let three = admin.data(document, json!({"most": 4})).await;
    assert_eq!(three["usage"]["series"].as_array().unwrap().len(), 4);
    let mut refused = Vec::new();
    for most in [3, 0, -1, 10_001] {
        let (code, field, message) = admin.error(document, json!({"most": most})).await;
        refused.push(format!("{code} {field}: {message}"));
    }
    insta::assert_snapshot!(refused.join("\n"));
}

#[tokio::test]
async fn a_series_costs_what_it_may_have() {
    let world = some().await;
    let cost = async |document: &str| {
        let answer = world
            .app
            .admin()
            .post(&json!({"query": document}))
            .await
            .json();
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["extensions"]["cost"].as_u64().unwrap()
    };
    assert_eq!(
        cost("{ usage { totals { usd } series { start usd } } }").await,
        3
    );
    assert_eq!(
        cost("{ usage { series { group { user { id } } } } }").await,
        1 + 1 + 1000 * 2
    );
    assert_eq!(
        cost("{ usage { series(atMost: 20) { group { user { id } } } } }").await,
        1 + 1 + 20 * 2
    );
}
