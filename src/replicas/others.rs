//! The leases of other processes, as this one has seen them: who is to be waited for, and who is dead.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::Mutex;
use uuid::Uuid;

use super::lease::Moment;
use super::model::LeaseRow;
use super::store;
use crate::db::{self, Connection};

/// What is known of the others' leases.
#[derive(Debug, Default)]
pub(super) struct Others {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The moment before the last look was sent.
    began: Option<Moment>,
    living: Vec<LeaseRow>,
    /// Since when each lease is known to stand at the same renewal.
    unchanged: HashMap<Uuid, (i64, Moment)>,
}

impl Others {
    /// The leases of other processes that may still be held, by a look that began after `moment`. Looks are shared: who comes while one
    /// is under way waits for it, and one of those looks for all.
    ///
    /// A lease that two looks, apart by more than its length, find at the same renewal has run out wherever it was held: its holder
    /// counts from before it sent that renewal, we from after we saw it. It is deleted, unless it is renewed in that very moment; a
    /// holder whose lease is gone cannot renew it.
    pub(super) async fn look(
        &self,
        conn: &mut Connection,
        process: Uuid,
        moment: Moment,
    ) -> db::Result<Vec<LeaseRow>> {
        let mut seen = self.seen.lock().await;
        if seen.began.is_some_and(|began| began > moment) {
            return Ok(seen.living.clone());
        }
        let began = Moment::now();
        let rows = store::all(conn).await?;
        let now = Moment::now();
        let mut living = Vec::new();
        let mut unchanged = HashMap::new();
        for row in rows.into_iter().filter(|row| row.process != process) {
            let since = match seen.unchanged.get(&row.id) {
                Some((renewals, since)) if *renewals == row.renewals => *since,
                _ => now,
            };
            if began.since(since) > row.length && store::bury(conn, &row).await? {
                tracing::info!(
                    holder = row.holder,
                    "the lease of a server that is gone was deleted"
                );
                continue;
            }
            unchanged.insert(row.id, (row.renewals, since));
            living.push(row);
        }
        *seen = Seen {
            began: Some(began),
            living: living.clone(),
            unchanged,
        };
        Ok(living)
    }

    /// How long until the last of these leases has run out if it is not renewed, at most.
    pub(super) fn longest(living: &[LeaseRow]) -> Duration {
        living
            .iter()
            .map(|row| row.length)
            .max()
            .unwrap_or_default()
    }
}
