//! Making, listing, sending again and revoking.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{ACCEPT, CREATE, PASSWORD, SHOW, accept, invite, refusal, team, token_of, told};
use crate::support::{Client, Setup, SmtpServer, TestApp};

const RESEND: &str = "mutation($input: ResendInvitationInput!) { resendInvitation(input: $input) { link invitation { status expiresAt invitedBy { username } } } }";
const REVOKE: &str = "mutation($input: RevokeInvitationInput!) { revokeInvitation(input: $input) { invitation { status } } }";

async fn emails(client: &Client, filter: Value) -> Vec<String> {
    let list = "query($filter: InvitationFilter) { invitations(filter: $filter) { totalCount nodes { email } } }";
    let data = client.data(list, json!({ "filter": filter })).await;
    let nodes = data["invitations"]["nodes"].as_array().unwrap();
    assert_eq!(data["invitations"]["totalCount"], nodes.len());
    let email = |node: &Value| node["email"].as_str().unwrap_or("-").to_owned();
    nodes.iter().map(email).collect()
}

#[tokio::test]
async fn an_invitation_is_made_and_shown() {
    let app = TestApp::new().await;
    let blue = team(&app, "blue", json!([])).await;
    let input = json!({"email": "New@Example.com", "role": "AUDITOR", "memberships": [{"team": blue, "role": "ADMIN"}]});
    let mut made = app.admin().data(CREATE, json!({ "input": input })).await;
    let token = token_of(made["createInvitation"]["link"].take().as_str().unwrap());
    insta::assert_json_snapshot!("made", made, {".createInvitation.invitation.id" => "[id]"});
    let shown = app.anonymous().data(SHOW, json!({ "token": token })).await;
    insta::assert_json_snapshot!("shown", shown);
    let trail =
        "{ auditEvents(filter: {action: \"invitation.create\"}) { nodes { before after } } }";
    let trail = app.admin().data(trail, json!({})).await.to_string();
    assert!(
        trail.contains("New@Example.com") && !trail.contains("ksi_"),
        "{trail}"
    );
    // Of the token the database has the digest alone.
    let client = app.app.db.endpoint().client().await.unwrap();
    let row = client
        .query_one("SELECT to_jsonb(i)::text FROM invitations i", &[])
        .await
        .unwrap();
    assert!(!row.get::<_, String>(0).contains(&token));
    let (user, _) = app.user("ada", InstanceRole::Member).await;
    let (_, token) = invite(&app.admin(), json!({"user": user.typed_id().to_string()})).await;
    let shown = app.anonymous().data(SHOW, json!({ "token": token })).await;
    assert_eq!(shown["invitation"]["username"], "ada");
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (user, ada) = app.user("ada", InstanceRole::Member).await;
    let user = user.typed_id().to_string();
    let blue = team(&app, "blue", json!([])).await;
    let mut lines = Vec::new();
    for input in [
        json!({}),
        json!({"user": user, "email": "a@example.com"}),
        json!({"user": user, "role": "MEMBER"}),
        json!({"user": user, "memberships": []}),
        json!({"email": "nonsense"}),
        json!({"email": "a@example.com", "expiresIn": "PT59S"}),
        json!({"email": "a@example.com", "expiresIn": "P91D"}),
        json!({"email": "a@example.com", "memberships": [{"team": blue}, {"team": blue}]}),
        json!({"email": "a@example.com", "memberships": [{"team": "team_01h455vb4pex5vsknk084sn02q"}]}),
        json!({"user": "user_01h455vb4pex5vsknk084sn02q"}),
    ] {
        lines.push(
            refusal(&admin, CREATE, input)
                .await
                .replace(&blue, "[blue]"),
        );
    }
    let email = json!({"email": "a@example.com"});
    lines.push(refusal(&app.anonymous(), CREATE, email.clone()).await);
    lines.push(refusal(&ada, CREATE, email).await);
    let id = json!({"id": "inv_01h455vb4pex5vsknk084sn02q"});
    lines.push(refusal(&admin, RESEND, id.clone()).await);
    lines.push(refusal(&admin, REVOKE, id).await);
    insta::assert_snapshot!("refused", lines.join("\n"));
}

