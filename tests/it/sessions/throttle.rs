//! Failed attempts make the next ones wait, and lock nobody out for good.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use keystead::ctx::Policy;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{PASSWORD, SIGN_IN, user};
use crate::support::{Setup, TestApp};

/// An attempt from that address; the code, and the seconds to wait.
async fn from(app: &TestApp, ip: &str, login: &str, password: &str) -> (String, u64) {
    let body =
        json!({"query": SIGN_IN, "variables": {"input": {"login": login, "password": password}}});
    let call = app.anonymous().request("POST", "/graphql").from(ip);
    let answer = app.anonymous().send(call.json(&body)).await.json();
    let extensions = &answer["errors"][0]["extensions"];
    let code = extensions["code"].as_str().unwrap_or("ok").to_owned();
    (code, extensions["retryAfter"].as_u64().unwrap_or(0))
}

/// The waits after each of so many failures, each of them waited for.
async fn waits(
    app: &TestApp,
    login: &str,
    ip: impl Fn(usize) -> String,
    failures: usize,
) -> Vec<u64> {
    let mut waits = Vec::new();
    for number in 0..failures {
        let mut waited = 0;
        loop {
            match from(app, &ip(number), login, "a wrong password").await {
                (code, _) if code == "UNAUTHENTICATED" => break,
                (code, wait) => {
                    assert_eq!(code, "RATE_LIMITED");
                    assert!(wait > 0);
                    waited += wait;
                    app.app.clock.advance(TimeDelta::seconds(wait as i64));
                }
            }
        }
        waits.push(waited);
    }
    waits
}

#[tokio::test]
async fn each_failure_makes_the_next_attempt_wait_longer() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let expected = [
        0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900,
    ];
    // Whether there is such a user or not.
    for login in ["nobody", "ada"] {
        assert_eq!(
            waits(&app, login, |_| "192.0.2.1".into(), 17).await,
            expected,
            "{login}"
        );
    }
    // The right password waits too, and then nothing is held against her any more.
    let (code, wait) = from(&app, "192.0.2.1", "ada", PASSWORD).await;
    assert_eq!((code.as_str(), wait), ("RATE_LIMITED", 900));
    assert_eq!(
        from(&app, "192.0.2.1", "ADA ", PASSWORD).await.1,
        900,
        "another spelling is the same login"
    );
    app.app.clock.advance(TimeDelta::seconds(900));
    assert_eq!(from(&app, "192.0.2.1", "ada", PASSWORD).await.0, "ok");
    assert_eq!(
        waits(&app, "ada", |_| "192.0.2.1".into(), 6).await,
        expected[..6]
    );
    // After a day everything is forgotten.
    app.app
        .clock
        .advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    assert_eq!(
        waits(&app, "nobody", |_| "192.0.2.1".into(), 6).await,
        expected[..6]
    );
    let forgotten = || keystead::sessions::ops::forget_attempts(&app.app.db, &app.app.clock);
    app.app.clock.advance(TimeDelta::days(2));
    assert!(forgotten().await.unwrap() > 0);
    assert_eq!(forgotten().await.unwrap(), 0);
}

/// Many addresses that try one login wait for each other; the owner, from an address that has not failed, never does.
#[tokio::test]
async fn nobody_is_locked_out_by_others() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let attackers = |number: usize| format!("198.51.100.{}", number % 4);
    let waited = waits(&app, "ada", attackers, 40).await;
    assert!(waited.iter().sum::<u64>() > 15 * 900, "{waited:?}");
    for ip in ["198.51.100.0", "198.51.100.1"] {
        assert_eq!(from(&app, ip, "ada", PASSWORD).await.0, "RATE_LIMITED");
    }
    assert_eq!(from(&app, "203.0.113.5", "ada", PASSWORD).await.0, "ok");
}

/// One address that tries many logins waits, and the next one does not; all of an IPv6 subscriber's addresses are one.
#[tokio::test]
async fn an_address_that_tries_many_logins_waits() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    for number in 0..100 {
        let ip = format!("2001:db8:0:1::{number:x}");
        assert_eq!(
            from(&app, &ip, &format!("user-{number}"), PASSWORD).await.0,
            "UNAUTHENTICATED"
        );
    }
    assert_eq!(
        from(&app, "2001:db8:0:1:ffff::1", "ada", PASSWORD).await.0,
        "RATE_LIMITED"
    );
    assert_eq!(from(&app, "2001:db8:0:2::1", "ada", PASSWORD).await.0, "ok");
}

