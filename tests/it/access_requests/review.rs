//! Deciding: what is given is what could be given by hand.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{approve, ask, asked, deny, id, may, people, review, team, told};
use crate::support::{Client, TestApp};
use crate::users::world::grant;

#[tokio::test]
async fn what_is_approved_is_held_as_if_given_by_hand() {
    let app = TestApp::new().await;
    let ((user, ada), (_, boss)) = people(&app).await;
    // What is held there already stays.
    grant(&app, &user, "/models/gpt-4o", &["READ"]).await;
    let request = asked(&ada, "/models/gpt-4o", "USE").await;
    let input = json!({"id": request, "decision": "APPROVE", "reason": "have fun"});
    let approved = review(&boss, input).await;
    insta::assert_json_snapshot!("approved", approved, {".id" => "[id]"});
    assert!(may(&ada, "model.use", "/models/gpt-4o/x").await);
    let held = "query($id: ID!) { user(by: {id: $id}) { permissions { nodes { path role { name } createdBy { username } } } } }";
    let held = app.admin().data(held, json!({ "id": user })).await;
    insta::assert_json_snapshot!("held", held["user"]["permissions"]["nodes"]);
    let trail = "{ auditEvents(first: 2) { nodes { action before after actor { ... on User { username } } } } }";
    let trail = app.admin().data(trail, json!({})).await;
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"(user|role)_[0-9a-z]{26}", "[$1]");
    settings.bind(|| insta::assert_json_snapshot!("approving", trail["auditEvents"]["nodes"]));
}

#[tokio::test]
async fn what_is_denied_is_told_with_its_reason() {
    let app = TestApp::new().await;
    let ((_, ada), (_, boss)) = people(&app).await;
    let request = asked(&ada, "/models/x", "USE").await;
    let bare = json!({"id": request, "decision": "DENY"});
    let mut lines = vec![told(&review(&boss, bare).await)];
    let more =
        json!({"id": request, "decision": "DENY", "reason": "x", "until": "2030-02-01T00:00:00Z"});
    lines.push(told(&review(&boss, more).await));
    let denied = deny(&boss, &request).await;
    assert_eq!(
        (&denied["status"], &denied["reason"], &denied["granted"]),
        (&json!("DENIED"), &json!("not this week"), &Value::Null)
    );
    assert!(!may(&ada, "model.use", "/models/x").await);
    lines.push(told(&approve(&boss, &request).await));
    insta::assert_snapshot!("denying", lines.join("\n"));
}

#[tokio::test]
async fn less_or_shorter_may_be_given_and_never_more() {
    let app = TestApp::new().await;
    let ((_, ada), (_, boss)) = people(&app).await;
    let wish = json!({"permissions": [{"path": "/models/a", "role": "EDIT"}, {"path": "/models/b", "role": "USE", "propagate": false}],
        "justification": "x", "until": "2030-01-31T00:00:00Z"});
    let request = id(&ask(&ada, wish).await);
    let give = |permissions: Value, until: &str| json!({"id": request, "decision": "APPROVE", "permissions": permissions, "until": until});
    let until = "2030-01-02T00:00:00Z";
    let mut lines = Vec::new();
    for input in [
        give(json!([{"path": "/models/a", "role": "MANAGE"}]), until),
        give(json!([{"path": "/models/c", "role": "USE"}]), until),
        give(json!([{"path": "/models/a/x", "role": "USE"}]), until),
        give(json!([{"path": "/models/b", "role": "USE"}]), until),
        give(json!([{"path": "/models/a", "role": "NO_ACCESS"}]), until),
        give(json!([]), until),
        give(
            json!([{"path": "/models/a", "role": "EDIT"}]),
            "2030-02-01T00:00:00Z",
        ),
        give(
            json!([{"path": "/models/a", "role": "EDIT"}]),
            "2030-01-01T00:00:00Z",
        ),
        json!({"id": request, "decision": "APPROVE", "teamRole": "MEMBER"}),
    ] {
        lines.push(told(&review(&boss, input).await));
    }
    insta::assert_snapshot!("more", lines.join("\n"));
    let less = give(
        json!([{"path": "/models/a", "role": "USE", "propagate": false}]),
        until,
    );
    let approved = review(&boss, less).await;
    insta::assert_json_snapshot!("less", approved["granted"]);
    assert!(may(&ada, "model.use", "/models/a").await);
    for (privilege, path) in [
        ("model.edit", "/models/a"),
        ("model.use", "/models/a/x"),
        ("model.use", "/models/b"),
    ] {
        assert!(!may(&ada, privilege, path).await, "{privilege} {path}");
    }
    app.app.clock.advance(chrono::TimeDelta::hours(12));
    assert!(
        !may(&ada, "model.use", "/models/a").await,
        "its end has come"
    );
}

