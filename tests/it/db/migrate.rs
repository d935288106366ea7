//! Migrating leaves the connections of the pool as they were.

use crate::support::TestApp;
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    timeout: String,
}

#[tokio::test]
async fn statements_keep_their_time_limit_after_a_migration() {
    let app = TestApp::new().await;
    app.app.migrate().await.unwrap();
    let mut held = Vec::new();
    for _ in 0..app.app.db.connections().0 {
        held.push(app.app.db.read("test_timeout").await.unwrap());
    }
    assert!(!held.is_empty());
    for conn in &mut held {
        let setting: Setting =
            diesel::sql_query("SELECT current_setting('statement_timeout') AS timeout")
                .get_result(&mut **conn)
                .await
                .unwrap();
        assert_eq!(setting.timeout, "10s");
    }
}