#[tokio::test]
async fn a_teams_admin_invites_into_its_team_and_nobody_above_own_rights() {
    let app = TestApp::new().await;
    let (boss, as_boss) = app.user("boss", InstanceRole::Member).await;
    let (boss, red) = (
        boss.typed_id().to_string(),
        team(&app, "red", json!([])).await,
    );
    let blue = team(&app, "blue", json!([{"user": boss, "role": "ADMIN"}])).await;
    let into = |team: &str| json!({"email": "a@example.com", "memberships": [{"team": team}]});
    invite(&as_boss, into(&blue)).await;
    let mut lines = Vec::new();
    for input in [
        into(&red),
        json!({"email": "a@example.com", "memberships": []}),
        json!({"email": "a@example.com", "role": "AUDITOR", "memberships": [{"team": blue}]}),
        json!({ "user": boss }),
    ] {
        lines.push(
            refusal(&as_boss, CREATE, input)
                .await
                .replace(&red, "[red]")
                .replace(&boss, "[boss]"),
        );
    }
    // What the team holds is given with it, and the boss does not hold that any more.
    crate::users::world::grant(&app, &blue, "/models", &["MANAGE"]).await;
    invite(&as_boss, into(&blue)).await;
    crate::users::world::grant(&app, &boss, "/models", &["NO_ACCESS"]).await;
    lines.push(
        refusal(&as_boss, CREATE, into(&blue))
            .await
            .replace(&red, "[red]"),
    );
    // Who manages users may invite to what it holds.
    let (clerk, as_clerk) = app.user("clerk", InstanceRole::Member).await;
    crate::users::world::grant(&app, &clerk.typed_id().to_string(), "/users", &["MANAGE"]).await;
    invite(
        &as_clerk,
        json!({"email": "a@example.com", "role": "VIEWER"}),
    )
    .await;
    lines.push(
        refusal(
            &as_clerk,
            CREATE,
            json!({"email": "a@example.com", "role": "ADMIN"}),
        )
        .await,
    );
    let (auditor, _) = app.user("auditor", InstanceRole::Auditor).await;
    lines.push(
        refusal(
            &as_clerk,
            CREATE,
            json!({"user": auditor.typed_id().to_string()}),
        )
        .await,
    );
    insta::assert_snapshot!("rights", lines.join("\n"));
}

