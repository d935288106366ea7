//! Coming in by an invitation.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{ACCEPT, CREATE, PASSWORD, SHOW, accept, invite, refusal, team, token_of, told};
use crate::support::{Client, TestApp};

const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { user { username } } }";

#[tokio::test]
async fn a_new_user_says_its_names_and_is_signed_in() {
    let app = TestApp::new().await;
    let blue = team(&app, "blue", json!([])).await;
    let input = json!({"email": "new@example.com", "role": "VIEWER", "memberships": [{"team": blue, "role": "ADMIN"}]});
    let (_, token) = invite(&app.admin(), input).await;
    let wish = json!({"token": token, "username": "newcomer", "name": "New Comer", "givenName": "New", "password": PASSWORD});
    let mut answer = accept(&app.anonymous(), wish).await;
    let secret = answer["data"]["acceptInvitation"]["secret"].take();
    insta::assert_json_snapshot!("new", answer["data"], {".acceptInvitation.session.id" => "[id]"});
    let viewer = app
        .with_key(secret.as_str().unwrap())
        .data("{ viewer { user { username } } }", json!({}))
        .await;
    assert_eq!(viewer["viewer"]["user"]["username"], "newcomer");
    let login = json!({"input": {"login": "new@example.com", "password": PASSWORD}});
    app.anonymous().data(SIGN_IN, login).await;
    let trail = "{ auditEvents(first: 6) { nodes { action actor { ... on User { username } } } } }";
    let trail = app.admin().data(trail, json!({})).await;
    insta::assert_json_snapshot!("trail", trail["auditEvents"]["nodes"]);
    // Without a name to sign in with it is the address.
    let (_, token) = invite(&app.admin(), json!({"email": "other@example.com"})).await;
    let answer = accept(
        &app.anonymous(),
        json!({"token": token, "password": PASSWORD}),
    )
    .await;
    assert_eq!(
        answer["data"]["acceptInvitation"]["user"]["username"],
        "other@example.com"
    );
}

