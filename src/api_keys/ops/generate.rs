//! Making a key.

use super::draft::{Draft, Policies};
use crate::api_keys::model::{ApiKey, NewApiKey};
use crate::audit::ops as audit;
use crate::ctx::{Actor, Ctx};
use crate::error::{Error, Result};
use crate::permissions::facts::Facts;
use crate::permissions::model::Principal;
use crate::permissions::ops::{access, facts};
use crate::secrets::Secret;
use crate::users::model::UserKind;
use crate::{teams, users};

/// Makes a key for the actor, or for another user. The secret is in the answer and nowhere else.
///
/// # Errors
/// `FORBIDDEN` without `apiKey.write` at the owner (and at the team of a team's key), if the key may do what the actor may not, or for one
/// whom the policy lets make no such keys; `NOT_FOUND` for an owner, team or role; `BAD_USER_INPUT`, also for what the policies do not
/// allow; `LIMIT_EXCEEDED` for more keys than the policy allows; `ALREADY_EXISTS` for a name that is taken.
pub async fn generate(ctx: &Ctx, new: NewApiKey) -> Result<(ApiKey, Secret)> {
    let owner = new.owner.or_else(|| ctx.actor.user());
    let team = new.team;
    access::authenticated(ctx)?;
    let owner = owner.ok_or_else(|| {
        Error::bad_input(
            "input.owner",
            "input.owner is missing: whose key is it to be?",
        )
    })?;
    let policies = Policies::present(ctx).await?;
    let mut draft = Draft::new(ctx, &policies, "input", owner, new)?;

    let held = facts_of(ctx, owner).await?;
    let mut is_service = false;
    if let Some(team) = team {
        let absent = || teams::ops::absent("input.team", team);
        teams::ops::by_id(ctx, team).await?.ok_or_else(absent)?;
        let found = users::ops::by_ids(&ctx.db, vec![owner]).await?;
        is_service = found
            .get(&owner)
            .is_some_and(|user| user.kind == UserKind::Service.as_str());
    }
    draft.resolve(ctx).await?;
    draft.allow(ctx, &held, is_service, &[])?;

    let begin = ctx.db.beginning("generate_api_key").await?;
    let (begun, change) = begin.with(draft.insert(ctx, &begin)).await;
    let mut tx = begin.done(begun)?;
    let mut changes = vec![change?];
    draft.fits(ctx, &mut tx).await?;
    changes.extend(draft.limit(ctx, &mut tx).await?);
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(draft.into_parts())
}

/// What the owner holds: known already, if it is calling.
async fn facts_of(ctx: &Ctx, owner: uuid::Uuid) -> Result<Facts> {
    let absent = || users::ops::absent("input.owner", owner);
    if let Actor::Holder(holder) = &ctx.actor
        && holder.user_id == owner
    {
        return Ok(holder.facts.at(ctx.now()));
    }
    if !users::ops::may_read(ctx, owner).await? {
        return Err(absent());
    }
    let mut conn = ctx.db.read("facts_of_owner").await?;
    facts::of_principal(&mut conn, ctx.now(), Principal::User(owner))
        .await?
        .ok_or_else(absent)
}