/// An attempt is counted before it is made: many at once are not many for the price of one.
#[tokio::test]
async fn attempts_at_once_count_too() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let at_once = (0..40).map(|_| from(&app, "192.0.2.1", "ada", "a wrong password"));
    let codes = futures_util::future::join_all(at_once).await;
    let made = codes
        .iter()
        .filter(|(code, _)| code == "UNAUTHENTICATED")
        .count();
    let waiting = codes
        .iter()
        .filter(|(code, _)| code == "RATE_LIMITED")
        .count();
    assert_eq!((made, waiting), (5, 35), "{codes:?}");
}

/// How long an answer takes does not tell whether there is such a user, or has a password.
#[tokio::test]
async fn the_time_of_an_answer_tells_nothing() {
    let app = TestApp::with(Setup {
        policy: Policy {
            // Some ten milliseconds: far above everything else that an answer takes.
            password_cost: 8,
            ..Policy::default()
        },
        ..Setup::default()
    })
    .await;
    let hash = keystead::authn::password::hash(keystead::secrets::Secret::new(PASSWORD.into()), 8);
    user(&app, "ada", InstanceRole::Member).await;
    app.user("keyonly", InstanceRole::Member).await;
    let set = format!(
        "UPDATE users SET password_hash = '{}' WHERE username = 'ada'",
        hash.await.unwrap()
    );
    super::sql(&app, &set).await;
    let logins = ["ada", "keyonly", "nobody"];
    // What disturbs the machine makes some answers longer, never shorter, and not the same ones each time.
    let mut seen = Vec::new();
    for _ in 0..6 {
        let mut times = [Duration::MAX; 3];
        for _ in 0..7 {
            for (login, quickest) in logins.iter().zip(&mut times) {
                let since = Instant::now();
                let (code, _) = from(&app, "192.0.2.1", login, "a wrong password").await;
                *quickest = since.elapsed().min(*quickest);
                assert_eq!(code, "UNAUTHENTICATED");
            }
            app.app.clock.advance(TimeDelta::days(2));
        }
        let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!(
            *least > Duration::from_millis(3),
            "nothing was hashed: {times:?}"
        );
        if most.as_secs_f64() < 1.5 * least.as_secs_f64() {
            return;
        }
        seen.push(times);
    }
    panic!("{logins:?} take {seen:?}");
}

/// Right a moment ago, it is neither hashed nor counted again; another password, or another hash, is.
#[tokio::test]
async fn what_was_right_a_moment_ago_is_not_hashed_again() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada", InstanceRole::Member).await;
    assert_eq!(from(&app, "192.0.2.1", "ada", PASSWORD).await.0, "ok");
    for _ in 0..12 {
        from(&app, "192.0.2.1", "ada", "a wrong password").await;
    }
    assert_eq!(
        from(&app, "192.0.2.1", "ada", "a wrong password").await.0,
        "RATE_LIMITED"
    );
    assert_eq!(from(&app, "192.0.2.1", "ada", PASSWORD).await.0, "ok");
    app.app.clock.advance(TimeDelta::minutes(5));
    super::sql(
        &app,
        "UPDATE sign_in_attempts SET until = '2031-01-01Z', last_at = '2030-06-01Z'",
    )
    .await;
    assert_eq!(
        from(&app, "192.0.2.1", "ada", PASSWORD).await.0,
        "RATE_LIMITED",
        "proofs last five minutes"
    );
    super::sql(&app, "DELETE FROM sign_in_attempts").await;
    assert_eq!(from(&app, "192.0.2.1", "ada", PASSWORD).await.0, "ok");
    let other = format!(
        "UPDATE users SET password_hash = '$2b$04$KeysteadKeysteadKeysteKeysteadKeysteadKeysteadKeystea' WHERE id = '{}'",
        ada.id
    );
    super::sql(&app, &other).await;
    assert_eq!(
        from(&app, "192.0.2.1", "ada", PASSWORD).await.0,
        "UNAUTHENTICATED"
    );
}
