//! Made-up users, teams, keys, permissions and some usage in bulk, for demonstrations and measurements.
//!
//! - The same seed makes the same rows: times end at [`world::END`], ids and all else follow from the seed. Usage alone ends now.
//! - All in one transaction, by COPY. Nobody is asked for permission and the audit trail is silent: this is for a database of one's own.
//! - Nobody knows the secrets of the keys, unless they are asked for: then they can be foreseen by whoever knows the seed.

mod copy;
mod keys;
mod names;
mod people;
mod permissions;
mod rows;
mod usage;
mod world;

use crate::db::Endpoint;
use crate::error::{Code, Error, Result};
use std::io::Write;
use world::World;

/// How much to make.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Users; about one in twelve is a service account. At most ten million.
    pub users: u32,
    /// Keys of a user on average. At most 1,000.
    pub keys_per_user: u32,
    /// Teams; each user is in up to three. At most a million.
    pub teams: u32,
    /// Permissions in all; `None`: what teams, some users and all restricted keys hold, about a tenth as many as there are keys.
    pub permissions: Option<u64>,
    /// What everything follows from.
    pub seed: u64,
}

/// What is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Rows of `users`.
    Users,
    /// Rows of `teams`.
    Teams,
    /// Rows of `team_memberships`.
    Memberships,
    /// Rows of `api_keys`.
    Keys,
    /// Rows of `permissions`.
    Permissions,
    /// Rows of `usage_events`, and their sums.
    Usage,
    /// Indexes and foreign keys, which are built after the rows.
    Indexes,
    /// Statistics for the planner.
    Statistics,
}

impl Step {
    /// What it is called on the screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Step::Users => "users",
            Step::Teams => "teams",
            Step::Memberships => "memberships",
            Step::Keys => "keys",
            Step::Permissions => "permissions",
            Step::Usage => "usage",
            Step::Indexes => "indexes",
            Step::Statistics => "statistics",
        }
    }
}

/// How many rows were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// Users.
    pub users: u64,
    /// Teams.
    pub teams: u64,
    /// Memberships.
    pub memberships: u64,
    /// Keys.
    pub keys: u64,
    /// Permissions.
    pub permissions: u64,
    /// Usage events.
    pub usage: u64,
}

/// Fills a migrated database. `progress` hears of each step: how much of it is done, of how much. With `secrets`, the keys are real,
/// and each is written there as a line: the key's id, its owner's id and the secret, with tabs between.
///
/// # Errors
/// `CONFLICT` if the rows are there already; `SERVICE_UNAVAILABLE` if the database cannot be reached; an internal error if it or
/// `secrets` refuses.
pub async fn fill(
    endpoint: &Endpoint,
    plan: &Plan,
    mut secrets: Option<&mut (dyn Write + Send)>,
    mut progress: impl FnMut(Step, u64, u64) + Send,
) -> Result<Made> {
    let mut client = endpoint.client().await?;
    let tx = client.transaction().await.map_err(refused)?;
    let shelved = copy::shelve(&tx).await.map_err(refused)?;
    let world = World::new(plan);
    let mut made = Made::default();

    let mut users = world.users();
    let total = u64::from(plan.users);
    made.users = copy::rows(
        &tx,
        world::USERS,
        total,
        |rows| users.next(rows),
        &mut progress,
    )
    .await
    .map_err(refused)?;
    let users = users.made;

    let mut teams = world.teams(&users);
    let total = u64::from(plan.teams);
    made.teams = copy::rows(
        &tx,
        world::TEAMS,
        total,
        |rows| teams.next(rows),
        &mut progress,
    )
    .await
    .map_err(refused)?;
    let teams = teams.made;

    let people = (users.as_slice(), teams.as_slice());
    let memberships = world.memberships(users.len(), teams.len());
    let mut left = memberships.iter();
    let total = memberships.len() as u64;
    made.memberships = copy::rows(
        &tx,
        world::MEMBERSHIPS,
        total,
        |rows| {
            let next = left.next();
            next.is_some_and(|row| {
                world::membership(rows, people, row);
                true
            })
        },
        &mut progress,
    )
    .await
    .map_err(refused)?;

    let mut keys = world.keys(people, &memberships, secrets.is_some());
    let mut written = Ok(());
    made.keys = copy::rows(
        &tx,
        world::KEYS,
        total_keys(plan),
        |rows| {
            let line = keys.next(rows);
            if let (Some(line), Some(out), Ok(())) = (&line, secrets.as_mut(), &written) {
                written = out.write_all(line.as_bytes());
            }
            line.is_some()
        },
        &mut progress,
    )
    .await
    .map_err(refused)?;
    written
        .map_err(|e| Error::internal("the secrets could not be written").because(e.to_string()))?;

    let mut permissions = world.permissions(people, &keys.restricted);
    let total = permissions.total();
    made.permissions = copy::rows(
        &tx,
        world::PERMISSIONS,
        total,
        |rows| permissions.next(rows),
        &mut progress,
    )
    .await
    .map_err(refused)?;

    shelved
        .put_back(&tx, &mut progress)
        .await
        .map_err(refused)?;
    progress(Step::Usage, 0, 1);
    made.usage = usage::make(&tx).await.map_err(refused)?;
    progress(Step::Usage, 1, 1);
    tx.commit().await.map_err(refused)?;
    progress(Step::Statistics, 0, 1);
    client.batch_execute(copy::VACUUM).await.map_err(refused)?;
    progress(Step::Statistics, 1, 1);
    Ok(made)
}

fn total_keys(plan: &Plan) -> u64 {
    u64::from(plan.users) * u64::from(plan.keys_per_user)
}

fn refused(error: tokio_postgres::Error) -> Error {
    let cause = format!("{error:?}");
    match error.code() {
        Some(code) if *code == tokio_postgres::error::SqlState::UNIQUE_VIOLATION => Error::conflict(
            "Some of these rows are there already: the names of one seed and another overlap. Seed an empty database.",
        ),
        Some(_) => Error::new(Code::Internal, "The database refused the rows; nothing was stored."),
        None => Error::new(Code::ServiceUnavailable, "The connection to the database broke; nothing was stored."),
    }
    .because(cause)
}
