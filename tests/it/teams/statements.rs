//! How many statements each operation sends: one per level of a read; a changing one also BEGIN and COMMIT.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{ADD, DELETE, add, grant, member, team};
use crate::support::{Client, TestApp};

/// Statements of one request, without those that find out who is calling.
async fn count(client: &Client, app: &TestApp, document: &str, variables: Value) -> u64 {
    let sent = async |document: &str, variables: Value| {
        let before = app.app.db.statements();
        client.data(document, variables).await;
        app.app.db.statements() - before
    };
    sent("{ __typename }", json!({})).await;
    let to_sign_in = sent("{ __typename }", json!({})).await;
    sent(document, variables).await - to_sign_in
}

#[tokio::test]
async fn a_read_costs_one_statement_a_level() {
    let app = TestApp::new().await;
    let top = team(&app, "top", None).await;
    let mut last = (top.clone(), None);
    for number in 0..6 {
        let (user, client) = app.user(&format!("u{number}"), InstanceRole::Member).await;
        let child = team(&app, &format!("child-{number}"), Some(&top)).await;
        for team in [&top, &child, &last.0] {
            app.admin()
                .gql(ADD, json!({"input": member(team, &user, "MEMBER")}))
                .await;
        }
        last = (child, Some((user, client)));
    }
    let (user, as_member) = last.1.unwrap();
    let cases = [
        (
            "query($team: ID!, $user: ID!) { team(by: {id: $team}) { slug } u: __typename }",
            1,
        ),
        ("{ team(by: {slug: \"top\"}) { slug } }", 1),
        ("{ teams { nodes { slug } } }", 1),
        ("{ teams { totalCount nodes { slug } } }", 2),
        ("{ teams { nodes { parent { slug } } } }", 2),
        (
            "{ teams { nodes { children(first: 5) { nodes { slug } } } } }",
            2,
        ),
        (
            "{ teams { nodes { children(first: 5) { totalCount nodes { slug } } } } }",
            3,
        ),
        (
            "{ teams { nodes { members(first: 5) { edges { role since } } } } }",
            2,
        ),
        (
            "{ teams { nodes { members(first: 5) { nodes { user { username } } } } } }",
            3,
        ),
        (
            "{ users { nodes { teams(first: 5) { nodes { slug } } } } }",
            2,
        ),
        (
            "{ users { nodes { memberships(first: 5) { edges { role node { team { slug } } } } } } }",
            3,
        ),
        (
            "{ users { nodes { teams(first: 5) { totalCount nodes { members(first: 3) { nodes { user { name } } } } } } } }",
            5,
        ),
    ];
    for (document, expected) in cases {
        let document = document.replace("query($team: ID!, $user: ID!)", "query($team: ID!)");
        let variables = if document.contains("$team") {
            json!({ "team": top })
        } else {
            json!({})
        };
        for client in [&app.admin(), &as_member] {
            let sent = count(client, &app, &document, variables.clone()).await;
            assert_eq!(sent, expected, "{document}");
        }
    }
    // Whom a member sees through a team is asked once.
    let one = "query($user: ID!) { user(by: {id: $user}) { teams { nodes { slug } } } }";
    let id = json!({"user": user.typed_id().to_string()});
    assert_eq!(count(&app.admin(), &app, one, id.clone()).await, 2);
    assert_eq!(count(&as_member, &app, one, id).await, 2);
}

#[tokio::test]
async fn a_change_is_one_transaction_of_few_statements() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let (who, manager) = app.user("manager", InstanceRole::Member).await;
    let who = who.typed_id().to_string();
    for path in ["/teams", "/users"] {
        grant(&app, &who, path, &["MANAGE"]).await;
    }
    let parent = team(&app, "parent", None).await;
    let make = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { slug } } }";
    let remove = "mutation($input: RemoveTeamMemberInput!) { removeTeamMember(input: $input) { team { slug } } }";
    let add_member = "mutation($input: AddTeamMemberInput!) { addTeamMember(input: $input) { membership { role } } }";
    let change = "mutation($input: UpdateTeamMemberInput!) { updateTeamMember(input: $input) { membership { role } } }";
    let update =
        "mutation($input: UpdateTeamInput!) { updateTeam(input: $input) { team { slug } } }";
    let make_user =
        "mutation($input: CreateUserInput!) { createUser(input: $input) { user { username } } }";
    let mut found = Vec::new();
    for (name, client) in [("administrator", app.admin()), ("manager", manager)] {
        let id = team(&app, &format!("team-{name}"), None).await;
        let boss = app
            .user(&format!("boss-{name}"), InstanceRole::Member)
            .await
            .0;
        add(&app, &id, &boss, "ADMIN").await;
        let leaving = json!({"team": id, "user": ada.typed_id().to_string()});
        let cases = [
            ("createTeam", make, json!({"slug": name, "name": "x"})),
            (
                "createTeam with a member",
                make,
                json!({"slug": format!("{name}-1"), "name": "x", "members": [{"user": ada.typed_id().to_string()}]}),
            ),
            (
                "createTeam below another",
                make,
                json!({"slug": format!("{name}-2"), "name": "x", "parent": parent}),
            ),
            (
                "createUser with a membership",
                make_user,
                json!({"username": format!("new-{name}"), "memberships": [{"team": id}]}),
            ),
            ("addTeamMember", add_member, member(&id, &ada, "MEMBER")),
            ("updateTeamMember up", change, member(&id, &ada, "ADMIN")),
            (
                "updateTeamMember not at all",
                change,
                member(&id, &ada, "ADMIN"),
            ),
            ("updateTeamMember down", change, member(&id, &ada, "MEMBER")),
            ("updateTeam name", update, json!({"id": id, "name": "y"})),
            (
                "updateTeam parent",
                update,
                json!({"id": id, "parent": parent}),
            ),
            (
                "updateTeam enabled",
                update,
                json!({"id": id, "enabled": false}),
            ),
            ("removeTeamMember", remove, leaving),
            ("deleteTeam", DELETE, json!({"id": id})),
        ];
        for (case, document, input) in cases {
            let sent = async {
                let before = app.app.db.statements();
                client.data(document, json!({ "input": input })).await;
                let all = app.app.db.statements() - before;
                let before = app.app.db.statements();
                client.data("{ __typename }", json!({})).await;
                all - (app.app.db.statements() - before)
            }
            .await;
            found.push(format!("{case}, by the {name}: {sent}"));
        }
    }
    insta::assert_json_snapshot!(found);
}
