//! Asking for links, and signing in by them.

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{app, ask, link, on, open, sign_in, token_in, told, viewer};
use crate::support::{SmtpServer, TestApp};

#[tokio::test]
async fn whoever_reads_the_mail_is_signed_in() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    app.user("ada", InstanceRole::Member).await;
    let asked = ask(&app.anonymous(), "Ada@Example.com").await;
    assert_eq!(asked["data"]["requestMagicLink"]["lifetimeSeconds"], 900);
    assert_eq!(server.received().len(), 0, "nothing is sent by the request");
    app.app.deliver_due().await.unwrap();
    let token = token_in(&server.received()[0].text);
    let mut answer = sign_in(&app.anonymous(), &token).await;
    assert_eq!(viewer(&app, &answer).await, "ada");
    let secret = answer["data"]["signInWithMagicLink"]["secret"].take();
    assert!(secret.as_str().unwrap().starts_with("kss_"));
    insta::assert_json_snapshot!("signed_in", answer["data"]);
    let trail =
        "{ auditEvents(first: 3) { nodes { action after actor { ... on User { username } } } } }";
    let trail = app.admin().data(trail, json!({})).await;
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"user_[0-9a-z]{26}", "[user]");
    settings.bind(|| insta::assert_json_snapshot!("trail", trail["auditEvents"]["nodes"]));
}

#[tokio::test]
async fn they_are_off_unless_they_are_switched_on() {
    let server = SmtpServer::start().await;
    let app = app(&server, keystead::ctx::Policy::default().magic_links).await;
    app.user("ada", InstanceRole::Member).await;
    for answer in [
        ask(&app.anonymous(), "ada@example.com").await,
        sign_in(&app.anonymous(), "ksm_x").await,
    ] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(told(&answer), @"FORBIDDEN -: Nobody signs in by links here. The operator can switch them on with the setting magic_links.");
        }
    }
    assert_eq!(app.app.deliver_due().await.unwrap(), 0);
    let features = app
        .anonymous()
        .data("{ serverInfo { features } }", json!({}))
        .await;
    assert!(!features.to_string().contains("magic-links"), "{features}");
}

#[tokio::test]
async fn one_a_minute_goes_to_an_address_whoever_has_it() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    app.user("ada", InstanceRole::Member).await;
    for email in ["ada@example.com", "nobody@example.com"] {
        assert!(ask(&app.anonymous(), email).await["errors"].is_null());
        app.app.clock.advance(chrono::TimeDelta::seconds(20));
        let again = ask(&app.anonymous(), &email.to_uppercase()).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(told(&again), @"RATE_LIMITED -: A link to this address was asked for less than a minute ago. Look for the mail, or wait 40 s and ask again.");
        }
        assert_eq!(again["errors"][0]["extensions"]["retryAfter"], 40);
        app.app.clock.advance(chrono::TimeDelta::seconds(40));
        assert!(ask(&app.anonymous(), email).await["errors"].is_null());
    }
    app.app.deliver_due().await.unwrap();
    let received = server.received();
    let to: Vec<_> = received.iter().map(|mail| &mail.to[0]).collect();
    assert_eq!(to, ["RCPT TO:<ada@example.com>"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_one_is_heard() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    app.user("ada", InstanceRole::Member).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let client = app.anonymous();
            tokio::spawn(async move { ask(&client, "ada@example.com").await })
        })
        .collect();
    let mut heard = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        match answer["errors"].is_null() {
            true => heard += 1,
            false => assert!(told(&answer).starts_with("RATE_LIMITED"), "{answer}"),
        }
    }
    assert_eq!(heard, 1);
    app.app.deliver_due().await.unwrap();
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_to_those_who_may_not_sign_in() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    let (user, _) = app.user("ada", InstanceRole::Member).await;
    let update = "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }";
    let disable = json!({"input": {"id": user.typed_id().to_string(), "enabled": false}});
    app.admin().data(update, disable).await;
    let expiring = app.user("brief", InstanceRole::Member).await.0;
    let end = json!({"input": {"id": expiring.typed_id().to_string(), "expiresAt": "2030-01-01T12:00:30Z"}});
    app.admin().data(update, end).await;
    app.app.clock.advance(chrono::TimeDelta::seconds(30));
    for email in ["ada@example.com", "brief@example.com", "nobody@example.com"] {
        assert!(ask(&app.anonymous(), email).await["errors"].is_null());
    }
    app.app.deliver_due().await.unwrap();
    assert_eq!(server.received().len(), 0);
    let (waiting, dead) = app.app.deliveries().await.unwrap();
    assert_eq!((waiting, dead), (0, 0), "and nothing stays");
}

