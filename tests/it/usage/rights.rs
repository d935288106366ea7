//! Who may record what others use.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{post, record};
use crate::limits::Proxy;
use crate::support::Client;

/// `code field` of each line, or `RECORDED`.
async fn told(client: &Client, events: &Value) -> String {
    let answer = post(client, &json!({ "events": events })).await;
    if answer.status != 200 {
        let error = &answer.json()["errors"][0]["extensions"]["code"];
        return format!("{} {error}", answer.status);
    }
    let answer = answer.json();
    let lines = answer["lines"].as_array().unwrap().iter().map(|line| {
        let error = &line["error"];
        match error["code"].as_str() {
            None => line["outcome"].as_str().unwrap().to_owned(),
            Some(code) => format!("{code} {}", error["field"].as_str().unwrap_or("-")),
        }
    });
    lines.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn it_takes_the_privilege_over_the_key_at_the_user_or_at_the_team() {
    let proxy = Proxy::new().await;
    let app = &proxy.app;
    let admin = app.admin();
    let made = admin
        .data(
            "mutation($user: ID!) {
                createTeam(input: {slug: \"t\", members: [{user: $user}]}) { team { id } }
                createRole(input: {name: \"RECORDER\", privileges: [\"usage.write\"]}) { role { id } } }",
            json!({"user": proxy.user}),
        )
        .await;
    let team = made["createTeam"]["team"]["id"].clone();
    let made = admin
        .data(
            "mutation($user: ID!, $team: ID!) { generateApiKey(input: {owner: $user, team: $team}) { apiKey { id } secret } }",
            json!({"user": proxy.user, "team": team}),
        )
        .await;
    let team_key = made["generateApiKey"]["apiKey"]["id"].clone();
    let own = app.with_key(&proxy.secret);
    let mut rows = Vec::new();
    let mut clients: Vec<(&str, Client)> = vec![
        ("nobody", app.anonymous()),
        ("the key itself", own),
        ("an administrator", admin.clone()),
    ];
    for (name, path, roles) in [
        ("a member", "", json!([])),
        ("one who may look", "/", json!([{"role": "READ"}])),
        (
            "one who may record everywhere",
            "/",
            json!([{"role": "RECORDER"}]),
        ),
        (
            "one who may record for the user",
            "USER",
            json!([{"role": "RECORDER"}]),
        ),
        (
            "one who may record for the team",
            "TEAM",
            json!([{"role": "RECORDER"}]),
        ),
        (
            "one who manages the team",
            "TEAM",
            json!([{"role": "MANAGE"}]),
        ),
    ] {
        let (user, client) = app
            .user(&name.replace(' ', "-"), InstanceRole::Member)
            .await;
        let path = path
            .replace("USER", &format!("/users/{}", proxy.user))
            .replace("TEAM", &format!("/teams/{}", team.as_str().unwrap()));
        if !path.is_empty() {
            let grant = "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { added } }";
            let input =
                json!({"principal": user.typed_id().to_string(), "path": path, "roles": roles});
            admin.data(grant, json!({ "input": input })).await;
        }
        clients.push((name, client));
    }
    for (name, client) in clients {
        let events = json!([
            {"id": "1", "apiKey": proxy.key}, {"id": "2", "apiKey": team_key}, {"id": "3", "user": proxy.user},
            {"id": "4", "user": proxy.user, "team": team}, {"reservation": "rsv_7zzzzzzzzzzzzzzzzzzzzzzzzz"},
        ]);
        rows.push(format!("{name}: {}", told(&client, &events).await));
    }
    insta::assert_snapshot!(rows.join("\n"));
}

#[tokio::test]
async fn a_gateway_may_settle_and_record_and_see_nothing() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    admin
        .data(
            "mutation { createRole(input: {name: \"GATEWAY\", privileges: [\"apiKey.verify\", \"usage.write\"]}) { role { id } } }",
            json!({}),
        )
        .await;
    let (gateway, client) = proxy.app.user("proxy", InstanceRole::Member).await;
    let grant = "mutation($id: ID!) { updatePermission(input: {principal: $id, path: \"/\", roles: [{role: \"GATEWAY\"}]}) { added } }";
    let id = gateway.typed_id().to_string();
    admin.data(grant, json!({ "id": id })).await;
    let body = json!({"key": proxy.secret, "cost": {"usd": 1}});
    let answer = crate::http::v1::verdict(&client, &body).await;
    let events = json!([{"reservation": answer["reservation"], "usd": 2}, {"id": "1", "apiKey": proxy.key, "usd": 3}]);
    let told = record(&client, events).await;
    assert_eq!(told["recorded"], 2, "{told:#}");
}
