//! No statement scans a table: every statement that the examples of the API make the app prepare is planned with sequential
//! scans switched off. What still scans has no index.

use std::collections::BTreeMap;

use crate::docs::api;
use crate::support::TestApp;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Text};
use diesel_async::RunQueryDsl;
use serde_json::json;

#[derive(QueryableByName)]
struct Prepared {
    #[diesel(sql_type = Text)]
    statement: String,
    #[diesel(sql_type = Array<Text>)]
    types: Vec<String>,
}

/// Lists with filters and orders that the page of examples does not use.
const MORE: [&str; 18] = [
    "{ users(filter: {kind: PERSON, role: MEMBER, enabled: true, createdFrom: \"2020-01-01T00:00:00Z\"}) { totalCount } }",
    "{ users(last: 3, orderBy: {field: USERNAME, direction: DESC}) { totalCount nodes { id } } }",
    "{ user(by: {email: \"ada@example.com\"}) { id } }",
    "{ users { nodes { apiKeys(first: 2) { totalCount nodes { id } } teams(first: 2) { totalCount nodes { id } } } } }",
    "{ users { nodes { memberships { totalCount } permissions { totalCount nodes { id } } auditEvents { nodes { id } } } } }",
    "{ teams(filter: {search: \"re\"}) { totalCount nodes { children { totalCount nodes { id } } parent { id } } } }",
    "{ teams { nodes { members { totalCount } apiKeys { totalCount nodes { id } } permissions { totalCount nodes { id } } } } }",
    "{ apiKeys(filter: {search: \"first\"}) { totalCount nodes { owner { id } team { id } createdBy { id } } } }",
    "{ apiKeys(first: 2) { totalCount nodes { permissions { totalCount nodes { id } } } } }",
    "{ permissions { totalCount nodes { createdBy { id } } } }",
    "{ auditEvents { totalCount nodes { id } } }",
    "{ auditEvents(filter: {action: \"user.create\"}) { totalCount nodes { id } } }",
    "{ roles { id name } }",
    "{ limitPolicy { apiKeyBounds { maxParallel } } }",
    "{ invitations(filter: {status: PENDING, email: \"a@example.com\"}) { totalCount nodes { id } } }",
    "{ accessRequests(filter: {status: PENDING, path: \"/models\"}) { totalCount nodes { id } } }",
    "{ policy { apiKeys { maxPerUser } } }",
    "{ viewer { user { id } } }",
];

/// Every statement that the app's connections have prepared, with the types of its values.
pub async fn prepared(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    let mut held = Vec::new();
    for _ in 0..app.app.db.connections().0 {
        held.push(app.app.db.read("test_prepared").await.unwrap());
    }
    let mut statements = BTreeMap::new();
    for conn in &mut held {
        let rows: Vec<Prepared> = diesel::sql_query(
            "SELECT statement, parameter_types::text[] AS types FROM pg_prepared_statements",
        )
        .load(&mut **conn)
        .await
        .unwrap();
        statements.extend(rows.into_iter().map(|row| (row.statement, row.types)));
    }
    statements
}

#[tokio::test]
async fn no_statement_scans_a_table() {
    let app = TestApp::new().await;
    api::run(&app, include_str!("../../../docs/api.md")).await;
    for query in MORE {
        app.admin().data(query, json!({})).await;
    }
    // Members see other parts of the lists than administrators.
    let (_, member) = app
        .user("plans", keystead::permissions::model::InstanceRole::Member)
        .await;
    for query in MORE {
        member.gql(query, json!({})).await;
    }
    let statements = prepared(&app).await;
    assert!(
        statements.len() > 40,
        "only {} statements were seen",
        statements.len()
    );
    let client = app.app.db.endpoint().client().await.unwrap();
    client
        .batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        .await
        .unwrap();
    let mut scans = Vec::new();
    for (number, (statement, types)) in statements.iter().enumerate() {
        // A count reads what it counts: of a list that few conditions narrow that is the table.
        if statement.contains("pg_prepared_statements") || statement.starts_with("SELECT count(*)")
        {
            continue;
        }
        let types = if types.is_empty() {
            String::new()
        } else {
            format!("({})", types.join(", "))
        };
        let nulls = vec!["NULL"; types.matches(',').count() + usize::from(!types.is_empty())];
        let values = if nulls.is_empty() {
            String::new()
        } else {
            format!("({})", nulls.join(", "))
        };
        client
            .batch_execute(&format!("PREPARE s{number} {types} AS {statement}"))
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        let plan = client
            .query(
                &format!("EXPLAIN (COSTS off) EXECUTE s{number} {values}"),
                &[],
            )
            .await
            .unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        if plan.iter().any(|line| line.contains("Seq Scan")) {
            scans.push(format!("{statement}\n{}", plan.join("\n")));
        }
    }
    assert!(
        scans.is_empty(),
        "{} statements scan a table:\n\n{}",
        scans.len(),
        scans.join("\n\n")
    );
}
