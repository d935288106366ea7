//! How many statements a call sends.

use serde_json::{Value, json};

use super::{counts, record};
use crate::limits::Proxy;

#[tokio::test]
async fn a_call_sends_these_however_many_events_it_has() {
    let proxy = Proxy::new().await;
    let admin = proxy.app.admin();
    let team = admin
        .data(
            "mutation($user: ID!) { createTeam(input: {slug: \"t\", members: [{user: $user}]}) { team { id } } }",
            json!({"user": proxy.user}),
        )
        .await;
    let team = &team["createTeam"]["team"]["id"];
    proxy
        .limit(json!({"budgets": [{"name": "b", "maxUsd": "1"}]}))
        .await;
    let sent = async |events: Value, expected: &str| {
        let before = proxy.app.app.db.statements();
        assert_eq!(counts(&record(&admin, events).await), expected);
        proxy.app.app.db.statements() - before
    };
    let keys = |from: usize, count: usize| -> Value {
        (from..from + count)
            .map(|n| json!({"id": format!("{n}"), "apiKey": proxy.key, "usd": 1}))
            .collect()
    };
    let user = json!([{"id": "u", "user": proxy.user}]);
    let both =
        json!([{"id": "k", "apiKey": proxy.key}, {"id": "t", "user": proxy.user, "team": team}]);
    let found = [
        ("one event", sent(keys(0, 1), "1 0 0").await),
        ("a thousand", sent(keys(1, 1_000), "1000 0 0").await),
        ("the same again", sent(keys(1, 1_000), "0 1000 0").await),
        ("of a user", sent(user, "1 0 0").await),
        (
            "of a key, and of a user for a team",
            sent(both, "2 0 0").await,
        ),
        ("none that can be read", sent(json!([{}]), "0 0 1").await),
    ];
    let found: Vec<String> = found
        .iter()
        .map(|(case, count)| format!("{case}: {count}"))
        .collect();
    // With the one that finds out who is calling; the key or the user, memberships, what applies with the teams above, and one that records.
    insta::assert_snapshot!(found.join("\n"));
}
