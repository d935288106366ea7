//! The form of a key.

use keystead::ctx::Random;
use keystead::secrets::{API_KEY_LENGTH, Secret, masked};
use proptest::prelude::*;
use serde_json::json;

use crate::support::TestApp;

fn generated(seed: u64) -> Secret {
    Secret::generate_api_key(&Random::seeded(seed))
}

proptest! {
    #[test]
    fn a_key_is_forty_characters_of_base62_after_its_prefix(seed: u64) {
        let key = generated(seed);
        let text = key.expose();
        prop_assert_eq!(text.len(), API_KEY_LENGTH);
        prop_assert_eq!(API_KEY_LENGTH, 40);
        prop_assert!(text.starts_with("ks_"));
        prop_assert!(text[3..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        prop_assert!(key.is_api_key());
        prop_assert_eq!(key.display_prefix(), format!("{}…", &text[..7]));
    }

    #[test]
    fn the_checksum_catches_every_change_of_one_character(seed: u64, at in 3usize..40, other in "[0-9A-Za-z]") {
        let key = generated(seed);
        let mut text = key.expose().to_owned();
        prop_assume!(text[at..=at] != other);
        text.replace_range(at..=at, &other);
        let changed = Secret::new(text);
        prop_assert!(changed.looks_like_api_key());
        prop_assert!(!changed.is_api_key());
    }

    #[test]
    fn the_checksum_catches_every_two_neighbours_that_change_places(seed: u64, at in 3usize..39) {
        let key = generated(seed);
        let mut bytes = key.expose().as_bytes().to_vec();
        prop_assume!(bytes[at] != bytes[at + 1]);
        bytes.swap(at, at + 1);
        prop_assert!(!Secret::new(String::from_utf8(bytes).unwrap()).is_api_key());
    }

    #[test]
    fn no_other_text_is_a_key(text in "\\PC{0,60}") {
        let secret = Secret::new(text);
        prop_assert!(!secret.is_api_key());
    }

    #[test]
    fn a_cut_or_lengthened_key_is_none(seed: u64, length in 0usize..40, more in "[0-9A-Za-z]{1,3}") {
        let key = generated(seed);
        prop_assert!(!Secret::new(key.expose()[..length].to_owned()).looks_like_api_key());
        let longer = key.expose().to_owned() + &more;
        prop_assert!(!Secret::new(longer).looks_like_api_key());
    }
}

#[test]
fn every_character_is_used_about_as_often() {
    let random = Random::seeded(7);
    let mut counts = std::collections::HashMap::new();
    for _ in 0..2_000 {
        let key = Secret::generate_api_key(&random);
        for byte in key.expose()[3..34].bytes() {
            *counts.entry(byte).or_insert(0u32) += 1;
        }
    }
    assert_eq!(counts.len(), 62);
    // 62,000 characters: 1,000 of each expected; six standard deviations are 190.
    assert!(
        counts.values().all(|count| (800..1_200).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn what_looks_like_a_secret_is_masked_and_names_are_not() {
    let key = generated(1);
    let session = key.expose().replace("ks_", "kss_");
    for (text, shown) in [
        (key.expose(), "ks_…"),
        (session.as_str(), "ks_…"),
        (&format!("a {}, b", key.expose()), "a ks_…, b"),
        // Cut, or with more behind it, it is most of a secret still.
        (&key.expose()[..30], "ks_…"),
        (&format!("{}_x", key.expose()), "ks_…_x"),
        ("tasks_of_the_whole_platform", "tasks_of_the_whole_platform"),
        ("ks_short", "ks_short"),
        ("desks", "desks"),
    ] {
        assert_eq!(masked(text), shown);
    }
}

#[tokio::test]
async fn a_key_in_the_wrong_field_is_not_repeated_by_the_error() {
    let app = TestApp::new().await;
    let key = app.admin_key.to_string();
    for (query, input) in [
        ("query($input: ID!) { node(id: $input) { id } }", json!(key)),
        (
            "query($input: UserBy!) { user(by: $input) { id } }",
            json!({"id": key}),
        ),
        (
            "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }",
            json!({"username": "ada", "email": key}),
        ),
        (
            "mutation($input: DeleteApiKeyInput!) { deleteApiKey(input: $input) { deletedApiKeyId } }",
            json!({"id": key}),
        ),
    ] {
        let answer = app.admin().gql(query, json!({ "input": input })).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{answer}"
        );
        assert!(!answer.to_string().contains(&key), "{answer}");
        assert!(answer.to_string().contains("'ks_…'"), "{answer}");
    }
}
