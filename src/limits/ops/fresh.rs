//! The limits of users and keys that are being made.

use uuid::Uuid;

use super::bounds::Wish;
use super::rules;
use super::update::{apply, budget, event};
use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::limits::model::{Limits, LimitsChanges, Subject};
use crate::limits::policy::{LimitPolicy, Preset};
use crate::limits::store::{count, rows};
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// Limits of something that does not exist yet; they go into the database with it.
pub struct Fresh {
    subject: Subject,
    limits: Limits,
}

impl Fresh {
    /// The limits of a new user: what is asked for, and else what the policy says. `at` is the path of the input that asks.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field.
    pub fn of_user(
        ctx: &Ctx,
        at: &str,
        user: Uuid,
        given: LimitsChanges,
        policy: &LimitPolicy,
    ) -> Result<Self> {
        let given = rules::valid(ctx, at, false, given)?;
        let limits = apply(ctx, &base(ctx, &policy.user_defaults), given);
        Ok(Fresh {
            subject: Subject::User(user),
            limits,
        })
    }

    /// The limits of a new key: what is asked for, and else what the policy says; within its bounds, unless by an administrator.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field, and for more than the bound the value and the bound.
    pub fn of_key(
        ctx: &Ctx,
        at: &str,
        key: Uuid,
        given: LimitsChanges,
        policy: &LimitPolicy,
    ) -> Result<Self> {
        let given = rules::valid(ctx, at, false, given)?;
        let after = apply(ctx, &base(ctx, &policy.api_key_defaults), given.clone());
        let limits = if access::holds_everything(ctx) {
            after
        } else {
            let wish = Wish {
                at,
                given: &given,
                before: None,
                after,
            };
            wish.within(ctx, &policy.api_key_bounds)?
        };
        Ok(Fresh {
            subject: Subject::ApiKey(key),
            limits,
        })
    }

    /// Stores them, and says what the audit trail is to keep: nothing where nothing is limited. `paths` is where the subject lies.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn put(&self, ctx: &Ctx, tx: &mut Tx, paths: Vec<Path>) -> Result<Option<Change>> {
        let limits = &self.limits;
        let none = Limits::none(limits.id);
        if *limits == none {
            return Ok(None);
        }
        rows::put(tx, self.subject, limits).await?;
        for budget in &limits.budgets {
            let since = budget.counts_from(ctx.now());
            count::begin(tx, limits.id, self.subject, budget, since).await?;
        }
        Ok(Some(event(self.subject, paths, &none, limits)))
    }
}

/// The limits that a preset gives.
fn base(ctx: &Ctx, preset: &Preset) -> Limits {
    let none = Limits::none(ctx.new_id());
    let budgets = preset.budgets.iter();
    Limits {
        rates: preset.rates,
        budgets: budgets
            .map(|wanted| budget(ctx, &none, wanted.clone()))
            .collect(),
        ..none
    }
}
