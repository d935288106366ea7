//! `createTeam`, and `createUser` with memberships.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{self, add, grant, id, members, team, trail};
use crate::support::TestApp;

const CREATE: &str = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team {
    id slug name description parent { slug } enabled metadata createdAt updatedAt
    children { totalCount nodes { slug } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
    members { totalCount edges { role since node { role since team { slug } user { username } } } nodes { role } } } } }";

#[tokio::test]
async fn a_team_is_made_with_all_its_fields() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let (bob, _) = app.user("bob", InstanceRole::Member).await;
    let parent = team(&app, "research", None).await;
    let input = json!({
        "slug": "Vision-2_a.b", "name": "Vision", "description": "Sees\nthings.", "parent": parent, "metadata": {"a": [1, {"b": null}]},
        "members": [{"user": ada.typed_id().to_string(), "role": "ADMIN"}, {"user": bob.typed_id().to_string()}]});
    let mut answer = app.admin().gql(CREATE, json!({"input": input})).await;
    let made = id(&answer["data"]["createTeam"]["team"]);
    answer["data"]["createTeam"]["team"]["id"] = "[id]".into();
    insta::assert_json_snapshot!(answer);
    insta::assert_json_snapshot!(trail(&app, &made).await, {
        "[].after.user" => "[user]", "[].after.parent" => "[parent]"
    });
}

#[tokio::test]
async fn the_actor_is_its_admin_unless_members_are_given() {
    let app = TestApp::new().await;
    let answer = app
        .admin()
        .data(
            CREATE,
            json!({"input": {"slug": "platform", "name": "Platform"}}),
        )
        .await;
    let made = id(&answer["createTeam"]["team"]);
    assert_eq!(members(&app.admin(), &made).await, ["admin ADMIN"]);
    let answer = app
        .admin()
        .data(
            CREATE,
            json!({"input": {"slug": "empty", "name": "Empty", "members": []}}),
        )
        .await;
    assert_eq!(
        answer["createTeam"]["team"]["members"]["totalCount"],
        json!(0)
    );
}

#[tokio::test]
async fn each_input_has_its_rule() {
    let app = TestApp::new().await;
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let ada = ada.typed_id().to_string();
    let unknown = "user_7zzzzzzzzzzzzzzzzzzzzzzzzz";
    let unknown_team = "team_7zzzzzzzzzzzzzzzzzzzzzzzzz";
    let deep = |levels: usize| {
        let mut value = json!(1);
        for _ in 0..levels {
            value = json!({ "a": value });
        }
        value
    };
    let many: Vec<Value> = (0..101).map(|_| json!({"user": ada})).collect();
    let cases = [
        json!({"slug": ""}),
        json!({"slug": "a".repeat(65)}),
        json!({"slug": "has space"}),
        json!({"slug": "slash/ed"}),
        json!({"slug": "ünicode"}),
        json!({"slug": "a\u{202e}b"}),
        json!({"slug": "nul\u{0}"}),
        json!({"name": ""}),
        json!({"name": " \t "}),
        json!({"name": "n".repeat(201)}),
        json!({"name": "zero\u{200b}width"}),
        json!({"name": "line\nbreak"}),
        json!({"description": ""}),
        json!({"description": "d".repeat(2001)}),
        json!({"parent": ""}),
        json!({"parent": ada}),
        json!({"parent": unknown_team}),
        json!({"metadata": [1]}),
        json!({"metadata": deep(18)}),
        json!({"metadata": {"a": "x".repeat(17_000)}}),
        json!({"metadata": {"a": "\u{0}"}}),
        json!({"members": [{"user": unknown}]}),
        json!({"members": [{"user": unknown_team}]}),
        json!({"members": [{"user": ada}, {"user": ada, "role": "ADMIN"}]}),
        json!({"members": many}),
    ];
    let mut found = Vec::new();
    for case in cases {
        let mut input = json!({"slug": "t", "name": "T"});
        for (name, value) in case.as_object().unwrap() {
            input[name] = value.clone();
        }
        let (code, field, message) = app.admin().error(CREATE, json!({ "input": input })).await;
        found.push(format!("{code} {field}: {message}").replace(&ada, "[ada]"));
    }
    insta::assert_json_snapshot!(found);
    let left = app
        .admin()
        .data("{ teams { totalCount } }", json!({}))
        .await;
    assert_eq!(left["teams"]["totalCount"], json!(0));
}

#[tokio::test]
async fn slugs_are_unique_without_regard_to_case() {
    let app = TestApp::new().await;
    team(&app, "platform", None).await;
    let taken = app
        .admin()
        .error(CREATE, json!({"input": {"slug": "PlatForm", "name": "x"}}))
        .await;
    assert_eq!(
        taken,
        (
            "ALREADY_EXISTS".into(),
            "input.slug".into(),
            "There is a team with the slug 'PlatForm' already. Choose another.".into()
        )
    );
    let found = app
        .admin()
        .data(
            "{ team(by: {slug: \"PLATFORM\"}) { slug } none: team(by: {slug: \"plat\"}) { slug } }",
            json!({}),
        )
        .await;
    assert_eq!(found, json!({"team": {"slug": "platform"}, "none": null}));
}

