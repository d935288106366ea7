//! Two changes at once.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};
use tokio::join;

use super::world::{ADD, DELETE, REMOVE, UPDATE, UPDATE_MEMBER, add, member, members, team};
use crate::support::TestApp;

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("ok")
}

#[tokio::test]
async fn of_two_additions_one_succeeds() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let id = team(&app, "team", None).await;
    let admin = app.admin();
    for round in 0..5 {
        let add = |role: &str| admin.gql(ADD, json!({"input": member(&id, &ada, role)}));
        let (one, two) = (add("MEMBER"), add("ADMIN"));
        let (one, two) = join!(one, two);
        let mut codes = [code(&one), code(&two)];
        codes.sort_unstable();
        assert_eq!(codes, ["ALREADY_EXISTS", "ok"], "round {round}");
        let input =
            json!({"team": id, "user": ada.typed_id().to_string(), "allowTeamsWithoutAdmin": true});
        admin.data(REMOVE, json!({ "input": input })).await;
    }
}

#[tokio::test]
async fn of_two_teams_with_one_slug_one_is_made() {
    let app = TestApp::new().await;
    let make = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let admin = app.admin();
    for round in 0..5 {
        let one = json!({"input": {"slug": format!("team-{round}"), "name": "x"}});
        let two = json!({"input": {"slug": format!("TEAM-{round}"), "name": "x"}});
        let (one, two) = join!(admin.gql(make, one), admin.gql(make, two));
        let mut codes = [code(&one), code(&two)];
        codes.sort_unstable();
        assert_eq!(codes, ["ALREADY_EXISTS", "ok"], "round {round}");
    }
}

#[tokio::test]
async fn two_moves_make_no_cycle() {
    let app = TestApp::new().await;
    let a = team(&app, "a", None).await;
    let b = team(&app, "b", None).await;
    let admin = app.admin();
    for round in 0..5 {
        let under = |id: &str, parent: Option<&str>| json!({"input": {"id": id, "parent": parent}});
        let (one, two) = join!(
            admin.gql(UPDATE, under(&a, Some(&b))),
            admin.gql(UPDATE, under(&b, Some(&a)))
        );
        let mut codes = [code(&one), code(&two)];
        codes.sort_unstable();
        assert_eq!(codes, ["CONFLICT", "ok"], "round {round}");
        for id in [&a, &b] {
            admin.data(UPDATE, under(id, None)).await;
        }
    }
}

#[tokio::test]
async fn two_admins_do_not_leave_together() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let id = team(&app, "team", None).await;
    let admin = app.admin();
    let delete =
        "mutation($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }";
    let disable =
        "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { enabled } } }";
    let of_bob = json!({"input": {"id": bob.typed_id().to_string(), "enabled": false}});
    for (round, document) in [UPDATE_MEMBER, REMOVE, disable, delete]
        .into_iter()
        .enumerate()
    {
        if round == 0 {
            add(&app, &id, &ada, "ADMIN").await;
            add(&app, &id, &bob, "ADMIN").await;
        }
        let of_ada = match document {
            UPDATE_MEMBER => json!({"input": member(&id, &ada, "MEMBER")}),
            REMOVE => json!({"input": {"team": id, "user": ada.typed_id().to_string()}}),
            _ if document == delete => json!({"input": {"id": ada.typed_id().to_string()}}),
            _ => json!({"input": {"id": ada.typed_id().to_string(), "enabled": false}}),
        };
        let (one, two) = join!(
            admin.gql(document, of_ada),
            admin.gql(disable, of_bob.clone())
        );
        let mut codes = [code(&one), code(&two)];
        codes.sort_unstable();
        assert_eq!(codes, ["CONFLICT", "ok"], "round {round}: {one} {two}");
        // Back to two admins who can act.
        for user in [&ada, &bob] {
            let enable = json!({"input": {"id": user.typed_id().to_string(), "enabled": true}});
            admin.gql(disable, enable).await;
            admin
                .gql(ADD, json!({"input": member(&id, user, "ADMIN")}))
                .await;
            admin
                .gql(UPDATE_MEMBER, json!({"input": member(&id, user, "ADMIN")}))
                .await;
        }
    }
}

#[tokio::test]
async fn a_team_is_not_deleted_from_under_a_new_child_or_member() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let make = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    for round in 0..5 {
        let id = team(&app, &format!("team-{round}"), None).await;
        let child = json!({"input": {"slug": format!("child-{round}"), "name": "x", "parent": id}});
        let (made, deleted, added) = join!(
            admin.gql(make, child),
            admin.gql(DELETE, json!({"input": {"id": id}})),
            admin.gql(ADD, json!({"input": member(&id, &ada, "MEMBER")})),
        );
        match (code(&made), code(&deleted)) {
            ("ok", "CONFLICT") => {
                assert_eq!(code(&added), "ok", "{added}");
                assert_eq!(members(&admin, &id).await, ["ada MEMBER"]);
            }
            ("NOT_FOUND", "ok") => assert!(["ok", "NOT_FOUND"].contains(&code(&added)), "{added}"),
            other => panic!("round {round}: {other:?}"),
        }
    }
}
