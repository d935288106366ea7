//! The data: filled once, kept for the next run, and a sample of it.

use std::path::Path;

use keystead::api_keys::model::NewApiKey;
use keystead::app::App;
use keystead::ctx::{Actor, RequestInfo};
use keystead::db::Endpoint;
use keystead::db::pages::Cursor;

/// How many users the requests choose from.
pub const SAMPLE: usize = 2_000;

/// Fills the database the first time by `keystead seed` with these arguments, and returns a key of an administrator.
pub async fn prepare(folder: &Path, url: &str, seed: &[&str]) -> String {
    let marker = folder.join("bench.key");
    if let Ok(key) = std::fs::read_to_string(&marker) {
        return key;
    }
    let app = App::builder(Endpoint::parse(url).unwrap())
        .build()
        .await
        .unwrap();
    app.migrate().await.unwrap();
    let ctx = app.ctx(Actor::Keystead, RequestInfo::default());
    let admin = keystead::users::ops::first_admin(&ctx, "admin")
        .await
        .unwrap()
        .unwrap();
    let new = NewApiKey {
        owner: Some(admin.id),
        ..NewApiKey::default()
    };
    let (_, secret) = keystead::api_keys::ops::generate(&ctx, new).await.unwrap();
    let done = super::keystead(folder, url)
        .arg("seed")
        .args(seed)
        .status()
        .unwrap();
    assert!(done.success(), "seeding failed");
    std::fs::write(&marker, secret.expose()).unwrap();
    secret.expose().to_owned()
}

/// A page of 50 users.
pub struct Page {
    /// Whose follower is the first on it: when that user was made, and its id.
    pub after: String,
    pub after_id: String,
    /// The same as a cursor of the API.
    pub cursor: String,
    /// The ids of its users.
    pub users: Vec<String>,
}

/// How many keys `/v1/verify` is asked about.
const KEYS: usize = 200;

pub struct Sample {
    /// Secrets of keys of those users, and their digests in hexadecimal.
    pub keys: Vec<String>,
    pub digests: Vec<String>,
    pub admin: String,
    pub users: Vec<String>,
    pub pages: Vec<Page>,
}

/// Random users, and pages that begin behind some of them.
pub async fn sample(url: &str, size: usize) -> Sample {
    let client = Endpoint::parse(url).unwrap().client().await.unwrap();
    client.batch_execute("ANALYZE").await.unwrap();
    let texts =
        |rows: Vec<tokio_postgres::Row>| rows.iter().map(|row| row.get(0)).collect::<Vec<String>>();
    let random = format!("SELECT id::text FROM users ORDER BY md5(id::text) LIMIT {size}");
    let users = texts(client.query(&random, &[]).await.unwrap());
    let mut pages = Vec::new();
    for id in users.iter().take(50) {
        let at = "SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM users WHERE id = $1::text::uuid";
        let after: String = client.query_one(at, &[id]).await.unwrap().get(0);
        let behind = "SELECT id::text FROM users WHERE (created_at, id) > ((SELECT created_at FROM users WHERE id = $1::text::uuid),
             $1::text::uuid) ORDER BY created_at, id LIMIT 50";
        pages.push(Page {
            cursor: Cursor::time(after.parse().unwrap(), id.parse().unwrap())
                .encode("users:createdAt"),
            users: texts(client.query(behind, &[id]).await.unwrap()),
            after_id: id.clone(),
            after,
        });
    }
    let admin = "SELECT id::text FROM users WHERE username = 'admin'";
    let (keys, digests) = keys(url, &users).await;
    Sample {
        keys,
        digests,
        admin: client.query_one(admin, &[]).await.unwrap().get(0),
        users,
        pages,
    }
}

/// Makes keys for some of the users, who may do what they may do.
async fn keys(url: &str, users: &[String]) -> (Vec<String>, Vec<String>) {
    let app = App::builder(Endpoint::parse(url).unwrap())
        .build()
        .await
        .unwrap();
    let ctx = app.ctx(Actor::Keystead, RequestInfo::default());
    let (mut keys, mut digests) = (Vec::new(), Vec::new());
    for owner in users.iter().take(KEYS) {
        let new = NewApiKey {
            owner: Some(owner.parse().unwrap()),
            ..NewApiKey::default()
        };
        let (_, secret) = keystead::api_keys::ops::generate(&ctx, new).await.unwrap();
        keys.push(secret.expose().to_owned());
        digests.push(
            secret
                .digest()
                .as_bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        );
    }
    (keys, digests)
}
