//! Answers that hold a new secret: replayed to whoever made them, readable to nobody else.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::send;
use crate::support::TestApp;

const GENERATE: &str = "mutation($name: String!) { generateApiKey(input: {name: $name}) { secret apiKey { name owner { username } } } }";

#[tokio::test]
async fn the_same_secret_is_answered_again_and_is_nowhere_in_the_clear() {
    let app = TestApp::new().await;
    let (_, as_ada) = app.user("ada", InstanceRole::Member).await;
    let name = json!({"name": "ci"});
    let first = send(&as_ada, "one", GENERATE, name.clone()).await;
    let made = &first.json()["data"]["generateApiKey"];
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert_eq!(made["apiKey"]["owner"]["username"], "ada");
    assert_eq!(
        send(&as_ada, "one", GENERATE, name.clone()).await.body,
        first.body
    );
    let with_it = app.with_key(&secret);
    let who = with_it
        .data("{ viewer { user { username } } }", json!({}))
        .await;
    assert_eq!(who["viewer"]["user"]["username"], "ada");

    // Another credential of the same user cannot open the answer.
    let other = send(&with_it, "one", GENERATE, name).await;
    assert_eq!(other.code(), "IDEMPOTENCY_KEY_REUSED");
    assert!(
        other.text().contains("only that key opens its answer"),
        "{}",
        other.text()
    );
    assert!(!other.text().contains(&secret));

    let client = app.app.db.endpoint().client().await.unwrap();
    let stored = "SELECT answer FROM idempotency_keys";
    let sealed: Vec<u8> = client.query_one(stored, &[]).await.unwrap().get(0);
    assert!(sealed.len() > secret.len());
    for readable in ["ks_", &secret, "generateApiKey", "ada"] {
        let found = sealed
            .windows(readable.len())
            .any(|part| part == readable.as_bytes());
        assert!(!found, "{readable} can be read in the table");
    }
    // Altered, it opens for nobody.
    let spoil =
        "UPDATE idempotency_keys SET answer = set_byte(answer, 20, 255 - get_byte(answer, 20))";
    client.execute(spoil, &[]).await.unwrap();
    let spoiled = send(&as_ada, "one", GENERATE, json!({"name": "ci"})).await;
    assert_eq!(spoiled.code(), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(spoiled.json().get("data"), None::<&Value>);
}
