//! What the answer about a key is made of: read from the database, not from a list.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use keystead::permissions::ops::facts::{self, Identified};
use keystead::secrets::Digest;
use serde_json::Value;

use crate::db::plans::prepared;
use crate::support::TestApp;

/// Tables whose rows the answer is made of.
pub const TABLES: [&str; 6] = [
    "api_keys",
    "permissions",
    "roles",
    "team_memberships",
    "teams",
    "users",
];

/// Rows by table and primary key.
pub type Rows = BTreeMap<(&'static str, String), Value>;

/// The columns that the statement reads which identifies keys, as `table.column`.
pub async fn columns(app: &TestApp) -> BTreeSet<String> {
    let statements = prepared(app).await;
    let mut found = statements
        .keys()
        .filter(|text| text.contains("k.previous_digest = ANY"));
    let text = found.next().unwrap();
    assert_eq!(found.next(), None, "keys are identified by two statements");
    let text = text
        .replace("$1", "NULL::bytea[]")
        .replace("$2", "NULL::bytea[]");
    let client = app.app.db.endpoint().client().await.unwrap();
    client
        .batch_execute(&format!("CREATE VIEW what_is_read AS {text}"))
        .await
        .unwrap();
    let rows = client
        .query(
            "SELECT table_name || '.' || column_name FROM information_schema.view_column_usage
             WHERE view_name = 'what_is_read'",
            &[],
        )
        .await
        .unwrap();
    client
        .batch_execute("DROP VIEW what_is_read")
        .await
        .unwrap();
    rows.into_iter().map(|row| row.get(0)).collect()
}

/// All rows of all tables that are read.
pub async fn rows(app: &TestApp) -> Rows {
    let client = app.app.db.endpoint().client().await.unwrap();
    let mut found = Rows::new();
    for table in TABLES {
        let key = match table {
            "team_memberships" => "team_id::text || user_id::text",
            _ => "id::text",
        };
        let all = format!("SELECT {key}, to_jsonb(t)::text FROM {table} t");
        for row in client.query(&all, &[]).await.unwrap() {
            let json: String = row.get(1);
            found.insert((table, row.get(0)), serde_json::from_str(&json).unwrap());
        }
    }
    found
}

/// Columns in which rows that are in both differ.
pub fn changed(before: &Rows, after: &Rows) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for ((table, id), row) in before {
        let Some(new) = after.get(&(*table, id.clone())) else {
            continue;
        };
        for (column, value) in row.as_object().unwrap() {
            if new[column] != *value {
                found.insert(format!("{table}.{column}"));
            }
        }
    }
    found
}

/// The digests of all keys' secrets that work or did.
pub async fn digests(app: &TestApp) -> Vec<Digest> {
    let client = app.app.db.endpoint().client().await.unwrap();
    let all = "SELECT digest FROM api_keys UNION SELECT previous_digest FROM api_keys WHERE previous_digest IS NOT NULL";
    let rows = client.query(all, &[]).await.unwrap();
    rows.into_iter()
        .map(|row| Digest::from_stored(row.get(0)).unwrap())
        .collect()
}

/// What a server says now of each of these keys.
pub async fn said(app: &TestApp, digests: &[Digest]) -> Vec<String> {
    let found = app.app.authenticator.identified_many(digests).await;
    found.unwrap().iter().map(told).collect()
}

/// What the database says of them.
pub async fn read(app: &TestApp, digests: &[Digest]) -> Vec<String> {
    let found: HashMap<Digest, Arc<Identified>> =
        facts::by_digests(&app.app.db, app.app.clock.now(), digests.to_vec())
            .await
            .unwrap();
    digests
        .iter()
        .map(|digest| told(&found.get(digest).cloned()))
        .collect()
}

/// Everything in it, in an order of its own. Who granted a permission (`created_by`) is left out: nothing is decided by it.
fn told(key: &Option<Arc<Identified>>) -> String {
    let Some(key) = key else {
        return "nobody".to_owned();
    };
    // Without `..`: what is added to it must be compared too.
    let Identified {
        key_id,
        key_name,
        team_id,
        user_id,
        username,
        allowed_cidrs,
        digest,
        previous,
        facts,
    } = &**key;
    let given = facts.given();
    let mut teams: Vec<String> = given.teams.iter().map(|team| format!("{team:?}")).collect();
    teams.sort();
    let mut permissions: Vec<String> = given
        .permissions
        .iter()
        .map(|permission| {
            let mut permission = (**permission).clone();
            permission.created_by = None;
            format!("{permission:?}")
        })
        .collect();
    permissions.sort();
    format!(
        "{key_id} {key_name} {team_id:?} {user_id} {username} {allowed_cidrs:?} {:?} {:?} {:?} {:?} {:?} {teams:#?} {permissions:#?}",
        digest.as_bytes(),
        previous.map(|(digest, end)| (*digest.as_bytes(), end)),
        given.user,
        given.team,
        given.key
    )
}
