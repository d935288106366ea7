//! `addTeamMember`, `updateTeamMember`, `removeTeamMember`.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::world::{ADD, REMOVE, UPDATE_MEMBER, add, grant, member, members, team, trail};
use crate::support::TestApp;

#[tokio::test]
async fn a_member_is_added_changed_and_removed() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let team = team(&app, "platform", None).await;
    let admin = app.admin();
    let mut answers = vec![
        admin
            .gql(ADD, json!({"input": member(&team, &ada, "MEMBER")}))
            .await,
    ];
    app.app.clock.advance(chrono::TimeDelta::hours(1));
    for role in ["ADMIN", "ADMIN"] {
        answers.push(
            admin
                .gql(UPDATE_MEMBER, json!({"input": member(&team, &ada, role)}))
                .await,
        );
    }
    let mut input = member(&team, &ada, "");
    input.as_object_mut().unwrap().remove("role");
    input["allowTeamsWithoutAdmin"] = true.into();
    answers.push(admin.gql(REMOVE, json!({ "input": input })).await);
    insta::assert_json_snapshot!(answers);
    assert!(members(&admin, &team).await.is_empty());
    insta::assert_json_snapshot!(trail(&app, &team).await, {
        "[].after.user" => "[user]", "[].before.user" => "[user]"
    });
}

#[tokio::test]
async fn who_belongs_already_is_not_added_and_who_does_not_is_not_changed() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let team = team(&app, "platform", None).await;
    add(&app, &team, &ada, "MEMBER").await;
    let admin = app.admin();
    let unknown_user = json!({"team": team, "user": "user_7zzzzzzzzzzzzzzzzzzzzzzzzz"});
    let unknown_team =
        json!({"team": "team_7zzzzzzzzzzzzzzzzzzzzzzzzz", "user": ada.typed_id().to_string()});
    let swapped = json!({"team": ada.typed_id().to_string(), "user": team});
    let empty = json!({"team": "", "user": ""});
    let with_role = |input: &serde_json::Value| {
        let mut input = input.clone();
        input["role"] = "ADMIN".into();
        json!({ "input": input })
    };
    let mut found = vec![
        admin
            .error(ADD, json!({"input": member(&team, &ada, "ADMIN")}))
            .await,
        admin
            .error(
                UPDATE_MEMBER,
                json!({"input": member(&team, &bob, "ADMIN")}),
            )
            .await,
    ];
    for input in [&unknown_user, &unknown_team, &swapped, &empty] {
        found.push(admin.error(ADD, with_role(input)).await);
        found.push(admin.error(UPDATE_MEMBER, with_role(input)).await);
        found.push(admin.error(REMOVE, json!({ "input": input })).await);
    }
    let null = json!({"input": {"team": team, "user": bob.typed_id().to_string(), "role": null}});
    found.push(admin.error(ADD, null.clone()).await);
    found.push(admin.error(UPDATE_MEMBER, null).await);
    let found: Vec<String> = found
        .into_iter()
        .map(|(code, field, message)| {
            format!("{code} {field}: {message}")
                .replace(&team, "[team]")
                .replace(&ada.typed_id().to_string(), "[ada]")
                .replace(&bob.typed_id().to_string(), "[bob]")
        })
        .collect();
    insta::assert_json_snapshot!(found);
    assert_eq!(members(&admin, &team).await, ["ada MEMBER"]);
}

#[tokio::test]
async fn only_who_may_write_the_team_says_who_belongs_to_it() {
    let app = TestApp::new().await;
    let (ada, as_member) = app.user("ada", InstanceRole::Member).await;
    let (bob, as_admin) = app.user("bob", InstanceRole::Member).await;
    let (cid, _) = app.user("cid", InstanceRole::Member).await;
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    let (_, stranger) = app.user("fay", InstanceRole::Member).await;
    let team = team(&app, "platform", None).await;
    add(&app, &team, &ada, "MEMBER").await;
    add(&app, &team, &bob, "ADMIN").await;
    let adding = json!({"input": member(&team, &cid, "MEMBER")});
    let promoting = json!({"input": member(&team, &ada, "ADMIN")});
    let removing = json!({"input": {"team": team, "user": bob.typed_id().to_string()}});
    for (client, expected) in [
        (app.anonymous(), "UNAUTHENTICATED"),
        (stranger, "NOT_FOUND"),
        (auditor, "FORBIDDEN"),
        (as_member, "FORBIDDEN"),
    ] {
        for (document, input) in [
            (ADD, &adding),
            (UPDATE_MEMBER, &promoting),
            (REMOVE, &removing),
        ] {
            let (code, _, message) = client.error(document, input.clone()).await;
            assert_eq!(code, expected, "{message}");
        }
    }
    // Whom a team's admin does not see it cannot add: cid is in none of its teams.
    let (code, field, _) = as_admin.error(ADD, adding.clone()).await;
    assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.user"));
    grant(
        &app,
        &bob.typed_id().to_string(),
        &format!("/users/{}", cid.typed_id()),
        &["READ"],
    )
    .await;
    as_admin.data(ADD, adding).await;
    as_admin.data(UPDATE_MEMBER, promoting).await;
    assert_eq!(
        members(&as_admin, &team).await,
        ["ada ADMIN", "bob ADMIN", "cid MEMBER"]
    );
}
