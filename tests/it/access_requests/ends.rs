//! Memberships with an end: given by hand or by request, they vanish by themselves.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{approve, ask, id, may, people, team, told};
use crate::support::{Setup, TestApp};
use crate::users::world::grant;

const ADD: &str = "mutation($input: AddTeamMemberInput!) { addTeamMember(input: $input) { membership { role expiresAt } } }";
const UPDATE: &str = "mutation($input: UpdateTeamMemberInput!) { updateTeamMember(input: $input) { membership { role expiresAt } } }";
const MEMBERS: &str = "query($slug: String!) { team(by: {slug: $slug}) { members { nodes { user { username } role expiresAt } } } }";

async fn members(app: &TestApp, slug: &str) -> Value {
    let mut data = app.admin().data(MEMBERS, json!({ "slug": slug })).await;
    data["team"]["members"]["nodes"].take()
}

#[tokio::test]
async fn what_a_membership_gives_ends_with_it() {
    // With a lease, so that what is remembered ends too.
    let app = TestApp::with(Setup {
        lease: Some(keystead::replicas::ReplicaSettings::default()),
        ..Setup::default()
    })
    .await;
    let ((_, ada), (boss_id, boss)) = people(&app).await;
    let blue = team(&app, "blue", &boss_id).await;
    grant(&app, &blue, "/vms", &["USE"]).await;
    let wish = json!({"membership": {"team": blue}, "justification": "x", "until": "2030-01-01T13:00:00Z"});
    let request = id(&ask(&ada, wish).await);
    let approved = approve(&boss, &request).await;
    assert_eq!(approved["granted"]["until"], "2030-01-01T13:00:00Z");
    let team_path = format!("/teams/{blue}");
    assert!(may(&ada, "vm.use", "/vms/1").await && may(&ada, "team.read", &team_path).await);
    app.app
        .clock
        .advance(TimeDelta::minutes(60) - TimeDelta::microseconds(1));
    assert!(may(&ada, "vm.use", "/vms/1").await);
    app.app.clock.advance(TimeDelta::microseconds(1));
    assert!(!may(&ada, "vm.use", "/vms/1").await, "the very moment");
    assert!(!may(&ada, "team.read", &team_path).await);
    // The row goes a little later, and the trail says so.
    assert_eq!(members(&app, "blue").await.as_array().unwrap().len(), 2);
    assert_eq!(app.app.end_memberships().await.unwrap(), 1);
    assert_eq!(app.app.end_memberships().await.unwrap(), 0);
    insta::assert_json_snapshot!("members", members(&app, "blue").await);
    let trail = "{ auditEvents(first: 1) { nodes { action before after actor { ... on User { username } } } } }";
    let trail = app.admin().data(trail, json!({})).await;
    insta::assert_json_snapshot!("ended", trail["auditEvents"]["nodes"], {"[].before.user" => "[id]"});
}

#[tokio::test]
async fn an_end_is_given_by_hand_too() {
    let app = TestApp::new().await;
    let ((ada_id, ada), (boss_id, boss)) = people(&app).await;
    let blue = team(&app, "blue", &boss_id).await;
    grant(&app, &blue, "/vms", &["USE"]).await;
    let admin = app.admin();
    let input = |more: Value| {
        let mut input = json!({"team": blue, "user": ada_id, "role": "MEMBER"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        json!({ "input": input })
    };
    let past = json!({"expiresAt": "2030-01-01T12:00:00Z"});
    let mut lines = vec![told(&admin.gql(ADD, input(past.clone())).await)];
    let end = json!({"expiresAt": "2030-01-01T13:00:00Z"});
    let added = admin.data(ADD, input(end.clone())).await;
    assert_eq!(
        added["addTeamMember"]["membership"]["expiresAt"],
        "2030-01-01T13:00:00Z"
    );
    lines.push(told(&admin.gql(ADD, input(end.clone())).await));
    lines.push(told(&admin.gql(UPDATE, input(past)).await));
    // Absent keeps, null clears.
    for (change, is) in [
        (json!({}), json!("2030-01-01T13:00:00Z")),
        (
            json!({"expiresAt": "2030-01-01T12:30:00Z"}),
            json!("2030-01-01T12:30:00Z"),
        ),
        (json!({"expiresAt": null}), Value::Null),
        (end, json!("2030-01-01T13:00:00Z")),
    ] {
        let updated = admin.data(UPDATE, input(change.clone())).await;
        assert_eq!(
            updated["updateTeamMember"]["membership"]["expiresAt"], is,
            "{change}"
        );
    }
    // One that has ended is no obstacle, also before it is taken away.
    app.app.clock.advance(TimeDelta::hours(1));
    assert!(!may(&ada, "vm.use", "/vms/1").await);
    admin.data(ADD, input(json!({}))).await;
    assert!(may(&ada, "vm.use", "/vms/1").await);
    assert_eq!(app.app.end_memberships().await.unwrap(), 0);
    // The last admin stays for good.
    let input = json!({"input": {"team": blue, "user": boss_id, "role": "ADMIN", "expiresAt": "2030-02-01T00:00:00Z"}});
    lines.push(told(&boss.gql(UPDATE, input).await));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"user_[0-9a-z]{26}", "[user]");
    settings.bind(|| insta::assert_snapshot!("ends", lines.join("\n")));
}

#[tokio::test]
async fn nobody_prolongs_what_ends_by_handing_it_on() {
    let app = TestApp::new().await;
    let ((_, ada), (boss_id, _)) = people(&app).await;
    let (guest, as_guest) = app.user("guest", InstanceRole::Member).await;
    let blue = team(&app, "blue", &boss_id).await;
    grant(&app, &blue, "/vms", &["MANAGE"]).await;
    let add = |user: String| json!({"input": {"team": blue, "user": user, "expiresAt": "2030-01-01T13:00:00Z"}});
    app.admin()
        .data(ADD, add(guest.typed_id().to_string()))
        .await;
    let ask_until = async |until: Value| {
        let wish = json!({"permissions": [{"path": "/vms/1", "role": "USE"}], "justification": "x", "until": until});
        id(&ask(&ada, wish).await)
    };
    let (longer, as_long) = (
        ask_until(Value::Null).await,
        ask_until(json!("2030-01-01T13:00:00Z")).await,
    );
    insta::assert_snapshot!(told(&approve(&as_guest, &longer).await), @"FORBIDDEN -: Nobody can hand out more than they hold: you lack *.read at /vms/1 from 2030-01-01T13:00:00Z on.");
    assert_eq!(approve(&as_guest, &as_long).await["status"], "APPROVED");
}