#[tokio::test]
async fn a_list_holds_ones_own_and_those_of_ones_teams() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (boss, as_boss) = app.user("boss", InstanceRole::Member).await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let (_, auditor) = app.user("auditor", InstanceRole::Auditor).await;
    let blue = team(
        &app,
        "blue",
        json!([{"user": boss.typed_id().to_string(), "role": "ADMIN"}]),
    )
    .await;
    let into = |email: &str| json!({"email": email, "memberships": [{"team": blue}]});
    let (first, _) = invite(&admin, into("one@example.com")).await;
    let (_, used) = invite(&as_boss, into("two@example.com")).await;
    invite(
        &admin,
        json!({"email": "three@example.com", "expiresIn": "PT1H"}),
    )
    .await;
    let all = ["three@example.com", "two@example.com", "one@example.com"];
    for client in [&admin, &auditor] {
        assert_eq!(emails(client, json!({})).await, all);
    }
    assert_eq!(emails(&as_boss, json!({})).await, all[1..]);
    assert!(emails(&ada, json!({})).await.is_empty());
    let answer = accept(
        &app.anonymous(),
        json!({"token": used, "password": PASSWORD}),
    )
    .await;
    assert!(answer["errors"].is_null(), "{answer}");
    as_boss.data(REVOKE, json!({"input": {"id": first}})).await;
    app.app.clock.advance(chrono::TimeDelta::hours(2));
    for (filter, expected) in [
        (json!({"status": "PENDING"}), vec![]),
        (json!({"status": "ACCEPTED"}), vec![all[1]]),
        (json!({"status": "REVOKED"}), vec![all[2]]),
        (json!({"status": "EXPIRED"}), vec![all[0]]),
        (json!({"team": blue}), all[1..].to_vec()),
        (json!({"email": "ONE@example.com"}), vec![all[2]]),
        (
            json!({"invitedBy": boss.typed_id().to_string()}),
            vec![all[1]],
        ),
        (json!({"team": blue, "status": "EXPIRED"}), vec![]),
    ] {
        assert_eq!(emails(&admin, filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn one_that_is_sent_again_has_another_link_and_one_that_is_revoked_none() {
    let app = TestApp::new().await;
    let (boss, as_boss) = app.user("boss", InstanceRole::Member).await;
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let blue = team(
        &app,
        "blue",
        json!([{"user": boss.typed_id().to_string(), "role": "ADMIN"}]),
    )
    .await;
    let input = json!({"email": "a@example.com", "memberships": [{"team": blue}]});
    let (id, old) = invite(&app.admin(), input).await;
    app.app.clock.advance(chrono::TimeDelta::days(8));
    let again = json!({ "id": id });
    let sent = as_boss.data(RESEND, json!({ "input": again })).await["resendInvitation"].take();
    let new = token_of(sent["link"].as_str().unwrap());
    assert_eq!(
        sent["invitation"],
        json!({"status": "PENDING", "expiresAt": "2030-01-16T12:00:00Z", "invitedBy": {"username": "boss"}})
    );
    let shown = app.anonymous().gql(SHOW, json!({ "token": old })).await;
    let not_good = told(&shown);
    assert!(
        not_good.starts_with("NOT_FOUND token: This invitation is not good"),
        "{not_good}"
    );
    let shown = app.anonymous().data(SHOW, json!({ "token": new })).await;
    assert_eq!(shown["invitation"]["inviter"], "boss");
    let mut lines = vec![
        refusal(&ada, REVOKE, again.clone())
            .await
            .replace(&id, "[id]"),
    ];
    for _ in 0..2 {
        let revoked = as_boss.data(REVOKE, json!({ "input": again })).await;
        assert_eq!(
            revoked["revokeInvitation"]["invitation"]["status"],
            "REVOKED"
        );
    }
    let shown = app.anonymous().gql(SHOW, json!({ "token": new })).await;
    assert_eq!(told(&shown), not_good);
    lines.push(refusal(&as_boss, RESEND, again.clone()).await);
    let (id, token) = invite(
        &as_boss,
        json!({"email": "b@example.com", "memberships": [{"team": blue}]}),
    )
    .await;
    app.anonymous()
        .data(
            ACCEPT,
            json!({"input": {"token": token, "password": PASSWORD}}),
        )
        .await;
    lines.push(refusal(&as_boss, RESEND, json!({ "id": id })).await);
    lines.push(refusal(&as_boss, REVOKE, json!({ "id": id })).await);
    insta::assert_snapshot!("again", lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_is_sent_by_mail() {
    let server = SmtpServer::start().await;
    let setup = Setup {
        mail: server.settings(None),
        ..Setup::default()
    };
    let app = TestApp::with(setup).await;
    let blue = team(&app, "blue", json!([])).await;
    let input = json!({"email": "new@example.com", "memberships": [{"team": blue}]});
    let made = app.admin().data(CREATE, json!({ "input": input })).await;
    assert_eq!(made["createInvitation"]["mailed"], true);
    app.app.deliver_due().await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].to, ["RCPT TO:<new@example.com>"]);
    let text = received[0]
        .text
        .replace("=\r\n", "")
        .replace("=\n", "")
        .replace("=3D", "=");
    assert!(text.contains("join the team blue"), "{text}");
    assert!(
        text.contains(made["createInvitation"]["link"].as_str().unwrap()),
        "{text}"
    );
}

#[tokio::test]
async fn a_request_that_is_repeated_makes_one_invitation_and_one_user() {
    let app = TestApp::new().await;
    let send = async |client: &Client, document: &str, input: Value| {
        let body = json!({"query": document, "variables": {"input": input}});
        let call = client.request("POST", "/graphql").json(&body);
        let answer = client.send(call.header("idempotency-key", "once")).await;
        answer.json()["data"].clone()
    };
    let blue = team(&app, "blue", json!([])).await;
    let input = json!({"email": "new@example.com", "memberships": [{"team": blue}]});
    let made = send(&app.admin(), CREATE, input.clone()).await;
    let link = &made["createInvitation"]["link"];
    let again = send(&app.admin(), CREATE, input).await;
    assert_eq!(&again["createInvitation"]["link"], link);
    assert_eq!(emails(&app.admin(), json!({})).await, ["new@example.com"]);
    let (_, ada) = app.user("ada", InstanceRole::Member).await;
    let wish = json!({"token": token_of(link.as_str().unwrap())});
    for _ in 0..2 {
        let joined = send(&ada, ACCEPT, wish.clone()).await;
        assert_eq!(
            joined["acceptInvitation"]["joined"],
            json!([{"slug": "blue"}])
        );
    }
}
