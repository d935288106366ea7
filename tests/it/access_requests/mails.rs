//! Who is told by mail.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{approve, ask, asked, deny, id, people, team};
use crate::support::{Setup, SmtpServer, TestApp};
use crate::users::world::grant;

/// To whom mails have gone since the last look, in order.
fn told(server: &SmtpServer, seen: &mut usize) -> Vec<String> {
    let received = server.received();
    let mut new: Vec<String> = received[*seen..]
        .iter()
        .map(|mail| mail.to.join(" ").replace("RCPT TO:", ""))
        .collect();
    new.sort();
    *seen = received.len();
    new
}

/// What that mail says, without the ends of lines that it was sent with.
fn as_written(server: &SmtpServer, place: usize) -> String {
    server.received()[place].text.replace("=\n", "")
}

#[tokio::test]
async fn those_who_could_give_it_are_told_and_then_whoever_has_asked() {
    let server = SmtpServer::start().await;
    let app = TestApp::with(Setup {
        mail: server.settings(None),
        ..Setup::default()
    })
    .await;
    let ((_, ada), (boss_id, boss)) = people(&app).await;
    let blue = team(&app, "blue", &boss_id).await;
    for (name, role) in [
        ("root", InstanceRole::Admin),
        ("auditor", InstanceRole::Auditor),
    ] {
        app.user(name, role).await;
    }
    // Holds it by a team above its own; reads; may write, and lacks what is asked for; cannot act.
    let (through, _) = app.user("through", InstanceRole::Member).await;
    let create = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let below = json!({"input": {"slug": "below", "name": "below", "parent": blue,
        "members": [{"user": through.typed_id().to_string(), "role": "MEMBER"}]}});
    app.admin().data(create, below).await;
    grant(&app, &blue, "/models", &["MANAGE"]).await;
    let make = "mutation { createRole(input: {name: \"CLERK\", privileges: [\"permission.write\"]}) { role { id } } }";
    app.admin().data(make, json!({})).await;
    let mut ids = Vec::new();
    for (name, role) in [("reader", "READ"), ("clerk", "CLERK"), ("gone", "MANAGE")] {
        let (user, _) = app.user(name, InstanceRole::Member).await;
        ids.push(user.typed_id().to_string());
        grant(&app, &ids[ids.len() - 1], "/models", &[role]).await;
    }
    let disable =
        "mutation($id: ID!) { updateUser(input: {id: $id, enabled: false}) { user { id } } }";
    app.admin().data(disable, json!({ "id": ids[2] })).await;
    let mut seen = 0;
    let request = asked(&ada, "/models/gpt-4o", "USE").await;
    app.app.deliver_due().await.unwrap();
    let mails = told(&server, &mut seen);
    assert_eq!(
        mails,
        [
            "<boss@example.com>",
            "<root@example.com>",
            "<through@example.com>"
        ]
    );
    let text = as_written(&server, 0);
    for part in [
        "ada asks for USE at /models/gpt-4o",
        "for the launch",
        &request,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    approve(&boss, &request).await;
    app.app.deliver_due().await.unwrap();
    assert_eq!(told(&server, &mut seen), ["<ada@example.com>"]);
    let text = as_written(&server, seen - 1);
    assert!(
        text.contains("boss has approved your request for USE at /models/gpt-4o."),
        "{text}"
    );
    // A place in a team: its admins. Nobody is told of what they ask for themselves.
    let wish = json!({"membership": {"team": blue}, "justification": "x", "until": "2030-02-01T00:00:00Z"});
    let request = id(&ask(&ada, wish).await);
    app.app.deliver_due().await.unwrap();
    assert_eq!(
        told(&server, &mut seen),
        ["<boss@example.com>", "<root@example.com>"]
    );
    deny(&boss, &request).await;
    app.app.deliver_due().await.unwrap();
    assert_eq!(told(&server, &mut seen), ["<ada@example.com>"]);
    let text = as_written(&server, seen - 1);
    for part in [
        "boss has denied your request for a place in the team blue.",
        "not this week",
    ] {
        assert!(text.contains(part), "{text}");
    }
    asked(&boss, "/models/gpt-4o", "USE").await;
    app.app.deliver_due().await.unwrap();
    assert_eq!(
        told(&server, &mut seen),
        ["<root@example.com>", "<through@example.com>"]
    );
    // A team that is not there has nobody.
    let nowhere = keystead::db::ids::Id::new(keystead::db::ids::Kind::Team, app.ctx().new_id());
    let wish = json!({"membership": {"team": nowhere.to_string()}, "justification": "x"});
    id(&ask(&ada, wish).await);
    assert_eq!(app.app.deliver_due().await.unwrap(), 0);
}
