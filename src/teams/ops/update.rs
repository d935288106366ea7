//! Changing a team.

use serde_json::json;
use uuid::Uuid;

use super::giving::Measured;
use super::{READ, WRITE, absent, path, place, slug_taken};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::lock::{self, Lock};
use crate::error::Result;
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::teams::model::{Team, TeamChanges};
use crate::teams::store::rows;
use crate::text;

/// Changes a team: what is absent stays, what is null is cleared.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `team.write` at the team and at its new parent, or if anybody would gain a right that the actor
/// lacks; `BAD_USER_INPUT`; `ALREADY_EXISTS` for a slug that is taken; `CONFLICT` for a parent that lies below it or too deep;
/// `LIMIT_EXCEEDED` if too many people are touched.
pub async fn update(ctx: &Ctx, id: Uuid, changes: TeamChanges) -> Result<Team> {
    let changes = validate(changes)?;

    access::require_on(ctx, READ, WRITE, &[path(id)], || absent("input.id", id))?;

    let mut tx = ctx.db.begin("update_team").await?;
    tx.touch([Tag::Team(id)]);
    if changes.parent.is_some() || changes.enabled.is_some() {
        lock::alone(&mut tx, Lock::TeamTree).await?;
    }
    let before = rows::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    let after = apply(ctx, &before, changes);
    if let Some(parent) = after
        .parent_id
        .filter(|_| before.parent_id != after.parent_id)
    {
        access::require_on(ctx, READ, WRITE, &[path(parent)], || {
            absent("input.parent", parent)
        })?;
        place::fits(&mut tx, &after, parent).await?;
    }
    let measured = if before.parent_id != after.parent_id || before.enabled != after.enabled {
        Measured::of_team(ctx, &mut tx, id).await?
    } else {
        Measured::nothing()
    };
    rows::update(&mut tx, &after)
        .await
        .map_err(|failure| slug_taken(failure, &after))?;
    measured.compare(ctx, &mut tx, &[]).await?;
    let change = Change::updated(
        "team.update",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    audit::record(ctx, &mut tx, vec![change]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}

fn validate(mut changes: TeamChanges) -> Result<TeamChanges> {
    changes.slug = changes
        .slug
        .map(|slug| text::identifier("input.slug", &slug, super::SLUG_ALSO))
        .transpose()?;
    changes.name = changes
        .name
        .map(|name| text::line("input.name", &name, 200))
        .transpose()?;
    changes.description = text::change(changes.description, |text| {
        text::lines("input.description", &text, 2_000)
    })?;
    changes.metadata = text::change(changes.metadata, |value| {
        text::metadata("input.metadata", value)
    })?;
    Ok(changes)
}

fn apply(ctx: &Ctx, before: &Team, changes: TeamChanges) -> Team {
    let mut team = before.clone();
    team.slug = changes.slug.unwrap_or(team.slug);
    team.name = changes.name.unwrap_or(team.name);
    team.description = changes.description.unwrap_or(team.description);
    team.parent_id = changes.parent.unwrap_or(team.parent_id);
    team.enabled = changes.enabled.unwrap_or(team.enabled);
    team.metadata = changes
        .metadata
        .map_or(team.metadata, |value| value.unwrap_or_else(|| json!({})));
    if team.snapshot() != before.snapshot() {
        team.updated_at = ctx.now();
    }
    team
}
