//! Who may read what was used.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{USAGE, World, key_id, some, spent, team_id, user_id};
use crate::support::Client;
use crate::teams::world::grant;

/// What somebody is told of each subject: the sum, or the error.
async fn told(world: &World, client: &Client) -> Vec<String> {
    let key = |place: usize| json!({"apiKey": key_id(world.spenders[place].key.unwrap())});
    let (ada, bob) = (user_id(&world.ada.0), user_id(&world.bob.0));
    let team = |place: usize| team_id(world.teams[place]);
    let mut lines = Vec::new();
    for (what, filter) in [
        ("everything", json!({})),
        ("a resource", json!({"resource": "/models/b"})),
        ("a tag", json!({"tag": "a"})),
        ("ada", json!({"user": ada})),
        ("bob", json!({"user": bob})),
        ("team all", json!({"team": team(0)})),
        ("team ml below it", json!({"team": team(1)})),
        ("team web", json!({"team": team(2)})),
        ("ada's own key", key(0)),
        ("ada's key of all", key(1)),
        ("bob's key of ml", key(2)),
        ("bob's own key", key(3)),
        ("bob with keys of ml", json!({"user": bob, "team": team(1)})),
        (
            "bob with keys of all and below",
            json!({"user": bob, "team": team(0)}),
        ),
        ("nobody", json!({"user": "user_01h455vb4pex5vsknk084sn02q"})),
        (
            "no team",
            json!({"team": "team_01h455vb4pex5vsknk084sn02q"}),
        ),
        (
            "no key",
            json!({"apiKey": "key_01h455vb4pex5vsknk084sn02q"}),
        ),
    ] {
        let answer = client.gql(USAGE, json!({"filter": filter})).await;
        let error = &answer["errors"][0];
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let said = match error.is_object() {
            false => text(&answer["data"]["usage"]["totals"]["usd"]),
            true => format!(
                "{} {}",
                text(&error["extensions"]["code"]),
                text(&error["extensions"]["field"])
            ),
        };
        lines.push(format!("  {what}: {said}"));
    }
    lines
}

#[tokio::test]
async fn each_may_read_his_own_and_an_admin_the_teams() {
    let world = some().await;
    let app = &world.app;
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    let (_, viewer) = app.user("vic", InstanceRole::Viewer).await;
    let (granted, as_granted) = app.user("gil", InstanceRole::Member).await;
    grant(app, &user_id(&granted), "/teams", &["READ"]).await;
    let (read, as_reader) = app.user("rex", InstanceRole::Member).await;
    grant(
        app,
        &user_id(&read),
        &format!("/users/{}", user_id(&world.bob.0)),
        &["READ"],
    )
    .await;
    let (_, restricted) = app.restricted(&world.bob.0, &[("/models", "USE")]).await;
    let mut lines = Vec::new();
    for (who, client) in [
        ("nobody", &app.anonymous()),
        ("administrator", &app.admin()),
        ("auditor", &auditor),
        ("viewer", &viewer),
        ("ada, who administers all", &world.ada.1),
        ("bob, a member of ml", &world.bob.1),
        ("bob with a key for models", &restricted),
        ("READ at /teams", &as_granted),
        ("READ at bob", &as_reader),
    ] {
        lines.push(who.to_owned());
        lines.extend(told(&world, client).await);
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn a_key_for_usage_alone_reads_usage_alone() {
    let world = some().await;
    let document = "mutation { createRole(input: {name: \"METER\", privileges: [\"usage.read\"]}) { role { id } } }";
    world.app.admin().data(document, json!({})).await;
    let (_, meter) = world.app.user("meter", InstanceRole::Member).await;
    assert_eq!(meter.error(USAGE, json!({})).await.0, "FORBIDDEN");
    let (user, meter) = world.app.user("metre", InstanceRole::Member).await;
    grant(&world.app, &user_id(&user), "/", &["METER"]).await;
    assert_eq!(spent(&meter, json!({})).await, "0.004321");
    assert_eq!(
        spent(&meter, json!({"user": user_id(&world.ada.0)})).await,
        "0.000021"
    );
    let group = "{ usage(groupBy: [USER]) { series { group { userId user { id } } } } }";
    let answer = meter.data(group, json!({})).await;
    for point in answer["usage"]["series"].as_array().unwrap() {
        assert!(
            point["group"]["userId"].is_string() && point["group"]["user"].is_null(),
            "{answer:#}"
        );
    }
}
