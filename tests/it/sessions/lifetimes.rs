//! How long sessions last.

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{moment, refusal, signed_in, user, works};
use crate::support::TestApp;

/// Used again and again it lasts, but not for ever.
#[tokio::test]
async fn use_puts_the_end_off_but_not_for_ever() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    let ends = "{ viewer { session { expiresAt lastUsedAt createdAt } } }";
    let begun = app.app.clock.now();
    let told = ada.data(ends, json!({})).await;
    assert_eq!(
        moment(&told["viewer"]["session"]["expiresAt"]),
        begun + TimeDelta::days(1)
    );
    for _ in 0..14 * 2 - 1 {
        app.app.clock.advance(TimeDelta::hours(12));
        assert!(works(&ada).await);
        app.app.flush_last_used().await.unwrap();
    }
    let told = ada.data(ends, json!({})).await;
    let session = &told["viewer"]["session"];
    assert_eq!(moment(&session["expiresAt"]), begun + TimeDelta::days(14));
    assert_eq!(moment(&session["lastUsedAt"]), app.app.clock.now());
    app.app
        .clock
        .advance(TimeDelta::hours(12) - TimeDelta::microseconds(1));
    assert!(works(&ada).await);
    app.app.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(
        refusal(&ada).await.1,
        "This session is unknown or has ended. Sign in again."
    );
}

#[tokio::test]
async fn left_alone_it_ends() {
    let app = TestApp::new().await;
    user(&app, "ada", InstanceRole::Member).await;
    let (_, ada) = signed_in(&app, "ada").await;
    app.app
        .clock
        .advance(TimeDelta::days(1) - TimeDelta::microseconds(1));
    assert!(works(&ada).await);
    app.app.flush_last_used().await.unwrap();
    app.app.clock.advance(TimeDelta::days(1));
    assert_eq!(refusal(&ada).await.0, "UNAUTHENTICATED");
    // Nobody can use it: it is listed no more, and in time cleared away.
    let (_, again) = signed_in(&app, "ada").await;
    let list = "{ viewer { sessions { totalCount nodes { current } } } }";
    let told = again.data(list, json!({})).await;
    assert_eq!(
        told["viewer"]["sessions"],
        json!({"totalCount": 1, "nodes": [{"current": true}]})
    );
    let terms = app.app.policy.sessions;
    let purge = || keystead::sessions::ops::purge(&app.app.db, &app.app.clock, &terms);
    assert_eq!(purge().await.unwrap(), 0, "within the margin");
    app.app.clock.advance(TimeDelta::hours(1));
    assert_eq!(purge().await.unwrap(), 1);
    assert!(works(&again).await);
}

/// One server hears of a use, and another one answers next: what the first has stored, or knows, counts.
#[tokio::test]
async fn a_use_on_one_server_counts_on_another() {
    let first = TestApp::new().await;
    user(&first, "ada", InstanceRole::Member).await;
    let (one, two) = (first.replica(1, None).await, first.replica(2, None).await);
    let (_, ada) = signed_in(&one, "ada").await;
    let there = two.with_key(ada.key().unwrap());
    assert!(works(&there).await);
    for app in [&one, &two] {
        app.app.clock.advance(TimeDelta::hours(20));
    }
    assert!(works(&ada).await);
    one.app.flush_last_used().await.unwrap();
    for app in [&one, &two] {
        app.app.clock.advance(TimeDelta::hours(20));
    }
    // Remembered there is a use of forty hours ago.
    assert!(works(&there).await);
    // A use that is not stored yet counts where it was.
    two.app.clock.advance(TimeDelta::hours(23));
    assert!(works(&there).await);
}
