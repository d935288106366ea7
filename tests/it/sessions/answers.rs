//! What whoever has just signed in is answered: what that user sees.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{PASSWORD, user};
use crate::support::{TestApp, told};

const USER: &str =
    "user { username memberships { nodes { role team { slug } } } apiKeys { totalCount } }";

/// Ada and Bob, each in a team of its own.
async fn app() -> TestApp {
    let app = TestApp::new().await;
    for name in ["ada", "bob"] {
        let id = user(&app, name, InstanceRole::Member).await.typed_id();
        let team =
            json!({"input": {"slug": format!("of-{name}"), "members": [{"user": id.to_string()}]}});
        let create =
            "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
        app.admin().data(create, team).await;
    }
    app
}

async fn ask(app: &TestApp, document: &str) -> Value {
    let variables = json!({"password": PASSWORD});
    app.anonymous().gql(document, variables).await
}

#[tokio::test]
async fn who_signs_in_sees_its_own_in_the_answer() {
    let app = app().await;
    let document = format!(
        "mutation($password: String!) {{
            ada: signIn(input: {{login: \"ada\", password: $password}}) {{ {USER} }}
            bob: signIn(input: {{login: \"bob\", password: $password}}) {{ {USER} }}
        }}"
    );
    let answer = ask(&app, &document).await;
    let own = |name: &str| {
        json!({"user": {"username": name, "apiKeys": {"totalCount": 1},
            "memberships": {"nodes": [{"role": "MEMBER", "team": {"slug": format!("of-{name}")}}]}}})
    };
    assert_eq!(
        answer["data"],
        json!({"ada": own("ada"), "bob": own("bob")})
    );
}

#[tokio::test]
async fn what_stands_beside_it_is_still_asked_by_who_has_sent_the_request() {
    let app = app().await;
    let document = "mutation($password: String!) {
        signIn(input: {login: \"ada\", password: $password}) { user { username } }
        updateUser(input: {id: \"user_00000000000000000000000000\", name: \"Eve\"}) { user { username } }
    }";
    let answer = ask(&app, document).await;
    insta::assert_snapshot!(told(&answer), @"UNAUTHENTICATED -: This needs a credential. Send an API key in the header 'Authorization: Bearer ks_…'.");
}

#[tokio::test]
async fn who_must_set_up_a_second_factor_sees_nothing_more_than_nobody() {
    let app = app().await;
    let require =
        "mutation { updatePolicy(input: {signIn: {secondFactorRoles: [MEMBER]}}) { changed } }";
    app.admin().data(require, json!({})).await;
    let document =
        "mutation($password: String!) { signIn(input: {login: \"ada\", password: $password}) {
        mustEnrolSecondFactor user { username memberships { nodes { role } } } } }";
    let answer = ask(&app, document).await;
    let seen = json!({"signIn": {"mustEnrolSecondFactor": true, "user": {"username": "ada", "memberships": {"nodes": []}}}});
    assert_eq!(answer["data"], seen, "{answer}");
}
