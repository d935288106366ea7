//! Two changes of users at once.

use keystead::permissions::model::InstanceRole;
use serde_json::json;
use tokio::join;

use super::world::code;
use crate::support::TestApp;

const CREATE: &str =
    "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";
const UPDATE: &str =
    "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }";
const DELETE: &str =
    "mutation($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }";

#[tokio::test]
async fn of_two_users_with_one_name_or_address_one_is_made() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for round in 0..5 {
        let one = json!({"input": {"username": format!("ada{round}")}});
        let two = json!({"input": {"username": format!("ADA{round}")}});
        let (one, two) = join!(admin.gql(CREATE, one), admin.gql(CREATE, two));
        let mut codes = [code(&one), code(&two)];
        codes.sort_unstable();
        assert_eq!(codes, ["ALREADY_EXISTS", "ok"], "round {round}");
        let one = json!({"input": {"username": format!("x{round}"), "email": format!("x{round}@example.com")}});
        let two = json!({"input": {"username": format!("y{round}"), "email": format!("X{round}@example.com")}});
        let (one, two) = join!(admin.gql(CREATE, one), admin.gql(CREATE, two));
        let mut codes = [code(&one), code(&two)];
        codes.sort_unstable();
        assert_eq!(codes, ["ALREADY_EXISTS", "ok"], "round {round}");
    }
}

#[tokio::test]
async fn of_two_users_who_take_one_name_one_gets_it() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let admin = app.admin();
    for round in 0..5 {
        let named = |user: &keystead::users::model::User| json!({"input": {"id": user.typed_id().to_string(), "username": format!("name{round}")}});
        let (one, two) = join!(
            admin.gql(UPDATE, named(&ada)),
            admin.gql(UPDATE, named(&bob))
        );
        let mut codes = [code(&one), code(&two)];
        codes.sort_unstable();
        assert_eq!(codes, ["ALREADY_EXISTS", "ok"], "round {round}");
    }
}

#[tokio::test]
async fn two_administrators_do_not_leave_together() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let found = admin
        .data("{ user(by: {username: \"admin\"}) { id } }", json!({}))
        .await;
    let first = found["user"]["id"].as_str().unwrap().to_owned();
    let demote = |id: &str| json!({"input": {"id": id, "role": "MEMBER"}});
    let disable = |id: &str| json!({"input": {"id": id, "enabled": false}});
    let mut admins = (first, admin);
    for round in 0..4 {
        let (other, as_other) = app
            .user(&format!("other{round}"), InstanceRole::Admin)
            .await;
        let other = other.typed_id().to_string();
        // Each takes the other away.
        let (one, two) = match round {
            0 => join!(
                admins.1.gql(UPDATE, demote(&other)),
                as_other.gql(UPDATE, demote(&admins.0))
            ),
            1 => join!(
                admins.1.gql(UPDATE, disable(&other)),
                as_other.gql(UPDATE, demote(&admins.0))
            ),
            2 => join!(
                admins.1.gql(DELETE, json!({"input": {"id": other}})),
                as_other.gql(UPDATE, disable(&admins.0))
            ),
            _ => join!(
                admins.1.gql(DELETE, json!({"input": {"id": other}})),
                as_other.gql(DELETE, json!({"input": {"id": admins.0}}))
            ),
        };
        let codes = [code(&one), code(&two)];
        // The other is refused: because nobody would be left, or because it is no administrator any more.
        let succeeded = codes.iter().filter(|code| **code == "ok").count();
        assert_eq!(succeeded, 1, "round {round}: {one} {two}");
        if codes[0] != "ok" {
            admins = (other, as_other);
        }
        let left = admins
            .1
            .data(
                "{ users(filter: {role: ADMIN, enabled: true}) { totalCount } }",
                json!({}),
            )
            .await;
        assert_eq!(left["users"]["totalCount"], json!(1), "round {round}");
    }
}
