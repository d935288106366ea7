//! A context that is bound to one transaction.

use super::{Ctx, Events};
use crate::db::Op;
use crate::error::Result;

/// Several operations that take effect together or not at all, as a single one of a client's does. Dropped before its end, nothing of
/// them has happened.
pub struct Whole {
    /// The context in which they run.
    pub ctx: Ctx,
    events: Events,
}

impl Whole {
    /// Begins, under that name.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn begin(ctx: &Ctx, op: Op) -> Result<Self> {
        Ok(Whole {
            ctx: Ctx {
                db: ctx.db.bind(op).await?,
                // What is not committed is not announced.
                events: Events::default(),
                ..ctx.clone()
            },
            events: ctx.events.clone(),
        })
    }

    /// Makes all of it take effect.
    ///
    /// # Errors
    /// As [`crate::db::Tx::commit`].
    pub async fn commit(self) -> Result<()> {
        self.ctx.db.commit_bound(true).await?;
        self.events.publish();
        Ok(())
    }

    /// Undoes all of it.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached, which undoes it too.
    pub async fn undo(self) -> Result<()> {
        Ok(self.ctx.db.commit_bound(false).await?)
    }

    /// Makes what was done take effect if it went well, and else undoes it.
    ///
    /// # Errors
    /// That of what was done; as [`crate::db::Tx::commit`].
    pub async fn end<T>(self, done: Result<T>) -> Result<T> {
        match &done {
            Ok(_) => self.commit().await?,
            // What went wrong is told before what became of undoing it, which the end of the connection does too.
            Err(_) => drop(self.undo().await),
        }
        done
    }
}
