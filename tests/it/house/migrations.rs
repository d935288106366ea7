//! The migrations: they can be undone and redone, and `schema.rs` says what they make.

use std::collections::BTreeMap;

use keystead::db::migrate;

use crate::support::TestApp;

/// Every table with its columns, types, nullability, indexes, constraints and triggers, as text.
async fn dump(app: &TestApp) -> Vec<String> {
    let client = app.app.db.endpoint().client().await.unwrap();
    let queries = [
        "SELECT format('%s.%s %s %s', table_name, column_name, udt_name, is_nullable) FROM information_schema.columns
         WHERE table_schema = 'public'",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace",
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    ];
    let mut lines = Vec::new();
    for query in queries {
        for row in client.query(query, &[]).await.unwrap() {
            lines.push(row.get::<_, String>(0));
        }
    }
    lines.sort();
    lines
}

#[tokio::test]
async fn up_down_up_leaves_the_same_schema() {
    let app = TestApp::new().await;
    let first = dump(&app).await;
    assert!(first.len() > 100, "the dump is nearly empty: {first:#?}");
    let mut undone = Vec::new();
    while let Ok(name) = migrate::down(&app.app.db).await {
        undone.insert(0, name);
    }
    assert!(!undone.is_empty());
    assert_eq!(migrate::pending(&app.app.db).await.unwrap(), undone);
    let bare = dump(&app).await;
    assert!(
        bare.iter()
            .all(|line| line.contains("__diesel_schema_migrations")),
        "left behind: {bare:#?}"
    );
    let done = migrate::up(&app.app.db).await.unwrap();
    assert_eq!(done, undone, "the same names everywhere");
    assert_eq!(dump(&app).await, first);
    assert!(migrate::pending(&app.app.db).await.unwrap().is_empty());
}

/// `schema.rs` as table → column → type.
fn declared() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut tables = BTreeMap::new();
    let mut table = String::new();
    for line in concat!(
        include_str!("../../../src/db/schema.rs"),
        include_str!("../../../src/db/schema/receivers.rs"),
        include_str!("../../../src/db/schema/usage.rs"),
        include_str!("../../../src/db/schema/links.rs"),
        include_str!("../../../src/db/schema/factors.rs")
    )
    .lines()
    .map(str::trim)
    {
        if let Some((name, rest)) = line.split_once(" (")
            && rest.ends_with(") {")
        {
            table = name.to_owned();
            tables.insert(table.clone(), BTreeMap::new());
        } else if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            let columns: &mut BTreeMap<String, String> = tables.get_mut(&table).unwrap();
            columns.insert(column.to_owned(), kind.to_owned());
        }
    }
    tables
}

#[tokio::test]
async fn schema_rs_says_what_the_migrations_make() {
    let app = TestApp::new().await;
    let client = app.app.db.endpoint().client().await.unwrap();
    let rows = client
        .query(
            "SELECT table_name::text, column_name::text, udt_name::text, is_nullable::text FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'
             AND NOT (SELECT relispartition FROM pg_class WHERE oid = table_name::regclass)
             AND udt_name NOT IN ('tsvector', 'xid8')",
            &[],
        )
        .await
        .unwrap();
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in rows {
        let (table, column, kind, nullable): (String, String, String, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let name = match kind.as_str() {
            "uuid" => "Uuid",
            "text" => "Text",
            "bool" => "Bool",
            "timestamptz" => "Timestamptz",
            "jsonb" => "Jsonb",
            "bytea" => "Bytea",
            "int8" => "Int8",
            "int4" => "Int4",
            "_text" => "Array<Text>",
            "_uuid" => "Array<Uuid>",
            "numeric" => "Numeric",
            other => panic!("a type that this test does not know: {other}"),
        };
        let name = if nullable == "YES" {
            format!("Nullable<{name}>")
        } else {
            name.to_owned()
        };
        found.entry(table).or_default().insert(column, name);
    }
    assert_eq!(declared(), found);
}

#[tokio::test]
async fn audit_events_cannot_be_changed_or_deleted() {
    let app = TestApp::new().await;
    let client = app.app.db.endpoint().client().await.unwrap();
    for statement in [
        "UPDATE audit_events SET action = 'nothing'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
    ] {
        let refused = client.batch_execute(statement).await.unwrap_err();
        let message = refused.as_db_error().unwrap().message().to_owned();
        assert_eq!(
            message, "audit events are never changed or deleted",
            "{statement}"
        );
    }
}
