//! Whether somebody may invite: asked when an invitation is made, of its maker, and when it is accepted, of whoever answers for it then.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use crate::ctx::{Actor, Ctx, Holder};
use crate::db::Connection;
use crate::db::ids::Kind;
use crate::error::{Code, Error, Result};
use crate::invitations::model::Offer;
use crate::permissions::facts::{Facts, Given, TeamFacts, UserFacts};
use crate::permissions::gains::Exempt;
use crate::permissions::model::{InstanceRole, Principal, TeamRole};
use crate::permissions::ops::{access, facts};
use crate::policy::model::Policy;
use crate::secrets::{Digest, Secret};
use crate::teams::model::NewMembership;
use crate::teams::ops::members;
use crate::users;

/// Decides whether the actor may invite to that: to a user that exists, with `user.write` at it and all that it holds; to make a user,
/// with `user.write` at `/users`, or, for one with the policy's role, with `team.write` at every team it is into, of which there is one at
/// least; in either case with all that the invitation gives.
///
/// # Errors
/// `FORBIDDEN`; `NOT_FOUND` for a user or a team that may not be seen.
pub(super) async fn may_invite(
    ctx: &Ctx,
    conn: &mut Connection,
    policy: &Policy,
    offer: &Offer,
) -> Result<()> {
    match offer {
        Offer::Existing(user) => {
            let absent = || users::ops::absent("input.user", *user);
            let principal = Principal::User(*user);
            let path = users::ops::path(*user);
            access::require_on(ctx, users::ops::READ, users::ops::WRITE, &[path], absent)?;
            let held = facts::of_principal(conn, ctx.now(), principal).await?;
            access::may_act_as(ctx, &held.ok_or_else(absent)?, &principal)
        }
        Offer::New {
            role, memberships, ..
        } => {
            let by_team = !memberships.is_empty() && *role == policy.user_role;
            if !by_team {
                access::require(ctx, users::ops::WRITE, &access::collection(Kind::User))?;
            }
            members::may_enrol(ctx, memberships)?;
            if access::holds_everything(ctx) {
                return Ok(());
            }
            let id = ctx.new_id();
            let after = newcomer(ctx, conn, id, *role, memberships).await?;
            let before = Facts::nobody(ctx.now());
            let principal = Principal::User(id);
            access::may_give(ctx, &before, &after, &principal, &[Exempt::over_itself(id)])
        }
    }
}

/// What a user would hold who was made with that role and belonged to those teams.
async fn newcomer(
    ctx: &Ctx,
    conn: &mut Connection,
    id: Uuid,
    role: InstanceRole,
    memberships: &[NewMembership],
) -> Result<Facts> {
    let principals: Vec<Principal> = memberships
        .iter()
        .map(|each| Principal::Team(each.team))
        .collect();
    let found = facts::of_principals(conn, ctx.now(), &principals).await?;
    let role_in = |team: Uuid| -> Option<TeamRole> {
        let mut all = memberships.iter();
        all.find(|each| each.team == team).map(|each| each.role)
    };
    let mut given = Given {
        user: Some(UserFacts {
            id,
            role,
            enabled: true,
            expires_at: None,
            created_at: ctx.now(),
        }),
        ..Given::default()
    };
    // Teams share ancestors.
    let (mut teams, mut permissions) = (HashSet::new(), HashSet::new());
    for facts in found.values() {
        for team in &facts.given().teams {
            if teams.insert(team.id) {
                given.teams.push(TeamFacts {
                    role: role_in(team.id),
                    since: ctx.now(),
                    until: None,
                    ..team.clone()
                });
            }
        }
        let rows = facts.given().permissions.iter();
        given
            .permissions
            .extend(rows.filter(|row| permissions.insert(row.id)).cloned());
    }
    Ok(Facts::new(ctx.now(), given))
}

/// The request as one of whoever answers for the invitation, with all that it holds now; `None` if it is gone. What it may not do any
/// more is decided by the same rules: a disabled user holds nothing.
pub(super) async fn as_inviter(
    ctx: &Ctx,
    conn: &mut Connection,
    inviter: Uuid,
) -> Result<Option<Ctx>> {
    let principal = Principal::User(inviter);
    let Some(facts) = facts::of_principal(conn, ctx.now(), principal).await? else {
        return Ok(None);
    };
    // It is not calling: no credential names it, and nothing is stored or recorded for it.
    let nothing = Secret::new(String::new());
    let holder = Holder {
        user_id: inviter,
        username: String::new(),
        api_key_id: None,
        session_id: None,
        principal,
        facts,
        credential: Digest::of(inviter.as_bytes()),
        sealing: Some(nothing.sealing_key()),
    };
    Ok(Some(Ctx {
        actor: Actor::Holder(Arc::new(holder)),
        ..ctx.clone()
    }))
}

/// What speaks against the inviter is not for whoever holds the link.
pub(super) fn hidden(error: Error, field: &str) -> Error {
    match error.code {
        Code::Forbidden | Code::NotFound | Code::Unauthenticated => super::token::invalid(field),
        _ => error,
    }
}
