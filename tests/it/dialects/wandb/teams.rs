//! Teams through the dialect: making them, who belongs to them, inviting and taking away.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{
    CREATE_TEAM, DELETE_INVITE, INVITE, TEAM, app_with_team, data, id_of, masked, member_id,
    members, refused, send,
};
use crate::support::{Client, SmtpServer, TestApp};

async fn invite(client: &Client, whom: Value) -> Value {
    let mut variables = json!({"entity": "research", "admin": false});
    for (name, value) in whom.as_object().unwrap() {
        variables[name] = value.clone();
    }
    data(client, INVITE, variables).await["result"]["invite"].clone()
}

#[tokio::test]
async fn a_team_is_made_with_whoever_makes_it_as_its_admin() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let made = data(&admin, CREATE_TEAM, json!({"teamName": "research"})).await;
    insta::assert_json_snapshot!("made_team", masked(made));
    let seen = data(&admin, TEAM, json!({"name": "RESEARCH"})).await;
    insta::assert_json_snapshot!("team", masked(seen));
    let native = "{ team(by: {slug: \"research\"}) { slug name members { edges { role node { user { username } } } } } }";
    insta::assert_json_snapshot!("native_team", admin.data(native, json!({})).await);
}

#[tokio::test]
async fn a_team_is_made_for_another_admin() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let variables = json!({"teamName": "ops", "teamAdminUserName": "bob"});
    data(&admin, CREATE_TEAM, variables).await;
    assert_eq!(members(&bob, "ops").await, ["bob admin"]);
    let variables = json!({"teamName": "ml", "teamAdminUserName": "nobody"});
    insta::assert_snapshot!(refused(&admin, CREATE_TEAM, variables).await, @"404 NOT_FOUND: There is no user 'nobody', or you may not see it.");
}

#[tokio::test]
async fn teams_that_cannot_be_made() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let create = async |client: &Client, name: &str| {
        refused(
            client,
            CREATE_TEAM,
            json!({"teamName": name, "teamAdminUserName": null}),
        )
        .await
    };
    let told = [
        create(&admin, "Research").await,
        create(&admin, "").await,
        create(&admin, "my team").await,
        create(&admin, &"x".repeat(100_000)).await,
        create(&bob, "mine").await,
    ];
    insta::assert_snapshot!(told.join("\n"));
    let (one, other) = tokio::join!(
        send(&admin, CREATE_TEAM, json!({"teamName": "twice"})),
        send(&admin, CREATE_TEAM, json!({"teamName": "twice"}))
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn a_user_has_a_place_of_its_own() {
    let app = TestApp::new().await;
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let own = data(&bob, TEAM, json!({"name": "bob"})).await;
    insta::assert_json_snapshot!("own_place", masked(own.clone()));
    let unnamed = "{ entity { name isTeam } }";
    assert_eq!(
        data(&bob, unnamed, json!({})).await["entity"],
        json!({"name": "bob", "isTeam": false})
    );
    // Of one name the team is meant.
    data(&app.admin(), CREATE_TEAM, json!({"teamName": "bob"})).await;
    let found = data(&app.admin(), TEAM, json!({"name": "bob"})).await;
    assert_eq!(found["entity"]["isTeam"], true);
    assert_eq!(data(&bob, TEAM, json!({"name": "bob"})).await, own);
}

#[tokio::test]
async fn what_may_not_be_seen_is_not_there() {
    let app = app_with_team("research").await;
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let hidden = refused(&bob, TEAM, json!({"name": "research"})).await;
    insta::assert_snapshot!(hidden, @"404 NOT_FOUND: There is no team 'research', or you may not see it.");
    let none = refused(&bob, TEAM, json!({"name": "nothing"})).await;
    assert_eq!(none, hidden.replace("research", "nothing"));
    for odd in ["", "\u{0}", "admin", "../etc", &"x".repeat(100_000)] {
        let told = refused(&bob, TEAM, json!({"name": odd})).await;
        assert!(
            told.starts_with("404 NOT_FOUND: There is no team '"),
            "{told}"
        );
    }
    let told = refused(
        &bob,
        INVITE,
        json!({"entity": "research", "username": "bob"}),
    )
    .await;
    assert_eq!(told, hidden);
}

#[tokio::test]
async fn who_is_known_belongs_at_once_and_who_is_not_is_invited() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    for name in ["ada", "bob"] {
        app.user(name, InstanceRole::Member).await;
    }
    let mut told = Vec::new();
    for whom in [
        json!({"username": "ada"}),
        json!({"email": "bob@example.com", "admin": true}),
        json!({"email": "eve@example.com"}),
        json!({"email": "max@example.com", "admin": true}),
    ] {
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        told.push(masked(invite(&admin, whom).await));
    }
    insta::assert_json_snapshot!("invited", told);
    assert_eq!(
        members(&admin, "research").await,
        [
            "Administrator admin",
            "ada member",
            "bob admin",
            "eve@example.com member waits",
            "max@example.com admin waits"
        ]
    );
    // Natively the same.
    let native = "{ invitations(filter: {status: PENDING}) { nodes { email memberships { role team { slug } } } } }";
    insta::assert_json_snapshot!("native_invitations", admin.data(native, json!({})).await);
    let seen = data(&admin, TEAM, json!({"name": "research"})).await;
    insta::assert_json_snapshot!("waiting", masked(seen["entity"]["members"][3].clone()));
}

