//! Measuring, within a transaction, what a change of permissions gives to whom.

use std::collections::HashMap;

use super::{access, facts};
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::permissions::facts::{Facts, PermissionFact};
use crate::permissions::gains::{Gain, Reach};
use crate::permissions::model::Principal;
use crate::permissions::store::rows;

/// Everybody who may come to hold more by a change of one principal's rows, as they stood before it.
pub(super) struct Measure {
    principal: Principal,
    before: HashMap<Principal, Facts>,
}

impl Measure {
    /// Looks at the principal before the change. Where a team loses a row, whatever that row hid from each of its members may come
    /// to light, so they are looked at too; by a row that a team gains, its members gain at most what the row allows.
    pub(super) async fn begin(
        ctx: &Ctx,
        tx: &mut Tx,
        principal: Principal,
        takes_away: bool,
    ) -> Result<Self> {
        let mut principals = Vec::new();
        if !access::holds_everything(ctx) {
            principals.push(principal);
            if let Principal::Team(id) = principal
                && takes_away
            {
                principals.extend(
                    rows::members_below(tx, id)
                        .await?
                        .into_iter()
                        .map(Principal::User),
                );
            }
        }
        let before = facts::of_principals(tx, ctx.now(), &principals).await?;
        Ok(Self { principal, before })
    }

    /// Refuses the change if somebody holds more now, of which the actor lacks something.
    ///
    /// # Errors
    /// `FORBIDDEN`, naming the first right.
    pub(super) async fn finish(self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        if access::holds_everything(ctx) {
            return Ok(());
        }
        let principals: Vec<Principal> = self.before.keys().copied().collect();
        let after = facts::of_principals(tx, ctx.now(), &principals).await?;
        for (principal, before) in &self.before {
            let after = after
                .get(principal)
                .ok_or_else(|| Error::internal("a principal vanished while it was locked"))?;
            if *principal == self.principal && !matches!(principal, Principal::ApiKey(_)) {
                access::may_give_gains(ctx, &grown(ctx, principal, before, after))?;
            }
            access::may_give(ctx, &awake(before), &awake(after), principal, &[])?;
        }
        Ok(())
    }
}

/// The same holder with its accounts in force: rights that wait behind a switch are handed out as well.
fn awake(facts: &Facts) -> Facts {
    let mut given = facts.given().clone();
    if let Some(user) = &mut given.user {
        user.enabled = true;
        user.expires_at = None;
    }
    if let Some(key) = &mut given.key {
        key.enabled = true;
        key.expires_at = None;
    }
    Facts::new(facts.now(), given)
}

/// What the principal's new rows allow, and by how much its old ones have grown, whatever else it holds: who grants a role must hold
/// it, even if today another row gives the same or hides it.
fn grown(ctx: &Ctx, principal: &Principal, before: &Facts, after: &Facts) -> Vec<Gain> {
    let own = |facts: &Facts| -> Vec<std::sync::Arc<PermissionFact>> {
        let rows = facts.given().permissions.iter();
        rows.filter(|row| row.principal == *principal)
            .cloned()
            .collect()
    };
    let was = own(before);
    let mut gains = Vec::new();
    for row in own(after) {
        let whole = Gain::of_grant(
            &row.path,
            &row.role,
            row.propagate,
            ctx.now(),
            row.expires_at,
        );
        let Some(old) = was.iter().find(|old| old.id == row.id) else {
            gains.push(whole);
            continue;
        };
        if let Some(end) = old
            .expires_at
            .filter(|end| row.expires_at.is_none_or(|later| later > *end))
        {
            gains.push(Gain {
                from: end.max(ctx.now()),
                ..whole.clone()
            });
        }
        if row.propagate && !old.propagate {
            gains.push(Gain {
                reach: Reach::Below,
                ..whole
            });
        }
    }
    gains
}
