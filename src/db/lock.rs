//! Advisory locks that last until the transaction ends: for invariants that span rows which are not yet there to be locked.

use diesel::QueryableByName;
use diesel::sql_types::Bool;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::Result;
use super::statement::Statement;

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Which teams lie below which, which are enabled, and what they hold. Whoever changes that takes it alone; whoever adds
    /// or removes members shares it, so that what a member gains is measured against a tree that stands still.
    TeamTree,
    /// Which users administer the instance.
    Administrators,
    /// The policy for limits.
    LimitPolicy,
    /// The policy for new users and for keys.
    Policy,
    /// How many webhooks there are.
    Webhooks,
}

impl Lock {
    /// The number by which Postgres knows it: any, but no two alike.
    fn number(self) -> i64 {
        match self {
            Lock::TeamTree => 0x6b73_0001,
            Lock::Administrators => 0x6b73_0002,
            Lock::LimitPolicy => 0x6b73_0003,
            Lock::Policy => 0x6b73_0004,
            Lock::Webhooks => 0x6b73_0010,
        }
    }
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Bool)]
    #[expect(dead_code, reason = "a row must have a column")]
    taken: bool,
}

/// Waits until no other transaction holds the lock, and holds it alone until this one ends.
///
/// # Errors
/// What the statement failed with: a deadlock, or its time-out.
pub async fn alone(conn: &mut AsyncPgConnection, lock: Lock) -> Result<()> {
    take(conn, "SELECT pg_advisory_xact_lock(", lock).await
}

/// Waits until no other transaction holds the lock alone, and shares it until this one ends.
///
/// # Errors
/// As [`alone`].
pub async fn shared(conn: &mut AsyncPgConnection, lock: Lock) -> Result<()> {
    take(conn, "SELECT pg_advisory_xact_lock_shared(", lock).await
}

async fn take(conn: &mut AsyncPgConnection, function: &'static str, lock: Lock) -> Result<()> {
    // The function returns void, which diesel cannot read.
    let statement = Statement::new(function)
        .bind(lock.number())
        .sql(") IS NULL AS taken");
    statement.load::<Taken>(conn).await?;
    Ok(())
}
