//! COPY, and setting indexes and foreign keys aside while it runs: building them afterwards takes a fraction of the time.

use super::Step;
use super::rows::Rows;
use super::world::Table;
use futures_util::SinkExt;
use tokio_postgres::{Error, Transaction};

/// Bytes that are gathered before they are sent.
const CHUNK: usize = 256 * 1024;

const TABLES: &str = "'{users,teams,team_memberships,api_keys,permissions}'::regclass[]";

/// After a bulk load the planner knows nothing of the rows, and no page is known to be all visible.
pub(super) const VACUUM: &str =
    "VACUUM (ANALYZE) users, teams, team_memberships, api_keys, permissions";

/// Sends the rows that `next` writes one by one until it says that there are no more: about `total`.
pub(super) async fn rows(
    tx: &Transaction<'_>,
    table: Table,
    total: u64,
    mut next: impl FnMut(&mut Rows) -> bool,
    progress: &mut impl FnMut(Step, u64, u64),
) -> Result<u64, Error> {
    let sql = format!("COPY {} ({}) FROM STDIN", table.name, table.columns);
    let sink = tx.copy_in(&sql).await?;
    tokio::pin!(sink);
    let mut rows = Rows::default();
    let mut done = 0;
    while next(&mut rows) {
        done += 1;
        if rows.len() >= CHUNK {
            sink.send(rows.take()).await?;
            progress(table.step, done, total.max(done));
        }
    }
    if rows.len() > 0 {
        sink.send(rows.take()).await?;
    }
    let made = sink.finish().await?;
    progress(table.step, made, made);
    Ok(made)
}

/// What was set aside: statements that bring it back.
pub(super) struct Shelved(Vec<String>);

/// Drops the indexes and foreign keys of the tables, unless they hold much already.
pub(super) async fn shelve(tx: &Transaction<'_>) -> Result<Shelved, Error> {
    tx.batch_execute("SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL synchronous_commit = on")
        .await?;
    let held: i64 = tx
        .query_one(
            "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM api_keys)",
            &[],
        )
        .await?
        .get(0);
    if held > 10_000 {
        return Ok(Shelved(Vec::new()));
    }
    // References first: a primary key cannot go before them, and comes back before them. Primary keys stay.
    let found = tx
        .query(
            &format!(
                "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
                        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)), 2
                 FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY ({TABLES})
                 UNION ALL
                 SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid), 1
                 FROM pg_index WHERE indrelid = ANY ({TABLES})
                     AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
                 ORDER BY 3 DESC, 2"
            ),
            &[],
        )
        .await?;
    let mut bring_back = Vec::with_capacity(found.len());
    for row in found {
        tx.batch_execute(row.get::<_, &str>(0)).await?;
        bring_back.insert(0, row.get(1));
    }
    Ok(Shelved(bring_back))
}

impl Shelved {
    /// Builds the indexes and checks the foreign keys again.
    pub(super) async fn put_back(
        self,
        tx: &Transaction<'_>,
        progress: &mut impl FnMut(Step, u64, u64),
    ) -> Result<(), Error> {
        let total = self.0.len() as u64;
        for (done, statement) in (1..).zip(&self.0) {
            tx.batch_execute(statement).await?;
            progress(Step::Indexes, done, total);
        }
        Ok(())
    }
}
