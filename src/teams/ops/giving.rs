//! Measuring what a change of teams gives to people.
//!
//! A team has no rights of its own: its members hold them through it, together with what they hold themselves and through other
//! teams, and one row can hide or replace another. So what a change gives cannot be read from the team alone: a row of `NO_ACCESS` that
//! a former parent no longer contributes uncovers whatever each member holds elsewhere. The exact way is to compare, for everybody
//! whom the change touches, what it holds before and after; both are read in the transaction that makes the change, while no other
//! changes the tree of teams (`Lock::TeamTree`). Restricted keys need no look: they hold at most what their owners do.

use std::collections::HashMap;

use uuid::Uuid;

use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::permissions::facts::Facts;
use crate::permissions::gains::Exempt;
use crate::permissions::model::Principal;
use crate::permissions::ops::{access, facts};
use crate::teams::store::tree;

/// How many people one change may touch, unless an administrator of the instance makes it.
const MAX_TOUCHED: i64 = 1_000;

/// What some users held before a change.
#[must_use = "a change that was measured must be compared"]
pub(crate) struct Measured {
    before: HashMap<Principal, Facts>,
}

impl Measured {
    /// For a change that gives nothing to anybody.
    pub(crate) fn nothing() -> Self {
        Measured {
            before: HashMap::new(),
        }
    }

    /// What these users hold now. Nothing is read where the actor holds everything: it may give whatever there is.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub(crate) async fn of(ctx: &Ctx, tx: &mut Tx, users: &[Uuid]) -> Result<Self> {
        if users.is_empty() || access::holds_everything(ctx) {
            return Ok(Self::nothing());
        }
        let users: Vec<Principal> = users.iter().copied().map(Principal::User).collect();
        let before = facts::of_principals(tx, ctx.now(), &users).await?;
        Ok(Measured { before })
    }

    /// What everybody holds now who belongs to the team or to one below it.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if they are more than can be measured; `SERVICE_UNAVAILABLE`.
    pub(crate) async fn of_team(ctx: &Ctx, tx: &mut Tx, team: Uuid) -> Result<Self> {
        if access::holds_everything(ctx) {
            return Ok(Self::nothing());
        }
        let users = tree::users_below(tx, team, MAX_TOUCHED + 1).await?;
        if users.len() > MAX_TOUCHED as usize {
            return Err(Error::new(
                Code::LimitExceeded,
                format!(
                    "More than {MAX_TOUCHED} people belong to this team and those below it, too many to compare what each would \
                     gain. An administrator of the instance can do it."
                ),
            ));
        }
        Self::of(ctx, tx, &users).await
    }

    /// Refuses the change, which the transaction has made, if it gave anybody a right that the actor lacks.
    ///
    /// # Errors
    /// `FORBIDDEN` naming the right; `SERVICE_UNAVAILABLE`.
    pub(crate) async fn compare(self, ctx: &Ctx, tx: &mut Tx, exempt: &[Exempt]) -> Result<()> {
        if self.before.is_empty() {
            return Ok(());
        }
        let users: Vec<Principal> = self.before.keys().copied().collect();
        let after = facts::of_principals(tx, ctx.now(), &users).await?;
        for (user, after) in &after {
            let Some(before) = self.before.get(user) else {
                continue;
            };
            access::may_give(ctx, before, after, user, exempt)?;
        }
        Ok(())
    }
}