#[tokio::test]
async fn nobody_approves_what_they_could_not_give() {
    let app = TestApp::new().await;
    let ((_, ada), (boss_id, boss)) = people(&app).await;
    // Writes permissions at /models and lacks what is asked for.
    let (clerk, as_clerk) = app.user("clerk", InstanceRole::Member).await;
    let make = "mutation { createRole(input: {name: \"CLERK\", privileges: [\"permission.write\"]}) { role { id } } }";
    app.admin().data(make, json!({})).await;
    grant(&app, &clerk.typed_id().to_string(), "/models", &["CLERK"]).await;
    let request = asked(&ada, "/models/x", "USE").await;
    let mut lines = vec![told(&approve(&as_clerk, &request).await)];
    // Of several places all must be the reviewer's; those that are may be given.
    let wish = json!({"permissions": [{"path": "/models/x", "role": "USE"}, {"path": "/vms", "role": "USE"}], "justification": "x"});
    let both = id(&ask(&ada, wish).await);
    lines.push(told(&approve(&boss, &both).await));
    let part = json!({"id": both, "decision": "APPROVE", "permissions": [{"path": "/models/x", "role": "USE"}]});
    assert_eq!(review(&boss, part).await["status"], "APPROVED");
    // What it could give when it was asked for it cannot once it lacks it.
    let later = asked(&ada, "/models/y", "USE").await;
    grant(&app, &boss_id, "/models", &["READ"]).await;
    lines.push(told(&approve(&boss, &later).await));
    for client in [
        app.user("outsider", InstanceRole::Member).await.1,
        app.anonymous(),
    ] {
        lines.push(told(&approve(&client, &later).await));
        lines.push(told(&deny(&client, &later).await));
    }
    let (_, auditor) = app.user("auditor", InstanceRole::Auditor).await;
    lines.push(told(&approve(&auditor, &later).await));
    lines.push(told(&deny(&auditor, &later).await));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"req_[0-9a-z]{26}", "[req]");
    settings.bind(|| insta::assert_snapshot!("lacking", lines.join("\n")));
    assert!(!may(&ada, "model.use", "/models/y").await);
}

#[tokio::test]
async fn nobody_reviews_a_request_of_their_own() {
    let app = TestApp::new().await;
    let ((_, ada), (_, boss)) = people(&app).await;
    for (client, path) in [(&boss, "/models/x"), (&app.admin(), "/"), (&ada, "/models")] {
        let request = asked(client, path, "USE").await;
        let answer = told(&approve(client, &request).await);
        insta::allow_duplicates! {
            insta::assert_snapshot!(answer, @"FORBIDDEN input.id: Nobody reviews a request of their own. What you may give yourself you give by hand; withdraw the request.");
        }
        assert_eq!(told(&deny(client, &request).await), answer);
    }
}

