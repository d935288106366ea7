//! The world that is tried upon, what is in its database, and the way back.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::matrix::world::World;
use crate::support;

/// A world, with a copy of every row to go back to.
pub struct Ground {
    pub world: World,
    pub admin: support::Client,
    /// Of users by time, of users by name, of permissions.
    pub cursors: [String; 3],
    database: Client,
    fingerprint: String,
    restore: String,
}

impl Ground {
    pub async fn new() -> Ground {
        let world = World::new().await;
        let admin = world.app.admin();
        let data = admin
            .data(
                "{ a: users { pageInfo { startCursor } } b: users(orderBy: {field: USERNAME}) { pageInfo { startCursor } }
                    c: permissions { pageInfo { startCursor } } }",
                json!({}),
            )
            .await;
        let cursor = |list: &str| {
            let found = &data[list]["pageInfo"]["startCursor"];
            found.as_str().unwrap().to_owned()
        };
        let cursors = ["a", "b", "c"].map(cursor);
        let database = world.app.app.db.endpoint().client().await.unwrap();
        let (fingerprint, restore) = statements(&database).await;
        Ground {
            world,
            admin,
            cursors,
            database,
            fingerprint,
            restore,
        }
    }

    /// A text that differs if any row does, but for when something was last used.
    pub async fn fingerprint(&self) -> String {
        // A failed attempt to sign in is counted on purpose, and would make the next one wait.
        let forget = "DELETE FROM sign_in_attempts";
        self.database.batch_execute(forget).await.unwrap();
        let row = self.database.query_one(&self.fingerprint, &[]).await;
        row.unwrap().get(0)
    }

    /// Puts every row back.
    pub async fn restore(&self) {
        self.database.batch_execute(&self.restore).await.unwrap();
    }

    /// The ids of the world by their names.
    pub fn named(&self, text: &str) -> String {
        let ids = self.world.ids.iter();
        ids.fold(text.to_owned(), |text, (name, id)| text.replace(id, name))
    }

    pub fn id(&self, name: &str) -> Value {
        json!(self.world.ids[name])
    }
}

/// What reads a fingerprint of all tables, and what restores them from the copies that this makes.
async fn statements(database: &Client) -> (String, String) {
    let rows = database
        .query(
            "SELECT table_name::text, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
                FROM information_schema.columns
                WHERE table_schema = 'public' AND is_generated = 'NEVER'
                    AND table_name NOT IN ('leases', '__diesel_schema_migrations')
                GROUP BY 1 ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    let mut prints = Vec::new();
    let mut restore = String::from("SET session_replication_role = replica; BEGIN;");
    let mut save = String::from("CREATE SCHEMA saved;");
    for row in rows {
        let (table, columns): (String, String) = (row.get(0), row.get(1));
        save += &format!("CREATE TABLE saved.{table} AS SELECT {columns} FROM {table};");
        restore += &format!(
            "DELETE FROM {table}; INSERT INTO {table} ({columns}) SELECT {columns} FROM saved.{table};"
        );
        prints.push(format!(
            "(SELECT count(*) || ':' || coalesce(sum(hashtextextended(
                (to_jsonb(t) - '{{last_used_at,last_used_from}}'::text[])::text, 0)), 0) FROM {table} t)"
        ));
    }
    assert!(prints.len() >= 8, "{prints:?}");
    restore += "COMMIT; SET session_replication_role = DEFAULT";
    database.batch_execute(&save).await.unwrap();
    (
        format!("SELECT concat_ws(' ', {})", prints.join(", ")),
        restore,
    )
}
