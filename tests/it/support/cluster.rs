//! One Postgres for all tests of this process, kept below `target/` between runs, and a migrated template to clone from.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use keystead::app::App;
use keystead::db::Endpoint;
use keystead::db::embedded::{Durability, Embedded, EmbeddedError};
use tokio::sync::OnceCell;

const TEMPLATE: &str = "keystead_template";

pub struct Cluster {
    postgres: Embedded,
    admin: Endpoint,
}

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The URL of a database of one's own: a clone of the migrated template.
pub async fn database() -> String {
    clone_of(TEMPLATE).await
}

/// The URL of a copy of that database as it stands; whoever is connected to it is cut off.
pub async fn copy(database: &Endpoint) -> String {
    let name = database.database().unwrap();
    let cluster = CLUSTER.get_or_init(start).await;
    disconnect(&cluster.admin.client().await.unwrap(), name).await;
    clone_of(name).await
}

async fn clone_of(template: &str) -> String {
    let cluster = CLUSTER.get_or_init(start).await;
    let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let client = cluster.admin.client().await.unwrap();
    client
        .batch_execute(&format!(
            "CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
        ))
        .await
        .unwrap();
    cluster.postgres.database_url(&name)
}

/// Several test processes may run at once; each takes the first folder that no other holds.
async fn start() -> Cluster {
    let base = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    for number in 0..32 {
        let folder = base.join(format!("postgres-{number}"));
        match Embedded::start(&folder, Durability::None).await {
            Ok(postgres) => return prepare(postgres).await,
            Err(EmbeddedError::AlreadyRunning { .. }) => continue,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("32 test processes run already")
}

/// Drops what earlier runs left and migrates a new template: the migrations may have changed.
async fn prepare(postgres: Embedded) -> Cluster {
    let admin = Endpoint::parse(&postgres.database_url("postgres")).unwrap();
    let client = admin.client().await.unwrap();
    let old = client
        .query(
            "SELECT datname FROM pg_database WHERE datname ~ '^t[0-9]+$' OR datname = $1",
            &[&TEMPLATE],
        )
        .await
        .unwrap();
    for row in old {
        let name: String = row.get(0);
        client
            .batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
            .await
            .unwrap();
    }
    client
        .batch_execute(&format!("CREATE DATABASE {TEMPLATE}"))
        .await
        .unwrap();
    {
        let app = App::builder(admin.with_database(TEMPLATE))
            .build()
            .await
            .unwrap();
        app.migrate().await.unwrap();
    }
    // The pool closes its connections in the background; a template must have none.
    disconnect(&client, TEMPLATE).await;
    Cluster { postgres, admin }
}

async fn disconnect(client: &tokio_postgres::Client, database: &str) {
    client
        .execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1",
            &[&database],
        )
        .await
        .unwrap();
}
