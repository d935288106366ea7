//! Whose instance role must have a second factor.

use keystead::ctx::Policy;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{ask, client, code, set_up, sign_in, signed_in, user};
use crate::matrix::{fields, reads, world::World, writes};
use crate::support::{Setup, TestApp};

const REQUIRE: &str = "mutation($input: UpdatePolicyInput!) { updatePolicy(input: $input) { policy { signIn { secondFactorRoles } } } }";
const REFUSED: &str = "SECOND_FACTOR_ENROLMENT_REQUIRED -";

async fn require(app: &TestApp, roles: Value) -> Value {
    let input = json!({"signIn": {"secondFactorRoles": roles}});
    ask(&app.admin(), REQUIRE, input).await["data"]["updatePolicy"]["policy"]["signIn"]["secondFactorRoles"].take()
}

/// It holds at once, also for sessions that another server remembers.
#[tokio::test]
async fn a_session_without_one_may_set_one_up_and_nothing_else() {
    let app = TestApp::new().await;
    let other = app.replica(1, None).await;
    for (name, role) in [("ada", InstanceRole::Admin), ("eve", InstanceRole::Member)] {
        user(&app, name, role).await;
    }
    let (_, ada) = signed_in(&app, "ada").await;
    let (_, eve) = signed_in(&app, "eve").await;
    let there = other.with_key(ada.key().unwrap());
    let users = "{ users(first: 1) { totalCount } }";
    let may = async |client: &crate::support::Client| code(&client.gql(users, json!({})).await);
    assert_eq!(may(&there).await, "ok");

    assert_eq!(
        require(&app, json!(["AUDITOR", "ADMIN", "ADMIN"])).await,
        json!(["ADMIN", "AUDITOR"])
    );
    for client in [&ada, &there] {
        assert_eq!(may(client).await, REFUSED);
        let who = client
            .data(
                "{ viewer { user { username } session { current } } }",
                json!({}),
            )
            .await;
        assert_eq!(
            who["viewer"],
            json!({"user": {"username": "ada"}, "session": {"current": true}})
        );
    }
    let report = ada.send(ada.request("GET", "/v1/usage.csv")).await;
    assert_eq!(
        (report.status, report.code()),
        (403, "SECOND_FACTOR_ENROLMENT_REQUIRED".into())
    );
    assert_eq!(may(&eve).await, "ok", "it is not asked of members");
    assert_eq!(may(&app.admin()).await, "ok", "nor of keys");
    let fresh = sign_in(&app, "ada", None).await;
    assert_eq!(fresh["data"]["signIn"]["mustEnrolSecondFactor"], true);
    let fresh = client(&app, &fresh);
    assert_eq!(may(&fresh).await, REFUSED);

    let (phone, _) = set_up(&app, &fresh, json!({})).await;
    assert_eq!(may(&fresh).await, "ok");
    assert_eq!(
        code(&there.gql(users, json!({})).await),
        "UNAUTHENTICATED -",
        "begun without one"
    );
    let again = sign_in(&app, "ada", Some(&phone.code(&app, 0))).await;
    assert_eq!(again["data"]["signIn"]["mustEnrolSecondFactor"], false);

    // Nobody must, and who had none may do everything again.
    user(&app, "grace", InstanceRole::Auditor).await;
    let (_, grace) = signed_in(&app, "grace").await;
    assert_eq!(may(&grace).await, REFUSED);
    assert_eq!(require(&app, Value::Null).await, json!([]));
    assert_eq!(may(&grace).await, "ok");
}

#[tokio::test]
async fn the_configuration_says_it_first() {
    let policy = Policy {
        password_cost: 4,
        first: keystead::policy::model::Policy {
            second_factor_roles: vec![InstanceRole::Member],
            ..Default::default()
        },
        ..Policy::default()
    };
    let app = TestApp::with(Setup {
        policy,
        ..Setup::default()
    })
    .await;
    user(&app, "ada", InstanceRole::Member).await;
    let made = sign_in(&app, "ada", None).await;
    assert_eq!(made["data"]["signIn"]["mustEnrolSecondFactor"], true);
    let ada = client(&app, &made);
    assert_eq!(
        code(
            &ada.gql("{ users(first: 1) { totalCount } }", json!({}))
                .await
        ),
        REFUSED
    );
    let out = "mutation { signOut(input: {}) { revoked } }";
    assert_eq!(code(&ada.gql(out, json!({})).await), "ok");
}

/// Every field of the root, by a session that may only set one up.
#[tokio::test]
async fn nothing_else_is_answered() {
    let mut world = World::new().await;
    assert_eq!(
        require(&world.app, json!(["ADMIN", "AUDITOR", "MEMBER", "VIEWER"])).await[0],
        "ADMIN"
    );
    let session = world.app.with_key(&world.session);
    // What is answered: to everybody, and what is for setting one up; a sign-in is somebody else's.
    let open = [
        "acceptInvitation",
        "confirmPasskey",
        "confirmTotp",
        "enrolPasskey",
        "enrolTotp",
        "invitation",
        "passkeyChallenge",
        "regenerateRecoveryCodes",
        "removeSecondFactor",
        "requestMagicLink",
        "serverInfo",
        "signIn",
        "signInWithMagicLink",
        "signInWithPasskey",
        "signOut",
        "updateSecondFactor",
        "viewer",
    ];
    world.ids.insert("$nothing", String::new());
    let mut asked = 0;
    for field in fields(&world.app).await {
        let name = field.name.as_str();
        let document = match field.parent.as_str() {
            "Query" => {
                let below = if field.composite {
                    " { __typename }"
                } else {
                    ""
                };
                format!("{{ {}{below} }}", reads::call("Query", name))
            }
            "Mutation" => format!(
                "mutation {{ {name}(input: {}) {{ __typename }} }}",
                writes::input(name)
            ),
            _ => continue,
        };
        if open.contains(&name) {
            continue;
        }
        let answer = session.gql(&world.fill(&document), json!({})).await;
        assert_eq!(code(&answer), REFUSED, "{name}: {answer}");
        asked += 1;
    }
    assert!(asked > 50, "only {asked}");
}
