//! A change is answered when every server knows of it: those that acknowledge at once, and those that cannot.

use std::time::{Duration, Instant};

use keystead::db::Endpoint;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{leased, leased_on, until};
use crate::support::{Call, Client, Proxy, TestApp, database};

/// Costs no statement where the key is remembered.
const ASK: &str = "{ __typename }";
const DELETE: &str = "mutation($id: ID!) { deleteApiKey(input: {id: $id}) { deletedApiKeyId } }";
const GENERATE: &str = "mutation { generateApiKey(input: {}) { secret apiKey { id } } }";
const LEASE: Duration = Duration::from_secs(2);

/// A new key: its id and its secret.
async fn key(of: &Client) -> (Value, String) {
    let made = of.data(GENERATE, json!({})).await;
    let secret = made["generateApiKey"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    (
        json!({"id": made["generateApiKey"]["apiKey"]["id"]}),
        secret,
    )
}

/// Whether that server takes the key.
async fn takes(server: &TestApp, secret: &str) -> bool {
    let answer = server.with_key(secret).gql(ASK, json!({})).await;
    match answer["errors"][0]["extensions"]["code"].as_str() {
        None => true,
        Some("UNAUTHENTICATED") => false,
        Some(other) => panic!("{other}"),
    }
}

async fn leases(app: &TestApp) -> i64 {
    let client = app.app.db.endpoint().client().await.unwrap();
    let row = client.query_one("SELECT count(*) FROM leases", &[]).await;
    row.unwrap().get(0)
}

#[tokio::test]
async fn once_a_deletion_has_answered_no_server_says_yes() {
    let a = leased().await;
    let b = a.replica(1, None).await;
    let c = a.replica(2, None).await;
    let began = Instant::now();
    for round in 0..30 {
        let (id, secret) = key(&a.admin()).await;
        let servers = [&a, &b, &c];
        for server in servers {
            assert!(takes(server, &secret).await);
            assert!(takes(server, &secret).await);
        }
        let deleting = servers[round % 3].admin();
        deleting.data(DELETE, id).await;
        for server in servers {
            assert!(!takes(server, &secret).await, "round {round}");
        }
    }
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "somebody was waited for"
    );
    assert!(b.app.authenticator.memory().hits >= 30);
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_waited_for() {
    let a = leased().await;
    let b = a.replica(1, None).await;
    let each = (0..20).map(|_| async {
        let (id, secret) = key(&a.admin()).await;
        assert!(takes(&b, &secret).await);
        a.admin().data(DELETE, id).await;
        assert!(!takes(&b, &secret).await);
    });
    futures_util::future::join_all(each).await;
}

/// The command line, and a server whose own listening connection is down, hear no acknowledgement. They watch the others renew.
#[tokio::test]
async fn who_holds_no_lease_finds_out_as_well() {
    let a = TestApp::new().await;
    let b = a.replica(1, None).await;
    let (id, secret) = key(&a.admin()).await;
    assert!(takes(&b, &secret).await);
    let began = Instant::now();
    a.admin().data(DELETE, id).await;
    assert!(!takes(&b, &secret).await);
    assert!(began.elapsed() < LEASE + Duration::from_secs(1));
}

#[tokio::test]
async fn a_server_that_is_cut_off_is_waited_for_no_longer_than_its_lease() {
    for freeze in [false, true] {
        let url = database().await;
        let proxy = Proxy::before(&url);
        let a = leased_on(Some(Endpoint::parse(&url).unwrap())).await;
        let b = a.replica(1, Some(proxy.endpoint.clone())).await;
        let (id, secret) = key(&a.admin()).await;
        assert!(takes(&b, &secret).await && takes(&b, &secret).await);
        if freeze {
            proxy.freeze();
        } else {
            proxy.cut();
        }
        let began = Instant::now();
        let deleting = tokio::spawn({
            let admin = a.admin();
            async move { admin.data(DELETE, id).await }
        });
        let hits = b.app.authenticator.memory().hits;
        if freeze {
            // It does not know, and may say yes: nobody has been told otherwise.
            assert!(takes(&b, &secret).await);
            assert!(b.app.authenticator.memory().hits > hits);
        }
        deleting.await.unwrap();
        let waited = began.elapsed();
        assert!(waited < LEASE + Duration::from_millis(700), "{waited:?}");
        if freeze {
            assert!(waited > Duration::from_millis(700), "{waited:?}");
        }
        assert!(!b.app.db.replicas().holds_lease());
        let hits = b.app.authenticator.memory().hits;
        // The next change does not wait for it again.
        let (id, other) = key(&a.admin()).await;
        let began = Instant::now();
        a.admin().data(DELETE, id).await;
        assert!(
            began.elapsed() < Duration::from_millis(900),
            "{:?}",
            began.elapsed()
        );
        proxy.mend();
        until(
            || b.app.db.replicas().holds_lease(),
            Duration::from_secs(12),
        )
        .await;
        assert!(!takes(&b, &secret).await && !takes(&b, &other).await);
        assert_eq!(b.app.authenticator.memory().hits, hits);
    }
}

#[tokio::test]
async fn a_dead_servers_lease_is_buried_and_a_stopped_ones_given_back() {
    let a = leased().await;
    let b = a.replica(1, None).await;
    assert_eq!(leases(&a).await, 2);
    b.app.give_lease_back().await;
    assert_eq!(leases(&a).await, 1);
    drop(b);
    let c = a.replica(2, None).await;
    assert_eq!(leases(&a).await, 2);
    // As a process that is killed.
    drop(c);
    let begin = Instant::now();
    while leases(&a).await > 1 {
        assert!(begin.elapsed() < 4 * LEASE, "nobody buried it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_request_under_a_key_waits_too_and_so_does_its_repetition() {
    let url = database().await;
    let proxy = Proxy::before(&url);
    let a = leased_on(Some(Endpoint::parse(&url).unwrap())).await;
    let b = a.replica(1, Some(proxy.endpoint.clone())).await;
    let (id, secret) = key(&a.admin()).await;
    assert!(takes(&b, &secret).await);
    let once = |name: &str, id: Value| -> Call {
        let body = json!({"query": DELETE, "variables": id});
        let call = a.admin().request("POST", "/graphql");
        call.header("idempotency-key", name).json(&body)
    };
    let answer = a.admin().send(once("one", id)).await;
    assert_eq!(answer.status, 200);
    assert!(!takes(&b, &secret).await);

    let (id, secret) = key(&a.admin()).await;
    assert!(takes(&b, &secret).await);
    proxy.freeze();
    let first = tokio::spawn({
        let (admin, call) = (a.admin(), once("two", id.clone()));
        async move { admin.send(call).await.status }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(takes(&b, &secret).await, "it was to be frozen");
    let second = a.admin().send(once("two", id)).await;
    assert_eq!(second.status, 200);
    assert!(
        !b.app.db.replicas().holds_lease(),
        "the repetition did not wait"
    );
    assert_eq!(first.await.unwrap(), 200);
}

#[tokio::test]
async fn who_cannot_find_out_says_so() {
    let url = database().await;
    let (near, far) = (Proxy::before(&url), Proxy::before(&url));
    let a = leased_on(Some(near.endpoint.clone())).await;
    let b = a.replica(1, Some(far.endpoint.clone())).await;
    let (id, secret) = key(&a.admin()).await;
    assert!(takes(&b, &secret).await);
    far.freeze();
    let deleting = tokio::spawn({
        let admin = a.admin();
        async move { admin.error(DELETE, id).await }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    near.cut();
    let (code, _, message) = deleting.await.unwrap();
    assert_eq!(code, "SERVICE_UNAVAILABLE");
    assert!(
        message.starts_with("The change is stored, but"),
        "{message}"
    );
    near.mend();
    far.mend();
    until(
        || b.app.db.replicas().holds_lease(),
        Duration::from_secs(12),
    )
    .await;
    assert!(!takes(&b, &secret).await);
}

#[tokio::test]
async fn a_change_for_a_hundred_people_is_one_announcement_and_names_only_them() {
    let a = leased().await;
    let b = a.replica(1, None).await;
    let (_, as_ada) = a.user("ada", InstanceRole::Member).await;
    let mut members = Vec::new();
    for number in 0..100 {
        let (user, _) = a.user(&format!("user{number}"), InstanceRole::Member).await;
        members.push(json!({"user": user.typed_id().to_string()}));
    }
    let ada = as_ada.key().unwrap();
    assert!(takes(&b, ada).await);
    let make = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let input = json!({"input": {"slug": "all", "members": members}});
    let made = a.admin().data(make, input).await;
    let misses = b.app.authenticator.memory().misses;
    assert!(takes(&b, ada).await);
    assert_eq!(
        b.app.authenticator.memory().misses,
        misses,
        "ada is no member"
    );
    let delete = "mutation($id: ID!) { deleteTeam(input: {id: $id}) { deletedTeamId } }";
    a.admin()
        .data(delete, json!({"id": made["createTeam"]["team"]["id"]}))
        .await;
}
