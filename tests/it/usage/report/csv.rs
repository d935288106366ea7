//! `GET /v1/usage.csv`: whole tables, and what is refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead::permissions::model::InstanceRole;

use super::world::{Event, World, key_id, some, team_id, user_id};
use crate::http::v1::openapi::described;
use crate::support::{Answer, Client};

async fn get(client: &Client, query: &str) -> Answer {
    let path = format!("/v1/usage.csv{query}");
    let answer = client.send(client.request("GET", &path)).await;
    described("get", "/v1/usage.csv", &answer);
    answer
}

/// The table, with names for ids.
fn named(world: &World, answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut text = answer.text().replace("\r\n", "\u{b6}\n");
    for (name, id) in [
        ("ADA", user_id(&world.ada.0)),
        ("BOB", user_id(&world.bob.0)),
        ("ALL", team_id(world.teams[0])),
        ("ML", team_id(world.teams[1])),
        ("KEY1", key_id(world.spenders[1].key.unwrap())),
        ("KEY2", key_id(world.spenders[2].key.unwrap())),
    ] {
        text = text.replace(&id, name);
    }
    text
}

#[tokio::test]
async fn whole_tables() {
    let world = some().await;
    let mut odd = Event::of(world.spenders[3], "2030-01-01T11:00:00Z", 1_500_000);
    odd.tags = ["+1", "-1", "@x", "a,b", "say \"hi\""]
        .map(str::to_owned)
        .to_vec();
    world.record(&[odd]).await;
    let (admin, team) = (world.app.admin(), team_id(world.teams[0]));
    let mut tables = Vec::new();
    for query in [
        String::new(),
        "?granularity=DAY&timeZone=Asia/Kathmandu&from=2029-12-31T18:15:00Z".to_owned(),
        "?groupBy=TAG".to_owned(),
        format!("?groupBy=KEY,USER&groupBy=TEAM,RESOURCE&team={team}"),
        "?from=2031-01-01T00:00:00%2B01:00&to=2031-01-02T00:00:00+01:00&groupBy=USER".to_owned(),
    ] {
        let answer = get(&admin, &query).await;
        assert_eq!(
            answer.header("content-type"),
            "text/csv; charset=utf-8; header=present"
        );
        assert_eq!(
            answer.header("content-disposition"),
            "attachment; filename=\"usage.csv\""
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        tables.push(format!(
            "{}\n{}",
            query.replace(&team, "ALL"),
            named(&world, &answer)
        ));
    }
    // The admin of the team above does not see who is in the team below, nor its keys.
    let answer = get(&world.ada.1, &format!("?groupBy=KEY,USER,TEAM&team={team}")).await;
    tables.push(format!("as ada\n{}", named(&world, &answer)));
    insta::assert_snapshot!(tables.join("\n"));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let world = some().await;
    let (admin, ada) = (world.app.admin(), user_id(&world.ada.0));
    let mut refused = Vec::new();
    for query in [
        "?from=yesterday",
        "?from=",
        "?from=2030-01-01T00:07:00Z",
        "?from=2030-01-02T00:00:00Z&to=2030-01-01T00:00:00Z",
        "?timeZone=Mars/Olympus",
        "?granularity=WEEK",
        "?granularity=day",
        "?groupBy=",
        "?groupBy=KEY,",
        "?groupBy=KEY&groupBy=KEY",
        "?groupBy=KEY,MODEL",
        "?user=ada",
        "?team=ADA",
        "?apiKey=",
        "?resource=models",
        "?tag=",
        "?tag=%00",
        "?tag=a&tag=b",
        "?limit=5",
        "?ks_secret=5",
        "?from=2000-01-01T00:00:00Z&to=2199-01-01T00:00:00Z&granularity=HOUR",
    ] {
        let answer = get(&admin, &query.replace("ADA", &ada)).await;
        assert_eq!(answer.status, 400, "{query}");
        let error = answer.json()["errors"][0].take();
        let (field, message) = (
            &error["extensions"]["field"],
            error["message"].as_str().unwrap(),
        );
        refused.push(format!(
            "{query} {}: {}",
            field.as_str().unwrap_or("-"),
            message.replace(&ada, "ADA")
        ));
    }
    insta::assert_snapshot!(refused.join("\n"));
}

#[tokio::test]
async fn rights_are_those_of_the_query() {
    let world = some().await;
    let (_, viewer) = world.app.user("vic", InstanceRole::Viewer).await;
    let ada = user_id(&world.ada.0);
    for (client, query, status) in [
        (&world.app.anonymous(), String::new(), 401),
        (&viewer, String::new(), 403),
        (&viewer, format!("?user={ada}"), 404),
        (&world.ada.1, format!("?user={ada}"), 200),
        (
            &world.bob.1,
            format!("?team={}", team_id(world.teams[1])),
            403,
        ),
        (&world.app.admin(), String::new(), 200),
    ] {
        assert_eq!(get(client, &query).await.status, status, "{query}");
    }
    let client = world.app.admin();
    let basic = "Basic ".to_owned() + &STANDARD.encode(format!("x:{}", client.key().unwrap()));
    let anonymous = world.app.anonymous();
    let call = anonymous
        .request("GET", "/v1/usage.csv")
        .header("authorization", &basic);
    assert_eq!(anonymous.send(call).await.status, 200);
    let answer = client.send(client.request("POST", "/v1/usage.csv")).await;
    described("get", "/v1/usage.csv", &answer);
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
}
