//! Ids are UUIDv7 and grow, whatever the clock does.

use keystead::ctx::Random;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::{Uuid, Variant};

use crate::support::TestApp;

fn millis(id: Uuid) -> u64 {
    let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
    seconds * 1_000 + u64::from(nanos) / 1_000_000
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn ids_grow_whatever_the_clock_does(
        seed: u64,
        // Mostly the same millisecond, sometimes a jump ahead or back.
        steps in prop::collection::vec(prop_oneof![4 => Just(0_i64), 1 => -5_000..5_000_i64], 1..200),
    ) {
        let random = Random::seeded(seed);
        let mut clock = 1_893_499_200_000_i64;
        let (mut last, mut latest) = (Uuid::nil(), 0);
        for step in steps {
            clock += step;
            let now = u64::try_from(clock).unwrap();
            latest = latest.max(now);
            let id = random.id(now);
            prop_assert_eq!((id.get_version_num(), id.get_variant()), (7, Variant::RFC4122));
            prop_assert_eq!(millis(id), latest, "the latest time that the clock has shown");
            prop_assert!(id > last, "{} does not follow {}", id, last);
            last = id;
        }
    }
}

#[test]
fn ids_of_one_millisecond_can_not_be_guessed_from_each_other() {
    let random = Random::seeded(7);
    let ids: Vec<u128> = (0..1_000).map(|_| random.id(1).as_u128()).collect();
    let mut steps: Vec<u128> = ids.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_unstable();
    steps.dedup();
    assert_eq!(steps.len(), 999, "every step is another");
    assert!(steps[499] > 1 << 40, "{}", steps[499]);
    // Another process makes others.
    assert_ne!(Random::seeded(8).id(1).as_u128(), ids[0]);
}

#[test]
fn threads_that_share_randomness_never_get_the_same() {
    let random = Random::system();
    let mut ids: Vec<Uuid> = std::thread::scope(|scope| {
        let made: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..5_000).map(|_| random.id(1)).collect::<Vec<_>>()))
            .collect();
        made.into_iter()
            .flat_map(|thread| {
                let ids = thread.join().unwrap();
                assert!(ids.is_sorted());
                ids
            })
            .collect()
    });
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 20_000);
}

#[tokio::test]
async fn what_is_made_in_one_moment_is_listed_in_its_order() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let mut made = Vec::new();
    for number in 0..12 {
        let create =
            "mutation($name: String!) { createUser(input: {username: $name}) { user { id } } }";
        let name = format!("user-{number}");
        let answer = admin.data(create, json!({"name": name})).await;
        made.push(answer["createUser"]["user"]["id"].clone());
    }
    let events =
        "{ auditEvents(first: 50, filter: {action: \"user.create\"}) { nodes { at target } } }";
    let answer = admin.data(events, Value::Null).await;
    let nodes = answer["auditEvents"]["nodes"].as_array().unwrap();
    assert!(nodes.iter().all(|event| event["at"] == nodes[0]["at"]));
    let told: Vec<&Value> = nodes.iter().rev().map(|event| &event["target"]).collect();
    // The first is the administrator's own.
    assert_eq!(told[1..], made.iter().collect::<Vec<_>>());
}
