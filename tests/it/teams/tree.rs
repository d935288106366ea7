//! The tree of teams: no cycles, not too deep, and only what one may see of it.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::world::{UPDATE, add, team};
use crate::support::TestApp;

#[tokio::test]
async fn a_team_never_lies_below_itself() {
    let app = TestApp::new().await;
    let a = team(&app, "a", None).await;
    let b = team(&app, "b", Some(&a)).await;
    let c = team(&app, "c", Some(&b)).await;
    for parent in [&a, &b, &c] {
        let refused = app
            .admin()
            .error(UPDATE, json!({"input": {"id": a, "parent": parent}}))
            .await;
        assert_eq!(
            refused,
            (
                "CONFLICT".into(),
                "input.parent".into(),
                "The team 'a' cannot lie below itself. Choose a parent that is not one of the teams below it.".into()
            )
        );
    }
    let moved = app
        .admin()
        .data(UPDATE, json!({"input": {"id": c, "parent": a}}))
        .await;
    assert_eq!(moved["updateTeam"]["team"]["parent"]["slug"], json!("a"));
    app.admin()
        .data(UPDATE, json!({"input": {"id": b, "parent": c}}))
        .await;
}

#[tokio::test]
async fn teams_nest_sixteen_deep_and_no_deeper() {
    let app = TestApp::new().await;
    let mut chain: Vec<String> = Vec::new();
    for level in 1..=16 {
        let parent = chain.last().map(String::as_str);
        chain.push(team(&app, &format!("level-{level}"), parent).await);
    }
    let too_deep =
        "Teams nest at most 16 deep. Here it would be 17. Choose a parent that lies higher.";
    let refused = app
        .admin()
        .error(
            "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }",
            json!({"input": {"slug": "level-17", "name": "x", "parent": chain[15]}}),
        )
        .await;
    assert_eq!(
        refused,
        ("CONFLICT".into(), "input.parent".into(), too_deep.into())
    );
    // A subtree of two levels fits below the fourteenth and not below the fifteenth.
    let two = team(&app, "two", None).await;
    team(&app, "leaf", Some(&two)).await;
    let refused = app
        .admin()
        .error(UPDATE, json!({"input": {"id": two, "parent": chain[14]}}))
        .await;
    assert_eq!(
        refused,
        ("CONFLICT".into(), "input.parent".into(), too_deep.into())
    );
    app.admin()
        .data(UPDATE, json!({"input": {"id": two, "parent": chain[13]}}))
        .await;
}

#[tokio::test]
async fn one_sees_of_the_tree_what_one_may_read() {
    let app = TestApp::new().await;
    let (ada, as_ada) = app.user("ada", InstanceRole::Member).await;
    let top = team(&app, "top", None).await;
    let own = team(&app, "own", Some(&top)).await;
    let below = team(&app, "below", Some(&own)).await;
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let beside = team(&app, "beside", Some(&own)).await;
    add(&app, &own, &ada, "MEMBER").await;
    add(&app, &beside, &ada, "MEMBER").await;
    let document = "query($top: ID!, $own: ID!, $below: ID!) {
        top: team(by: {id: $top}) { slug } below: node(id: $below) { id }
        own: team(by: {id: $own}) { slug parent { slug } children { totalCount nodes { slug } } }
        bySlug: team(by: {slug: \"top\"}) { slug }
        teams { totalCount nodes { slug } } ofTop: teams(filter: {parent: $top}) { totalCount }
        user(by: {username: \"ada\"}) { teams { totalCount nodes { slug } } } }";
    let variables = json!({"top": top, "own": own, "below": below});
    insta::assert_json_snapshot!(as_ada.gql(document, variables.clone()).await);
    let all = app.admin().data(document, variables).await;
    assert_eq!(all["own"]["parent"]["slug"], json!("top"));
    assert_eq!(all["own"]["children"]["totalCount"], json!(2));
    assert_ne!(all["below"], Value::Null);
    let nobody = app
        .anonymous()
        .gql("{ teams { totalCount } }", json!({}))
        .await;
    assert_eq!(
        nobody["errors"][0]["extensions"]["code"],
        json!("UNAUTHENTICATED")
    );
}
