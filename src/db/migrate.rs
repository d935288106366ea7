//! Migrations: embedded in the binary, run at start, by one process at a time.

use diesel::QueryableByName;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::Text;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::pool::{Conn, Db};
use super::statement::Statement;
use crate::error::{Code, Error, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// One number for all processes: whoever holds the advisory lock migrates, the others wait.
const LOCK: i64 = 0x006b_6579_7374_6561;

/// Brings the database to this binary's schema. Returns the names of the migrations that ran, oldest first.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached; an internal error when a migration fails (it is undone).
pub async fn up(db: &Db) -> Result<Vec<String>> {
    harness(db, |harness| {
        let ran = harness.run_pending_migrations(MIGRATIONS)?;
        let ran: Vec<String> = ran.iter().map(ToString::to_string).collect();
        Ok(named(&ran)?)
    })
    .await
}

/// The names of those versions, in their order; one that this binary does not know keeps its number.
fn named(versions: &[String]) -> Result<Vec<String>> {
    let known = known()?;
    let name = |version: &String| {
        let names = known.iter().map(|migration| migration.name());
        let mut fitting = names.filter(|name| name.version().to_string() == *version);
        fitting
            .next()
            .map_or_else(|| version.clone(), ToString::to_string)
    };
    Ok(versions.iter().map(name).collect())
}

/// Takes the newest migration back and returns its name. For tests and for operators who return to the version before.
///
/// # Errors
/// As [`up`].
pub async fn down(db: &Db) -> Result<String> {
    harness(db, |harness| {
        let version = harness.revert_last_migration(MIGRATIONS)?.to_string();
        Ok(named(&[version])?.remove(0))
    })
    .await
}

/// The migrations this binary knows that the database has not, oldest first. It only looks: it writes nothing, and waits for no process
/// that is migrating.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn pending(db: &Db) -> Result<Vec<String>> {
    let applied = applied(db).await?;
    let mut pending: Vec<(String, String)> = known()?
        .iter()
        .map(|migration| migration.name())
        .map(|name| (name.version().to_string(), name.to_string()))
        .filter(|(version, _)| !applied.contains(version))
        .collect();
    pending.sort();
    Ok(pending.into_iter().map(|(_, name)| name).collect())
}

/// A row of one text.
#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

/// The versions that have run.
async fn applied(db: &Db) -> super::Result<Vec<String>> {
    let mut conn = db.read("read_migrations").await?;
    let begun = "SELECT to_regclass('__diesel_schema_migrations')::text AS text WHERE to_regclass('__diesel_schema_migrations') IS NOT NULL";
    let begun: Vec<Line> = Statement::new(begun).load(&mut conn).await?;
    if begun.is_empty() {
        return Ok(Vec::new());
    }
    let versions: Vec<Line> =
        Statement::new("SELECT version::text AS text FROM __diesel_schema_migrations")
            .load(&mut conn)
            .await?;
    Ok(versions.into_iter().map(|line| line.text).collect())
}

/// The name of the newest migration in this binary.
pub fn newest() -> String {
    let names = known().unwrap_or_default();
    let mut names: Vec<String> = names
        .iter()
        .map(|migration| migration.name().to_string())
        .collect();
    names.sort();
    names.pop().unwrap_or_default()
}

fn known() -> Result<Vec<Box<dyn Migration<Pg>>>> {
    MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(|error| Error::internal(error.to_string()))
}

type Harness = AsyncMigrationHarness<Conn>;
type BoxedError = Box<dyn std::error::Error + Send + Sync>;

async fn harness<T, F>(db: &Db, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&mut Harness) -> std::result::Result<T, BoxedError> + Send + 'static,
{
    let mut conn = db.read("migrate").await?;
    conn.batch_execute(&format!(
        "SELECT set_config('keystead.statement_timeout', current_setting('statement_timeout'), false);
         SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})"
    ))
    .await
    .map_err(super::Failure::from)?;
    // The harness blocks; it gets a thread of its own.
    let (mut conn, done) = tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        let done = work(&mut harness);
        (harness.into_inner(), done)
    })
    .await
    .map_err(|error| Error::internal(error.to_string()))?;
    conn.batch_execute(&format!(
        "SELECT pg_advisory_unlock({LOCK}), set_config('statement_timeout', current_setting('keystead.statement_timeout'), false)"
    ))
    .await
    .map_err(super::Failure::from)?;
    done.map_err(|error| {
        Error::new(
            Code::Internal,
            "The database could not be brought to this version's schema.",
        )
        .because(super::failure::explained(error.to_string()))
    })
}
