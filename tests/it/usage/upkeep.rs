//! The tables of events: made ahead, and dropped when they are too old; sums stay.

use chrono::TimeDelta;
use keystead::ctx::Policy;
use serde_json::json;

use super::report::world::{Event, World, spent};
use crate::support::{Setup, TestApp};

/// The months that have a table.
async fn months(app: &TestApp) -> Vec<String> {
    let client = app.app.db.endpoint().client().await.unwrap();
    let tables = "SELECT right(relname::text, 7) FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'usage_events_%' ORDER BY 1";
    let rows = client.query(tables, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn events(app: &TestApp) -> i64 {
    let client = app.app.db.endpoint().client().await.unwrap();
    let count = "SELECT count(*) FROM usage_events";
    client.query_one(count, &[]).await.unwrap().get(0)
}

/// Without the tables that the migration made, which are those of the day on which it ran.
async fn without_tables(app: &TestApp) {
    let client = app.app.db.endpoint().client().await.unwrap();
    client
        .query("SELECT usage_expire('2029-06-01T00:00:00Z')", &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn months_are_made_ahead() {
    let app = TestApp::new().await;
    without_tables(&app).await;
    assert_eq!(months(&app).await, Vec::<String>::new());
    assert_eq!(
        app.app.missing_usage_months().await.unwrap(),
        ["2030-01", "2030-02", "2030-03"]
    );
    app.app.tend_usage().await.unwrap();
    assert_eq!(months(&app).await, ["2030_01", "2030_02", "2030_03"]);
    assert_eq!(
        app.app.missing_usage_months().await.unwrap(),
        Vec::<String>::new()
    );
    app.app.clock.advance(TimeDelta::days(59));
    assert_eq!(
        app.app.missing_usage_months().await.unwrap(),
        ["2030-04", "2030-05"]
    );
    app.app.tend_usage().await.unwrap();
    assert_eq!(months(&app).await.last().unwrap(), "2030_05");
}

#[tokio::test]
async fn a_month_is_dropped_when_its_last_moment_is_too_old_and_its_sums_stay() {
    let world = World::new().await;
    without_tables(&world.app).await;
    let by = world.spenders[0];
    world
        .record(&[
            Event::of(by, "2028-11-30T23:59:59.999999Z", 1),
            Event::of(by, "2028-12-01T00:00:00Z", 20),
            Event::of(by, "2029-12-31T00:00:00Z", 300),
        ])
        .await;
    let app = &world.app.app;
    // 400 days before 2030-01-05 is 2028-12-01: until then the first month has something that is kept.
    app.clock.advance(TimeDelta::days(3));
    assert_eq!(app.tend_usage().await.unwrap(), 0);
    app.clock.advance(TimeDelta::hours(12));
    assert_eq!(app.tend_usage().await.unwrap(), 1);
    assert_eq!(app.tend_usage().await.unwrap(), 0);
    assert_eq!(
        months(&world.app).await,
        ["2028_12", "2029_12", "2030_01", "2030_02", "2030_03"]
    );
    assert_eq!(events(&world.app).await, 2);
    let all = json!({"from": "2028-01-01T00:00:00Z", "to": "2030-02-01T00:00:00Z"});
    assert_eq!(spent(&world.app.admin(), all).await, "0.000321");
    let dropped = json!({"from": "2028-11-30T23:45:00Z", "to": "2028-12-01T00:00:00Z"});
    assert_eq!(spent(&world.app.admin(), dropped).await, "0.000001");
}

#[tokio::test]
async fn for_ever_is_for_ever() {
    let policy = Policy {
        password_cost: 4,
        usage_retention: None,
        ..Policy::default()
    };
    let setup = Setup {
        policy,
        ..Setup::default()
    };
    let app = TestApp::with(setup).await;
    let before = months(&app).await;
    assert_eq!(app.app.tend_usage().await.unwrap(), 0);
    assert!(
        before.iter().all(|month| month.as_str() < "2029"),
        "{before:?}"
    );
    assert_eq!(months(&app).await.len(), before.len() + 3);
}

#[tokio::test]
async fn many_servers_do_it_at_once_and_nobody_waits_for_a_reader() {
    let world = World::new().await;
    without_tables(&world.app).await;
    let by = world.spenders[0];
    world
        .record(&[
            Event::of(by, "2027-01-31T00:00:00Z", 1),
            Event::of(by, "2027-02-01T00:00:00Z", 1),
        ])
        .await;
    let apps = [
        world.app.beside(7).await,
        world.app.beside(8).await,
        world.app.beside(9).await,
    ];
    // A reader of the old month holds it.
    let reader = world.app.app.db.endpoint().client().await.unwrap();
    reader
        .batch_execute("BEGIN; SELECT count(*) FROM usage_events_2027_01")
        .await
        .unwrap();
    let (one, two, three) = tokio::join!(
        apps[0].tend_usage(),
        apps[1].tend_usage(),
        apps[2].tend_usage()
    );
    let outcomes = [one, two, three];
    let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert!(refused > 0, "{outcomes:?}");
    assert_eq!(events(&world.app).await, 2);
    reader.batch_execute("COMMIT").await.unwrap();
    let (one, two, three) = tokio::join!(
        apps[0].tend_usage(),
        apps[1].tend_usage(),
        apps[2].tend_usage()
    );
    let gone: i64 = [one, two, three]
        .into_iter()
        .map(|outcome| outcome.unwrap())
        .sum();
    assert_eq!((gone, events(&world.app).await), (2, 0));
}
