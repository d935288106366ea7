//! Who sees which requests.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{approve, ask, asked, id, listed, people, team};
use crate::support::{Bound, TestApp};
use crate::users::world::grant;

#[tokio::test]
async fn those_who_could_give_it_see_it_and_nobody_else() {
    let app = TestApp::new().await;
    let ((ada_id, ada), (boss_id, boss)) = people(&app).await;
    let blue = team(&app, "blue", &boss_id).await;
    let (outsider_id, outsider) = app.user("outsider", InstanceRole::Member).await;
    let (chief, as_chief) = app.user("chief", InstanceRole::Member).await;
    let red = team(&app, "red", &chief.typed_id().to_string()).await;
    let (owner, as_owner) = app.user("owner", InstanceRole::Member).await;
    grant(
        &app,
        &owner.typed_id().to_string(),
        "/models/b",
        &["MANAGE"],
    )
    .await;
    let (_, auditor) = app.user("auditor", InstanceRole::Auditor).await;
    let a = asked(&ada, "/models/a", "USE").await;
    let wish = json!({"permissions": [{"path": "/vms", "role": "USE"}, {"path": "/models/b", "role": "USE"}], "justification": "x"});
    let b = id(&ask(&ada, wish).await);
    let place = |team: &str| json!({"membership": {"team": team}, "justification": "x"});
    let into_blue = id(&ask(&ada, place(&blue)).await);
    let into_red = id(&ask(&outsider, place(&red)).await);
    let all = vec![&into_red, &into_blue, &b, &a];
    for (who, client, sees) in [
        ("admin", &app.admin(), all.clone()),
        ("auditor", &auditor, all.clone()),
        ("ada", &ada, vec![&into_blue, &b, &a]),
        ("boss", &boss, vec![&into_blue, &b, &a]),
        ("owner", &as_owner, vec![&b]),
        ("chief", &as_chief, vec![&into_red]),
        ("outsider", &outsider, vec![&into_red]),
    ] {
        let seen = listed(client, Value::Null).await;
        assert_eq!(seen.iter().collect::<Vec<_>>(), sees, "{who}");
        // The list and what is read one by one are the same.
        for request in &all {
            let node = "query($id: ID!) { node(id: $id) { id ... on AccessRequest { user { username } } } }";
            let found = client.data(node, json!({ "id": request })).await;
            assert_eq!(!found["node"].is_null(), sees.contains(request), "{who}");
        }
    }
    let (_, restricted) = app.restricted(&owner, &[("/models", "READ")]).await;
    assert!(listed(&restricted, Value::Null).await.is_empty());
    approve(&boss, &a).await;
    let admin = app.admin();
    for (filter, sees) in [
        (json!({"status": "APPROVED"}), vec![&a]),
        (
            json!({"status": "PENDING", "user": ada_id}),
            vec![&into_blue, &b],
        ),
        (
            json!({"user": outsider_id.typed_id().to_string()}),
            vec![&into_red],
        ),
        (json!({"team": blue}), vec![&into_blue]),
        (json!({"path": "/models/b"}), vec![&b]),
        (json!({"path": format!("/teams/{blue}")}), vec![]),
        (json!({"status": "DENIED"}), vec![]),
        (json!({"status": "WITHDRAWN"}), vec![]),
        (json!({"status": "EXPIRED"}), vec![]),
    ] {
        let seen = listed(&admin, filter.clone()).await;
        assert_eq!(seen.iter().collect::<Vec<_>>(), sees, "{filter}");
    }
    app.app.clock.advance(chrono::TimeDelta::days(30));
    let over = listed(&admin, json!({"status": "EXPIRED"})).await;
    assert_eq!(over.iter().collect::<Vec<_>>(), [&into_red, &into_blue, &b]);
}

#[tokio::test]
async fn those_who_could_give_it_are_told_by_an_event() {
    let app = TestApp::new().await;
    let ((_, ada), (_, boss)) = people(&app).await;
    let server = Bound::new(&app, keystead::http::Settings::default()).await;
    let mut heard = Vec::new();
    for key in [boss.key(), ada.key()] {
        let mut socket = server.socket().await;
        socket.init(key).await;
        let query =
            "subscription { events(filter: {action: \"accessRequest.\"}) { action target after } }";
        socket.subscribe("1", query).await;
        heard.push(socket);
    }
    // What begins after this is told to both that may read it.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let request = asked(&ada, "/models/x", "USE").await;
    let event = heard[0].next().await;
    let event = &event["payload"]["data"]["events"];
    assert_eq!(
        (&event["action"], &event["target"]),
        (&json!("accessRequest.create"), &json!(request))
    );
    assert_eq!(event["after"]["justification"], "for the launch");
    let nothing = tokio::time::timeout(std::time::Duration::from_millis(300), heard[1].next());
    assert!(nothing.await.is_err(), "who asks may not read the trail");
    approve(&boss, &request).await;
    let event = heard[0].next().await;
    assert_eq!(
        event["payload"]["data"]["events"]["action"],
        "accessRequest.review"
    );
}
