//! Making a team.

use std::collections::HashSet;

use serde_json::json;
use uuid::Uuid;

use super::giving::Measured;
use super::members::joined;
use super::{READ, WRITE, absent, path, place, slug_taken};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::{Actor, Ctx};
use crate::db::ids::{Id, Kind, quoted};
use crate::db::lock::{self, Lock};
use crate::error::{Error, Result};
use crate::permissions::gains::Exempt;
use crate::permissions::model::TeamRole;
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::teams::model::{Membership, NewMember, NewTeam, Team};
use crate::teams::store::{members as store, rows};
use crate::{text, users};

/// How many members a team can be made with; more are added afterwards.
pub const MAX_FIRST_MEMBERS: usize = 100;

/// Makes a team, with the actor as its admin unless members are given.
///
/// # Errors
/// `FORBIDDEN` without `team.write` at `/teams` and at the parent, or if the parent's permissions would give the members rights that
/// the actor lacks; `NOT_FOUND` for a parent or a member; `BAD_USER_INPUT`; `ALREADY_EXISTS` for a slug that is taken; `CONFLICT` if it
/// would nest too deep.
pub async fn create(ctx: &Ctx, new: NewTeam) -> Result<Team> {
    let (team, memberships) = validate(ctx, &new)?;

    access::require(ctx, WRITE, &access::collection(Kind::Team))?;
    if let Some(parent) = team.parent_id {
        access::require_on(ctx, READ, WRITE, &[path(parent)], || {
            absent("input.parent", parent)
        })?;
    }
    let people: Vec<Uuid> = memberships.iter().map(|each| each.user_id).collect();
    if new.members.is_some() {
        users::ops::require_readable(ctx, |n| format!("input.members.{n}.user"), &people).await?;
    }

    let mut tx = ctx.db.begin("create_team").await?;
    // The team is new, its first members are not.
    tx.touch(people.iter().copied().map(Tag::User));
    // A team without a parent gives its members nothing but their place in it.
    let measured = match team.parent_id {
        Some(parent) => {
            lock::shared(&mut tx, Lock::TeamTree).await?;
            place::fits(&mut tx, &team, parent).await?;
            Measured::of(ctx, &mut tx, &people).await?
        }
        None => Measured::nothing(),
    };
    rows::insert(&mut tx, &team)
        .await
        .map_err(|failure| slug_taken(failure, &team))?;
    if !memberships.is_empty() {
        store::insert(&mut tx, &memberships)
            .await
            .map_err(|failure| {
                failure.foreign_key("team_memberships_user_id_fkey", || {
                    Error::not_found("input.members", "A member was deleted meanwhile.")
                })
            })?;
    }
    measured
        .compare(ctx, &mut tx, &[Exempt::over_new_team(team.id)])
        .await?;
    let made = Change::created("team.create", team.typed_id(), team.snapshot());
    let joined = memberships.iter().map(joined);
    audit::record(ctx, &mut tx, std::iter::once(made).chain(joined).collect()).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(team)
}

fn validate(ctx: &Ctx, new: &NewTeam) -> Result<(Team, Vec<Membership>)> {
    let now = ctx.now();
    let team = Team {
        id: ctx.new_id(),
        slug: text::identifier("input.slug", &new.slug, super::SLUG_ALSO)?,
        name: text::line("input.name", &new.name, 200)?,
        description: text::optional_lines("input.description", new.description.as_deref(), 2_000)?,
        parent_id: new.parent,
        enabled: true,
        metadata: new.metadata.clone().map_or(Ok(json!({})), |value| {
            text::metadata("input.metadata", value)
        })?,
        created_at: now,
        updated_at: now,
    };
    let members = match (&new.members, &ctx.actor) {
        (Some(members), _) => distinct(members)?,
        (None, Actor::Holder(holder)) => vec![NewMember {
            user: holder.user_id,
            role: TeamRole::Admin,
            expires_at: None,
        }],
        (None, Actor::Keystead | Actor::Enrolling(_) | Actor::Anonymous) => Vec::new(),
    };
    let memberships = members.into_iter().map(|member| Membership {
        team_id: team.id,
        user_id: member.user,
        role: member.role.as_str().into(),
        since: now,
        expires_at: member.expires_at,
    });
    let memberships = memberships.collect();
    Ok((team, memberships))
}

fn distinct(members: &[NewMember]) -> Result<Vec<NewMember>> {
    const FIELD: &str = "input.members";
    if members.len() > MAX_FIRST_MEMBERS {
        let message = format!(
            "{FIELD} has {} entries. A team is made with at most {MAX_FIRST_MEMBERS}; add the others afterwards.",
            members.len()
        );
        return Err(Error::bad_input(FIELD, message));
    }
    let mut seen = HashSet::with_capacity(members.len());
    match members.iter().position(|member| !seen.insert(member.user)) {
        Some(twice) => {
            let id = Id::new(Kind::User, members[twice].user).to_string();
            let message = format!("{FIELD} names {} twice. Name each user once.", quoted(&id));
            Err(Error::bad_input(format!("{FIELD}.{twice}.user"), message))
        }
        None => Ok(members.to_vec()),
    }
}