#[tokio::test]
async fn new_users_come_in_with_the_policys_defaults() {
    let server = SmtpServer::start().await;
    let app = app(&server, open()).await;
    let create = "mutation { createTeam(input: {slug: \"all\", members: []}) { team { id } } }";
    let team = app.admin().data(create, json!({})).await;
    let policy = json!({"input": {"userDefaults": {"role": "VIEWER", "memberships": [{"team": team["createTeam"]["team"]["id"]}]}}});
    let update = "mutation($input: UpdatePolicyInput!) { updatePolicy(input: $input) { changed } }";
    app.admin().data(update, policy).await;
    let refused = ask(&app.anonymous(), "new@example.org").await;
    insta::assert_snapshot!(told(&refused), @"BAD_USER_INPUT input.email: 'new@example.org' is of a domain to which no links are sent here.");
    let token = link(&app, &server, "new@example.com").await;
    let users = "{ users(filter: {search: \"new\"}) { totalCount } }";
    let before = app.admin().data(users, json!({})).await;
    assert_eq!(before["users"]["totalCount"], 0, "asking makes nobody");
    let mut answer = sign_in(&app.anonymous(), &token).await;
    assert_eq!(viewer(&app, &answer).await, "new@example.com");
    answer["data"]["signInWithMagicLink"]["secret"].take();
    insta::assert_json_snapshot!("new", answer["data"]);
    let teams = "{ user(by: {username: \"new@example.com\"}) { memberships { nodes { role team { slug } } } } }";
    let teams = app.admin().data(teams, json!({})).await;
    assert_eq!(
        teams["user"]["memberships"]["nodes"],
        json!([{"role": "MEMBER", "team": {"slug": "all"}}])
    );
    // It is the same user the next time.
    let token = link(&app, &server, "new@example.com").await;
    assert_eq!(
        viewer(&app, &sign_in(&app.anonymous(), &token).await).await,
        "new@example.com"
    );
    let after = app.admin().data(users, json!({})).await;
    assert_eq!(after["users"]["totalCount"], 1);
    // An address that cannot be a name is sent nothing, and one that is another's name is told so.
    let long = format!("{}@example.com", "x".repeat(60));
    assert!(ask(&app.anonymous(), &long).await["errors"].is_null());
    app.app.deliver_due().await.unwrap();
    assert_eq!(server.received().len(), 2);
    let token = link(&app, &server, "taken@example.com").await;
    let create =
        "mutation { createUser(input: {username: \"taken@example.com\"}) { user { id } } }";
    app.admin().data(create, json!({})).await;
    insta::assert_snapshot!(told(&sign_in(&app.anonymous(), &token).await), @"CONFLICT input.token: A user has this address as its name. An administrator can make you a user with another.");
}

#[tokio::test]
async fn a_browser_keeps_it_in_a_cookie() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    app.user("ada", InstanceRole::Member).await;
    let token = link(&app, &server, "ada@example.com").await;
    let client = app.anonymous();
    let body =
        json!({"query": super::SIGN_IN, "variables": {"input": {"token": token, "cookie": true}}});
    let from = |origin: &str| {
        let call = client.request("POST", "/graphql").header("origin", origin);
        // Whatever a request says of its host, the link and the origin are the configuration's.
        client.send(call.header("host", "evil.example").json(&body))
    };
    let refused = from("http://evil.example").await;
    assert_eq!(refused.code(), "FORBIDDEN");
    let answer = from("http://127.0.0.1:4000").await;
    assert!(
        answer.header("set-cookie").contains("HttpOnly"),
        "{}",
        answer.text()
    );
    assert!(answer.json()["data"]["signInWithMagicLink"]["secret"].is_null());
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_the_link_stays_good() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    let ada = crate::factors::somebody(&app, "ada", InstanceRole::Member).await;
    let token = link(&app, &server, "ada@example.com").await;
    for _ in 0..2 {
        let answer = sign_in(&app.anonymous(), &token).await;
        assert!(
            told(&answer).starts_with("SECOND_FACTOR_REQUIRED input.otp"),
            "{answer}"
        );
    }
    let with = |otp: &str| json!({"input": {"token": token, "otp": otp}});
    let wrong = app
        .anonymous()
        .gql(super::SIGN_IN, with(&ada.phone.wrong(&app)))
        .await;
    assert!(
        told(&wrong).starts_with("UNAUTHENTICATED input.otp"),
        "{wrong}"
    );
    let answer = app
        .anonymous()
        .gql(super::SIGN_IN, with(&ada.codes[0]))
        .await;
    assert_eq!(viewer(&app, &answer).await, "ada");
    assert!(told(&sign_in(&app.anonymous(), &token).await).starts_with("NOT_FOUND"));
}

#[tokio::test]
async fn a_user_that_is_made_meanwhile_is_the_one() {
    let server = SmtpServer::start().await;
    let app: TestApp = app(&server, open()).await;
    let token = link(&app, &server, "ada@example.com").await;
    app.user("ada", InstanceRole::Member).await;
    let answer = sign_in(&app.anonymous(), &token).await;
    assert_eq!(viewer(&app, &answer).await, "ada");
}
