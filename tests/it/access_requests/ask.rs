//! Asking, and taking it back.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{approve, ask, asked, deny, id, may, people, send, team, told};
use crate::support::TestApp;

#[tokio::test]
async fn a_request_gives_nothing_by_itself() {
    let app = TestApp::new().await;
    let ((_, ada), _) = people(&app).await;
    let input = json!({"permissions": [{"path": "/models/gpt-4o", "role": "use", "propagate": false}, {"path": "/vms", "role": "READ"}],
        "justification": "  the launch\nis on Friday ", "until": "2030-01-08T00:00:00Z"});
    let request = ask(&ada, input).await;
    insta::assert_json_snapshot!("asked", request, {".id" => "[id]"});
    assert!(!may(&ada, "model.use", "/models/gpt-4o").await);
    let trail = "{ auditEvents(first: 1) { nodes { action before after actor { ... on User { username } } } } }";
    let trail = app.admin().data(trail, json!({})).await;
    insta::assert_json_snapshot!("trail", trail["auditEvents"]["nodes"], {"[].after.user" => "[id]", "[].after.asked.permissions[].role" => "[id]"});
    let again = "query($id: ID!) { node(id: $id) { ... on AccessRequest { status } } }";
    let found = ada.data(again, json!({ "id": request["id"] })).await;
    assert_eq!(found["node"]["status"], "PENDING");
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_told() {
    let app = TestApp::new().await;
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let mine = team(&app, "mine", &user.typed_id().to_string()).await;
    let role = |role: &str| json!([{"path": "/models", "role": role}]);
    let many: Vec<_> = (0..33)
        .map(|n| json!({"path": format!("/models/{n}"), "role": "USE"}))
        .collect();
    let mut lines = Vec::new();
    for wish in [
        json!({}),
        json!({"permissions": role("USE"), "membership": {"team": mine}}),
        json!({"permissions": []}),
        json!({"permissions": many}),
        json!({"permissions": role("NO_ACCESS")}),
        json!({"permissions": role("TEAM_ADMIN")}),
        json!({"permissions": role("NONE SUCH")}),
        json!({"permissions": [{"path": "models", "role": "USE"}]}),
        json!({"permissions": [{"path": "/a", "role": "USE"}, {"path": "/a", "role": "use", "propagate": false}]}),
        json!({"permissions": role("USE"), "justification": " "}),
        json!({"permissions": role("USE"), "until": "2030-01-01T12:00:00Z"}),
        json!({"membership": {"team": user.typed_id().to_string()}}),
        json!({"membership": {"team": mine}}),
    ] {
        let mut input = json!({"justification": "x"});
        for (name, value) in wish.as_object().unwrap() {
            input[name] = value.clone();
        }
        lines.push(told(&ask(&ada, input).await));
    }
    let (_, restricted) = app.restricted(&user, &[("/", "READ")]).await;
    let wish = json!({"permissions": role("USE"), "justification": "x"});
    lines.push(told(&ask(&restricted, wish.clone()).await));
    lines.push(told(&ask(&app.anonymous(), wish).await));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"(user|team)_[0-9a-z]{26}", "[$1]");
    settings.bind(|| insta::assert_snapshot!("refused", lines.join("\n")));
}

#[tokio::test]
async fn asking_tells_nothing_of_what_there_is() {
    let app = TestApp::new().await;
    let ((_, ada), (boss, _)) = people(&app).await;
    let there = team(&app, "there", &boss).await;
    let nowhere = keystead::db::ids::Id::new(keystead::db::ids::Kind::Team, app.ctx().new_id());
    let mut answers = Vec::new();
    for team in [there, nowhere.to_string()] {
        let wish = json!({"membership": {"team": team}, "justification": "x"});
        let mut answer = ask(&ada, wish).await;
        assert!(answer["id"].take().is_string());
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0]["membership"]["team"], json!(null));
}

#[tokio::test]
async fn twenty_wait_at_once() {
    let app = TestApp::new().await;
    let ((_, ada), (_, boss)) = people(&app).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(asked(&ada, &format!("/models/{n}"), "USE").await);
    }
    let wish = json!({"permissions": [{"path": "/models/x", "role": "USE"}], "justification": "x"});
    insta::assert_snapshot!(told(&ask(&ada, wish.clone()).await), @"LIMIT_EXCEEDED -: 20 of your requests wait already, and there are no more at once. Withdraw those that you do not need.");
    for (n, make_room) in ["withdrawn", "denied", "approved"].into_iter().enumerate() {
        match make_room {
            "withdrawn" => send(&ada, "withdrawAccessRequest", json!({"id": ids[n]})).await,
            "denied" => deny(&boss, &ids[n]).await,
            _ => approve(&boss, &ids[n]).await,
        };
        id(&ask(&ada, wish.clone()).await);
        assert!(told(&ask(&ada, wish.clone()).await).starts_with("LIMIT_EXCEEDED"));
    }
    // What is over does not count.
    app.app.clock.advance(chrono::TimeDelta::days(30));
    id(&ask(&ada, wish).await);
}

#[tokio::test]
async fn whoever_asks_may_withdraw() {
    let app = TestApp::new().await;
    let ((_, ada), (_, boss)) = people(&app).await;
    let request = asked(&ada, "/models/x", "USE").await;
    let input = json!({ "id": request });
    let mut lines = vec![told(
        &send(&boss, "withdrawAccessRequest", input.clone()).await,
    )];
    for _ in 0..2 {
        let withdrawn = send(&ada, "withdrawAccessRequest", input.clone()).await;
        assert_eq!(withdrawn["status"], "WITHDRAWN");
    }
    lines.push(told(&approve(&boss, &request).await));
    for decide in [true, false] {
        let other = asked(&ada, "/models/x", "USE").await;
        match decide {
            true => approve(&boss, &other).await,
            false => deny(&boss, &other).await,
        };
        lines.push(told(
            &send(&ada, "withdrawAccessRequest", json!({ "id": other })).await,
        ));
    }
    let (_, outsider) = app.user("outsider", InstanceRole::Member).await;
    lines.push(told(&send(&outsider, "withdrawAccessRequest", input).await));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"req_[0-9a-z]{26}", "[req]");
    settings.bind(|| insta::assert_snapshot!("withdrawing", lines.join("\n")));
}
