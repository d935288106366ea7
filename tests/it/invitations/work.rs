//! What a token makes the server do: as much for one that was never made as for one that was of somebody.

use std::time::{Duration, Instant};

use keystead::authn::password::Passwords;
use keystead::ctx::Policy;
use keystead::graphql::settings::Settings as ApiSettings;
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use serde_json::json;

use super::tokens::{Bad, bad};
use super::{ACCEPT, CREATE, PASSWORD, SHOW, team};
use crate::support::{Client, Setup, TestApp, Work};

/// What a hash costs where times are looked at: some ten milliseconds.
const COST: u32 = 8;

async fn show(client: &Client, token: &str) -> String {
    client
        .post(&json!({"query": SHOW, "variables": {"token": token}}))
        .await
        .code()
}

async fn accept(client: &Client, token: &str) -> String {
    let input = json!({"token": token, "password": PASSWORD});
    client
        .post(&json!({"query": ACCEPT, "variables": {"input": input}}))
        .await
        .code()
}

#[tokio::test]
async fn whosever_the_token_was_it_costs_the_same_statements_and_no_hash() {
    let app = TestApp::new().await;
    let all = bad(&app).await;
    let nobody = app.anonymous();
    let recorder = Work::recorder();
    let work = Work::count(&recorder);
    for _ in 0..2 {
        show(&nobody, &all[0].token).await;
        accept(&nobody, &all[0].token).await;
    }
    let mut seen = Vec::new();
    for Bad { name, token, asked } in &all {
        let (shown, by_showing) = work.of(&app, show(&nobody, token)).await;
        let (accepted, by_accepting) = work.of(&app, accept(&nobody, token)).await;
        assert_eq!(
            (shown.as_str(), accepted.as_str()),
            ("NOT_FOUND", "NOT_FOUND"),
            "{name}"
        );
        assert_eq!((by_showing.hashed, by_accepting.hashed), (0, 0), "{name}");
        match asked {
            // Its form, which everybody can look at, says that it was never made.
            false => assert_eq!(
                (by_showing.statements, by_accepting.statements),
                (0, 0),
                "{name}"
            ),
            true => seen.push((name, by_showing, by_accepting)),
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
    let (_, showing, accepting) = seen[0];
    let same = seen
        .iter()
        .all(|each| each.1 == showing && each.2 == accepting);
    assert!(same && showing.statements > 0, "{seen:#?}");
}

/// Whoever may invite by a team alone, and sees nobody else, learns nothing of addresses by inviting them.
#[tokio::test]
async fn to_invite_an_address_tells_nothing_of_whose_it_is() {
    let app = TestApp::new().await;
    let (boss, as_boss) = app.user("boss", InstanceRole::Member).await;
    app.user("ada", InstanceRole::Auditor).await;
    let members = json!([{"user": boss.typed_id().to_string(), "role": "ADMIN"}]);
    let blue = team(&app, "blue", members).await;
    let recorder = Work::recorder();
    let work = Work::count(&recorder);
    let invite = async |email: &str| {
        let input = json!({"input": {"email": email, "memberships": [{"team": blue}]}});
        let mut answer = as_boss.gql(CREATE, input).await;
        let made = &mut answer["data"]["createInvitation"];
        made["link"].take();
        for field in ["id", "email"] {
            made["invitation"][field].take();
        }
        answer
    };
    invite("first@example.com").await;
    let (nobody, by_nobody) = work.of(&app, invite("eve@example.com")).await;
    let (somebody, by_somebody) = work.of(&app, invite("ADA@example.com")).await;
    assert_eq!(nobody, somebody);
    assert_eq!((by_nobody, by_nobody.hashed), (by_somebody, 0));
}

/// A coarse look at the times themselves: what differs among tokens is far below one hash.
#[tokio::test]
async fn the_time_of_an_answer_tells_nothing_of_a_token() {
    let app = TestApp::with(Setup {
        policy: Policy {
            password_cost: COST,
            ..Setup::default().policy
        },
        api: ApiSettings {
            requests_per_address: 0,
            ..ApiSettings::default()
        },
        ..Setup::default()
    })
    .await;
    let mut all = bad(&app).await;
    all.retain(|each| each.asked);
    let nobody = app.anonymous();
    // What disturbs the machine makes some answers longer, never shorter, and not the same ones each time.
    let mut seen = Vec::new();
    for _ in 0..6 {
        let mut times = vec![Vec::new(); all.len() + 1];
        for _ in 0..9 {
            for (each, times) in all.iter().zip(&mut times) {
                let since = Instant::now();
                accept(&nobody, &each.token).await;
                show(&nobody, &each.token).await;
                times.push(since.elapsed());
            }
            let since = Instant::now();
            let passwords = Passwords::new(&app.app.random);
            let password = Secret::new(PASSWORD.into());
            passwords
                .verify(None, &password, COST, app.app.clock.now())
                .await
                .unwrap();
            times[all.len()].push(since.elapsed());
        }
        let quickest = times
            .into_iter()
            .filter_map(|times| times.into_iter().min());
        let mut quickest: Vec<Duration> = quickest.collect();
        let hash = quickest.pop().unwrap();
        let spread = *quickest.iter().max().unwrap() - *quickest.iter().min().unwrap();
        if spread < hash / 3 {
            return;
        }
        seen.push((hash, quickest));
    }
    let names: Vec<&str> = all.iter().map(|each| each.name).collect();
    panic!("a hash, and {names:?}: {seen:#?}");
}