#[tokio::test]
async fn making_a_team_needs_the_right_to_and_another_at_the_parent() {
    let app = TestApp::new().await;
    let (ada, member) = app.user("ada", InstanceRole::Member).await;
    let (_, auditor) = app.user("eve", InstanceRole::Auditor).await;
    let input =
        |parent: Option<&str>| json!({"input": {"slug": "t", "name": "T", "parent": parent}});
    let (code, ..) = app.anonymous().error(CREATE, input(None)).await;
    assert_eq!(code, "UNAUTHENTICATED");
    for client in [&member, &auditor] {
        let (code, _, message) = client.error(CREATE, input(None)).await;
        assert_eq!(
            (code.as_str(), message.as_str()),
            (
                "FORBIDDEN",
                "This needs the privilege team.write at /teams, which you do not hold."
            )
        );
    }

    // With team.write where teams are made, but nothing at the parent: it is not there for ada.
    let ada = ada.typed_id().to_string();
    app.admin()
        .data(
            "mutation { createRole(input: {name: \"MAKER\", privileges: [\"team.write\"]}) { role { name } } }",
            json!({}),
        )
        .await;
    let input_of_grant = json!({"principal": ada, "path": "/teams", "roles": [{"role": "MAKER", "propagate": false}]});
    app.admin()
        .data(
            "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { added } }",
            json!({"input": input_of_grant}),
        )
        .await;
    let parent = team(&app, "parent", None).await;
    let (code, field, _) = member.error(CREATE, input(Some(&parent))).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("NOT_FOUND", "input.parent")
    );
    grant(&app, &ada, &format!("/teams/{parent}"), &["READ"]).await;
    let (code, _, message) = member.error(CREATE, input(Some(&parent))).await;
    assert_eq!(code, "FORBIDDEN", "{message}");
    let made = member.data(CREATE, input(None)).await;
    assert_eq!(
        made["createTeam"]["team"]["members"]["edges"][0]["role"],
        json!("ADMIN")
    );
}

#[tokio::test]
async fn members_gain_no_more_from_the_parent_than_the_actor_holds() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let ada = ada.typed_id().to_string();
    let parent = team(&app, "parent", None).await;
    grant(&app, &parent, "/models", &["USE"]).await;
    grant(&app, &ada, "/teams", &["MANAGE"]).await;
    let input = json!({"input": {"slug": "child", "name": "Child", "parent": parent}});
    let (code, _, message) = as_ada.error(CREATE, input.clone()).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "FORBIDDEN",
            "Nobody can hand out more than they hold: you lack *.read at /models."
        )
    );
    grant(&app, &ada, "/models", &["USE"]).await;
    as_ada.data(CREATE, input).await;
}

const CREATE_USER: &str =
    "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id username
    memberships { totalCount edges { role node { team { slug } } } } } } }";

#[tokio::test]
async fn a_user_is_made_together_with_its_memberships() {
    let app = TestApp::new().await;
    let one = team(&app, "one", None).await;
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let two = team(&app, "two", None).await;
    let input =
        json!({"username": "ada", "memberships": [{"team": one, "role": "ADMIN"}, {"team": two}]});
    let mut answer = app.admin().gql(CREATE_USER, json!({"input": input})).await;
    answer["data"]["createUser"]["user"]["id"] = "[id]".into();
    insta::assert_json_snapshot!(answer);
    assert_eq!(members(&app.admin(), &one).await, ["ada ADMIN"]);
    assert_eq!(trail(&app, &one).await.len(), 2);
}

#[tokio::test]
async fn a_user_is_not_made_without_its_memberships() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let own = team(&app, "own", None).await;
    let other = team(&app, "other", None).await;
    add(&app, &own, &ada, "ADMIN").await;
    grant(&app, &ada.typed_id().to_string(), "/users", &["MANAGE"]).await;
    grant(&app, &other, "/models", &["USE"]).await;
    let try_one = async |teams: Value| {
        let input = json!({"username": "new", "memberships": teams});
        as_ada.error(CREATE_USER, json!({"input": input})).await
    };
    let unknown = "team_7zzzzzzzzzzzzzzzzzzzzzzzzz";
    let mut found = vec![
        try_one(json!([{"team": other}])).await,
        try_one(json!([{"team": unknown}])).await,
        try_one(json!([{"team": ada.typed_id().to_string()}])).await,
        try_one(json!([{"team": own}, {"team": own, "role": "ADMIN"}])).await,
        try_one(json!([{"team": own, "role": "OWNER"}])).await,
    ];
    add(&app, &other, &ada, "ADMIN").await;
    grant(&app, &ada.typed_id().to_string(), "/models", &["NO_ACCESS"]).await;
    found.push(try_one(json!([{"team": other}])).await);
    let input = json!({"username": "new", "memberships": [{"team": own}, {"team": unknown}]});
    found.push(
        app.admin()
            .error(CREATE_USER, json!({"input": input}))
            .await,
    );
    let found: Vec<String> = found
        .into_iter()
        .map(|(code, field, message)| {
            format!("{code} {field}: {message}")
                .replace(&own, "[own]")
                .replace(&other, "[other]")
                .replace(&ada.typed_id().to_string(), "[ada]")
        })
        .collect();
    insta::assert_json_snapshot!(found);
    let none = app
        .admin()
        .data("{ user(by: {username: \"new\"}) { id } }", json!({}))
        .await;
    assert_eq!(none["user"], Value::Null);
    let made = as_ada
        .data(
            CREATE_USER,
            json!({"input": {"username": "new", "memberships": [{"team": own}]}}),
        )
        .await;
    assert_eq!(
        made["createUser"]["user"]["memberships"]["totalCount"],
        json!(1)
    );
    assert_eq!(
        world::members(&as_ada, &own).await,
        ["ada ADMIN", "new MEMBER"]
    );
}