#[tokio::test]
async fn an_invitation_is_mailed_where_mails_are_sent() {
    let server = SmtpServer::start().await;
    let app = crate::mail::app(&server).await;
    let admin = app.admin();
    data(&admin, CREATE_TEAM, json!({"teamName": "research"})).await;
    invite(&admin, json!({"email": "eve@example.com"})).await;
    crate::mail::deliver(&app).await;
    let mails = server.received();
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0].text.contains("/join?token=3Dksi_") || mails[0].text.contains("/join?token=ksi_")
    );
}

#[tokio::test]
async fn invitations_that_cannot_be_made() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    invite(&admin, json!({"username": "bob"})).await;
    invite(&admin, json!({"email": "eve@example.com"})).await;
    let mut told = Vec::new();
    for (name, client, variables) in [
        ("a member", &admin, json!({"username": "bob"})),
        (
            "a member by address",
            &admin,
            json!({"email": "BOB@example.com"}),
        ),
        (
            "who is invited",
            &admin,
            json!({"email": "Eve@Example.com"}),
        ),
        ("nobody", &admin, json!({"username": "nobody"})),
        ("an empty name", &admin, json!({"username": ""})),
        ("an empty address", &admin, json!({"email": ""})),
        ("no address", &admin, json!({"email": "@"})),
        ("both", &admin, json!({"email": "a@b.c", "username": "bob"})),
        ("neither", &admin, json!({})),
        ("by a member", &bob, json!({"email": "max@example.com"})),
        (
            "an admin by a member",
            &bob,
            json!({"username": "bob", "admin": true}),
        ),
    ] {
        let mut all = json!({"entity": "research", "admin": false});
        for (key, value) in variables.as_object().unwrap() {
            all[key] = value.clone();
        }
        told.push(format!("{name}: {}", refused(client, INVITE, all).await));
    }
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(members(&admin, "research").await.len(), 3);
}

#[tokio::test]
async fn members_see_each_other_and_no_invitations() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    invite(&admin, json!({"username": "bob"})).await;
    invite(&admin, json!({"email": "eve@example.com"})).await;
    assert_eq!(
        members(&bob, "research").await,
        ["Administrator admin", "bob member"]
    );
}

#[tokio::test]
async fn members_and_invitations_are_taken_away() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    invite(&admin, json!({"username": "bob"})).await;
    invite(&admin, json!({"email": "eve@example.com"})).await;
    for name in ["bob", "eve@example.com"] {
        let id = member_id(&admin, "research", name).await;
        let gone = data(
            &admin,
            DELETE_INVITE,
            json!({"id": id, "entity": "research"}),
        )
        .await;
        assert_eq!(gone, json!({"result": {"success": true}}));
        let again = refused(
            &admin,
            DELETE_INVITE,
            json!({"id": id, "entity": "research"}),
        )
        .await;
        assert!(again.starts_with("404 NOT_FOUND: "), "{again}");
    }
    assert_eq!(members(&admin, "research").await, ["Administrator admin"]);
    assert!(
        refused(&bob, TEAM, json!({"name": "research"}))
            .await
            .starts_with("404")
    );
    // Who was taken away may be invited again.
    invite(&admin, json!({"email": "eve@example.com"})).await;
}

#[tokio::test]
async fn places_that_cannot_be_taken_away() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    data(&admin, CREATE_TEAM, json!({"teamName": "other"})).await;
    let (user, bob) = app.user("bob", InstanceRole::Member).await;
    let (stranger, _) = app.user("carol", InstanceRole::Member).await;
    invite(&admin, json!({"username": "bob"})).await;
    let made = data(
        &admin,
        INVITE,
        json!({"entity": "other", "email": "eve@example.com"}),
    )
    .await;
    let elsewhere = made["result"]["invite"]["id"].clone();
    let own = member_id(&admin, "research", "Administrator").await;
    let of_bob = json!(id_of("User", user.id));
    let mut told = Vec::new();
    for (name, client, variables) in [
        (
            "the last admin",
            &admin,
            json!({"id": own, "entity": "research"}),
        ),
        (
            "by a member",
            &bob,
            json!({"id": own, "entity": "research"}),
        ),
        (
            "itself by a member",
            &bob,
            json!({"id": of_bob, "entity": "research"}),
        ),
        (
            "no member",
            &admin,
            json!({"id": id_of("User", stranger.id), "entity": "research"}),
        ),
        (
            "of another team",
            &admin,
            json!({"id": elsewhere, "entity": "research"}),
        ),
        (
            "of no team",
            &admin,
            json!({"id": of_bob, "entity": "nothing"}),
        ),
        (
            "a team's id",
            &admin,
            json!({"id": id_of("Entity", user.id), "entity": "research"}),
        ),
        ("nothing", &admin, json!({"id": null, "entity": null})),
        ("empty", &admin, json!({"id": "", "entity": "research"})),
        (
            "nobody",
            &admin,
            json!({"id": id_of("User", uuid::Uuid::from_u128(1)), "entity": "research"}),
        ),
        (
            "no invitation",
            &admin,
            json!({"id": id_of("Invite", uuid::Uuid::from_u128(1)), "entity": "research"}),
        ),
    ] {
        told.push(format!(
            "{name}: {}",
            refused(client, DELETE_INVITE, variables).await
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(members(&admin, "research").await.len(), 2);
    assert_eq!(members(&admin, "other").await.len(), 2);
}

#[tokio::test]
async fn a_large_team_is_told_whole_and_in_order() {
    let app = app_with_team("research").await;
    let admin = app.admin();
    for number in 0..120 {
        let name = format!("user-{number}");
        app.user(&name, InstanceRole::Member).await;
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        invite(&admin, json!({"username": name})).await;
    }
    let all = members(&admin, "research").await;
    assert_eq!(all.len(), 121);
    assert_eq!(all[120], "user-119 member");
    assert_eq!(all[1], "user-0 member");
}
