//! The mutation on limits.

use async_graphql::{Context, Object};

use super::inputs::UpdateLimitsInput;
use super::types::Limits;
use crate::error::Result;
use crate::graphql::request;
use crate::limits::model::Subject;
use crate::limits::ops;

/// What `updateLimits` answers.
pub struct UpdateLimitsPayload {
    subject: Subject,
    changed: bool,
}

/// What `updateLimits` answers.
#[Object]
impl UpdateLimitsPayload {
    /// The limits as they hold now; of a member with what holds for each.
    async fn limits(&self, context: &Context<'_>) -> Result<Limits> {
        let ctx = &request(context).ctx;
        let at = (ctx.now(), ctx.policy.reservations.charging);
        let found = ops::by_subjects(&ctx.db, at, vec![self.subject]).await?;
        let limits = found.into_values().next().map(Limits::of);
        Ok(limits.unwrap_or_default())
    }

    /// Whether anything was changed.
    async fn changed(&self) -> bool {
        self.changed
    }
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
        let changed = ops::update(ctx, subject, changes).await?;
        Ok(UpdateLimitsPayload { subject, changed })
    }
}