#[tokio::test]
async fn a_teams_admin_lets_people_in() {
    let app = TestApp::new().await;
    let ((_, ada), (boss_id, boss)) = people(&app).await;
    let blue = team(&app, "blue", &boss_id).await;
    grant(&app, &blue, "/vms", &["USE"]).await;
    let wish = json!({"membership": {"team": blue, "role": "ADMIN"}, "justification": "x"});
    let request = id(&ask(&ada, wish.clone()).await);
    let less = json!({"id": request, "decision": "APPROVE", "teamRole": "MEMBER"});
    let approved = review(&boss, less).await;
    insta::assert_json_snapshot!("into_a_team", approved, {".id" => "[id]"});
    assert!(may(&ada, "vm.use", "/vms/1").await);
    assert!(!may(&ada, "team.write", &format!("/teams/{blue}")).await);
    // A member may ask to be more, and not for what it is.
    let same = json!({"membership": {"team": blue}, "justification": "x"});
    let mut lines = vec![told(&ask(&ada, same).await)];
    let request = id(&ask(&ada, wish).await);
    assert_eq!(approve(&boss, &request).await["status"], "APPROVED");
    assert!(may(&ada, "team.write", &format!("/teams/{blue}")).await);
    // What somebody would lose is not approved, and what is gone cannot be given.
    let (_, other) = app.user("other", InstanceRole::Member).await;
    let for_good = json!({"membership": {"team": blue}, "justification": "x"});
    let short = json!({"membership": {"team": blue}, "justification": "x", "until": "2030-02-01T00:00:00Z"});
    let (first, second) = (
        ask(&other, for_good.clone()).await,
        ask(&other, short).await,
    );
    let more = json!({"id": id(&first), "decision": "APPROVE", "teamRole": "ADMIN"});
    lines.push(told(&review(&boss, more).await));
    approve(&boss, &id(&first)).await;
    lines.push(told(&approve(&boss, &id(&second)).await));
    let (_, third) = app.user("third", InstanceRole::Member).await;
    let request = id(&ask(&third, for_good).await);
    let delete = "mutation($id: ID!) { deleteTeam(input: {id: $id}) { deletedTeamId } }";
    app.admin().data(delete, json!({ "id": blue })).await;
    lines.push(told(&approve(&app.admin(), &request).await));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"(req|team)_[0-9a-z]{26}", "[$1]");
    settings.bind(|| insta::assert_snapshot!("into_teams", lines.join("\n")));
}

#[tokio::test]
async fn what_is_held_in_another_way_is_not_bent() {
    let app = TestApp::new().await;
    let ((user, ada), (_, boss)) = people(&app).await;
    let update = "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { added changed } }";
    let hold = |propagate: bool, end: Value| {
        json!({"input": {"principal": user, "path": "/models/x",
        "roles": [{"role": "USE", "propagate": propagate, "expiresAt": end}]}})
    };
    let mut outcomes = Vec::new();
    for (propagate, end, until) in [
        (true, Value::Null, json!("2030-02-01T00:00:00Z")),
        (
            true,
            json!("2030-01-15T00:00:00Z"),
            json!("2030-02-01T00:00:00Z"),
        ),
        (false, json!("2030-01-15T00:00:00Z"), Value::Null),
        (false, Value::Null, json!("2030-02-01T00:00:00Z")),
    ] {
        app.admin().data(update, hold(propagate, end)).await;
        let wish = json!({"permissions": [{"path": "/models/x", "role": "USE"}], "justification": "x", "until": until});
        let request = id(&ask(&ada, wish).await);
        let answer = approve(&boss, &request).await;
        let held = "query($id: ID!) { user(by: {id: $id}) { permissions { nodes { propagate expiresAt } } } }";
        let held = app.admin().data(held, json!({ "id": user })).await;
        let said = match answer["errors"].is_null() {
            true => answer["status"].as_str().unwrap().to_owned(),
            false => told(&answer),
        };
        outcomes.push(format!("{said} {}", held["user"]["permissions"]["nodes"]));
    }
    insta::assert_snapshot!("beside", outcomes.join("\n"));
}

async fn at_once(client: Client, id: String, approves: bool) -> Result<Value, String> {
    let answer = match approves {
        true => approve(&client, &id).await,
        false => deny(&client, &id).await,
    };
    match answer["errors"].is_null() {
        true => Ok(answer["status"].clone()),
        false => Err(told(&answer)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_review_at_once_one_decides() {
    let app = TestApp::new().await;
    let ((_, ada), (_, boss)) = people(&app).await;
    for round in 0..4 {
        let path = format!("/models/{round}");
        let request = asked(&ada, &path, "USE").await;
        let tasks: Vec<_> = (0..6)
            .map(|n| {
                let client = if n % 2 == 0 {
                    boss.clone()
                } else {
                    app.admin()
                };
                tokio::spawn(at_once(client, request.clone(), n % 3 != 0))
            })
            .collect();
        let mut decided = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(status) => decided.push(status),
                Err(told) => assert!(told.starts_with("CONFLICT -: This request was "), "{told}"),
            }
        }
        assert_eq!(decided.len(), 1, "{decided:?}");
        assert_eq!(
            may(&ada, "model.use", &path).await,
            decided[0] == "APPROVED"
        );
    }
}