#[tokio::test]
async fn a_user_that_exists_says_its_password_and_its_sessions_end() {
    let app = TestApp::new().await;
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let input = json!({"user": user.typed_id().to_string()});
    let mut session = Value::Null;
    for round in ["first", "second"] {
        let (_, token) = invite(&app.admin(), input.clone()).await;
        let password = format!("{PASSWORD} {round}");
        let wish = json!({"token": token, "name": round, "password": password});
        let answer = accept(&app.anonymous(), wish).await;
        let done = &answer["data"]["acceptInvitation"];
        assert_eq!(done["user"]["username"], "ada", "{answer}");
        assert_eq!(done["user"]["name"], round);
        app.anonymous()
            .data(
                SIGN_IN,
                json!({"input": {"login": "ada", "password": password}}),
            )
            .await;
        if let Some(secret) = session.as_str() {
            let gone = app
                .with_key(secret)
                .gql("{ viewer { user { id } } }", json!({}))
                .await;
            assert_eq!(gone["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        }
        session = done["secret"].clone();
    }
    // It may be signed in by another credential already, and nobody else may.
    let (_, token) = invite(&app.admin(), input).await;
    let (_, other) = app.user("other", InstanceRole::Member).await;
    let wish = json!({"token": token, "password": PASSWORD});
    assert!(told(&accept(&other, wish.clone()).await).starts_with("CONFLICT"));
    let answer = accept(&ada, wish).await;
    assert!(answer["errors"].is_null(), "{answer}");
}

#[tokio::test]
async fn whoever_is_signed_in_joins_the_teams() {
    let app = TestApp::new().await;
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let id = user.typed_id().to_string();
    let blue = team(&app, "blue", json!([{"user": id, "role": "MEMBER"}])).await;
    let red = team(&app, "red", json!([])).await;
    let gone = team(&app, "gone", json!([])).await;
    let input = json!({"email": "somebody@example.com", "role": "ADMIN",
        "memberships": [{"team": blue, "role": "ADMIN"}, {"team": red}, {"team": gone}]});
    let (_, token) = invite(&app.admin(), input).await;
    let delete = "mutation($id: ID!) { deleteTeam(input: {id: $id}) { deletedTeamId } }";
    app.admin().data(delete, json!({ "id": gone })).await;
    let (_, restricted) = app.restricted(&user, &[("/", "READ")]).await;
    let mut lines = vec![told(&accept(&restricted, json!({ "token": token })).await)];
    for more in [
        json!({"password": PASSWORD}),
        json!({"username": "x"}),
        json!({"name": "x"}),
    ] {
        let mut wish = more;
        wish["token"] = json!(token);
        lines.push(told(&accept(&ada, wish).await));
    }
    let mut answer = accept(&ada, json!({ "token": token })).await;
    let done = answer["data"]["acceptInvitation"].take();
    insta::assert_json_snapshot!("joined", done);
    let (_, token) = invite(
        &app.admin(),
        json!({"email": "x@example.com", "memberships": []}),
    )
    .await;
    lines.push(told(&accept(&ada, json!({ "token": token })).await));
    insta::assert_snapshot!("joining", lines.join("\n"));
}

#[tokio::test]
async fn what_the_inviter_does_not_hold_any_more_it_does_not_give() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let update = "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }";
    let remove = "mutation($input: RemoveTeamMemberInput!) { removeTeamMember(input: $input) { team { id } } }";
    let bad = {
        let answer = accept(
            &app.anonymous(),
            json!({"token": "ksi_nonsense", "password": PASSWORD}),
        )
        .await;
        told(&answer)
    };
    for (n, way) in ["removed", "disabled", "less", "deleted"]
        .into_iter()
        .enumerate()
    {
        let (boss, as_boss) = app.user(&format!("boss{n}"), InstanceRole::Member).await;
        let boss = boss.typed_id().to_string();
        let (_, joining) = app.user(&format!("joining{n}"), InstanceRole::Member).await;
        let other = app
            .user(&format!("second{n}"), InstanceRole::Member)
            .await
            .0
            .typed_id()
            .to_string();
        let members = json!([{"user": boss, "role": "ADMIN"}, {"user": other, "role": "ADMIN"}]);
        let blue = team(&app, &format!("blue{n}"), members).await;
        crate::users::world::grant(&app, &blue, "/models", &["USE"]).await;
        let input = json!({"email": "a@example.com", "memberships": [{"team": blue}]});
        let (_, token) = invite(&as_boss, input).await;
        app.anonymous().data(SHOW, json!({ "token": token })).await;
        match way {
            "removed" => {
                admin
                    .data(remove, json!({"input": {"team": blue, "user": boss}}))
                    .await
            }
            "disabled" => {
                admin
                    .data(update, json!({"input": {"id": boss, "enabled": false}}))
                    .await
            }
            "less" => {
                crate::users::world::grant(&app, &boss, "/models", &["NO_ACCESS"]).await;
                Value::Null
            }
            _ => {
                let delete =
                    "mutation($id: ID!) { deleteUser(input: {id: $id}) { deletedUserId } }";
                admin.data(delete, json!({ "id": boss })).await
            }
        };
        let wish = json!({"token": token, "password": PASSWORD});
        assert_eq!(told(&accept(&app.anonymous(), wish).await), bad, "{way}");
        assert_eq!(
            told(&accept(&joining, json!({ "token": token })).await),
            bad,
            "{way}"
        );
        let shown = app.anonymous().gql(SHOW, json!({ "token": token })).await;
        assert_eq!(told(&shown).replace("token", "input.token"), bad, "{way}");
    }
}

#[tokio::test]
async fn names_that_are_taken_leave_the_invitation_good() {
    let app = TestApp::new().await;
    app.user("ada", InstanceRole::Member).await;
    let (_, token) = invite(&app.admin(), json!({"email": "ada@example.com"})).await;
    let (_, other) = invite(&app.admin(), json!({"email": "new@example.com"})).await;
    let mut lines = Vec::new();
    for (token, more) in [
        (&token, json!({"username": "other"})),
        (&other, json!({"username": "ada"})),
        (&other, json!({"username": "no good"})),
        (&other, json!({"password": "short"})),
        (&other, json!({"password": null})),
    ] {
        let mut wish = json!({"token": token, "password": PASSWORD});
        for (name, value) in more.as_object().unwrap() {
            wish[name] = value.clone();
        }
        lines.push(refusal(&app.anonymous(), ACCEPT, wish).await);
    }
    insta::assert_snapshot!("names", lines.join("\n"));
    let wish = json!({"token": other, "username": "new", "password": PASSWORD});
    app.anonymous().data(ACCEPT, json!({ "input": wish })).await;
}

async fn at_once(client: Client, input: Value) -> Result<(), String> {
    let answer = accept(&client, input).await;
    match answer["errors"].is_null() {
        true => Ok(()),
        false => Err(told(&answer)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_present_a_token_at_once_one_is_accepted() {
    let app = TestApp::new().await;
    let blue = team(&app, "blue", json!([])).await;
    let (user, _) = app.user("ada", InstanceRole::Member).await;
    for input in [
        json!({"email": "new@example.com", "memberships": [{"team": blue}]}),
        json!({"user": user.typed_id().to_string()}),
    ] {
        let data = app.admin().data(CREATE, json!({ "input": input })).await;
        let token = token_of(data["createInvitation"]["link"].as_str().unwrap());
        let is_new = input["user"].is_null();
        let tasks: Vec<_> = (0..6)
            .map(|n| {
                let mut wish = json!({"token": token, "password": PASSWORD});
                if is_new {
                    wish["username"] = json!(format!("new{n}"));
                }
                tokio::spawn(at_once(app.anonymous(), wish))
            })
            .collect();
        let mut accepted = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => accepted += 1,
                Err(told) => assert!(
                    told.contains("input.token") || told.starts_with("CONFLICT"),
                    "{told}"
                ),
            }
        }
        assert_eq!(accepted, 1, "{input}");
        let again = told(
            &accept(
                &app.anonymous(),
                json!({"token": token, "password": PASSWORD}),
            )
            .await,
        );
        assert!(again.starts_with("NOT_FOUND input.token"), "{again}");
    }
}
