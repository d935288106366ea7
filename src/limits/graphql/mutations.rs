//! The mutation on limits.

use async_graphql::{Context, Object, SimpleObject};

use super::inputs::UpdateLimitsInput;
use super::types::Limits;
use crate::error::Result;
use crate::graphql::request;
use crate::limits::ops;

/// What `updateLimits` answers.
#[derive(SimpleObject)]
pub struct UpdateLimitsPayload {
    /// The limits as they hold now; of a member with what holds for each.
    limits: Limits,
    /// Whether anything was changed.
    changed: bool,
}

/// Mutations on limits.
#[derive(Default)]
pub struct LimitMutations;

#[Object]
impl LimitMutations {
    /// Says how much a key, a user, a team, each member of a team or one member may use: what is absent stays, null clears, and the
    /// budgets are exactly those given. Declarative: doing it again changes nothing. Needs `apiKey.write` over the key, `user.write` at
    /// the user, or `team.write` at the team. Whoever is bound by the limits of its own key, or of a team that it belongs to, may
    /// tighten them; to lift them takes `user.write` at itself, or `team.write` at `/teams`.
    async fn update_limits(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose limits, and what they are to be.")] input: UpdateLimitsInput,
    ) -> Result<UpdateLimitsPayload> {
        let ctx = &request(context).ctx;
        let (subject, changes) = input.read()?;
        let at = (ctx.now(), ctx.policy.reservations.charging);
        let changed = ops::update(ctx, subject, changes).await?;
        let found = ops::by_subjects(&ctx.db, at, vec![subject]).await?;
        let limits = found.into_values().next().map(Limits::of);
        Ok(UpdateLimitsPayload {
            limits: limits.unwrap_or_default(),
            changed,
        })
    }
}
