//! Asking for access.

use chrono::TimeDelta;

use super::asked::roles_at;
use super::{letters, paths};
use crate::access_requests::model::{Access, AccessRequest, NewAccessRequest};
use crate::access_requests::store;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::Kind;
use crate::error::{Code, Error, Result};
use crate::mail::ops as mail;
use crate::permissions::model::TeamRole;
use crate::permissions::ops::access;
use crate::{text, users};

/// How long a request waits to be reviewed.
const WAITS: TimeDelta = TimeDelta::days(30);
/// Requests of one user that wait at most.
pub const MAX_OPEN: i64 = 20;

/// Asks for access for oneself. Nothing is given until somebody approves; whoever could give it by hand is told.
///
/// # Errors
/// `BAD_USER_INPUT`; `UNAUTHENTICATED`; `FORBIDDEN` for a restricted key; `NOT_FOUND` for a role; `ALREADY_EXISTS` for a place that one
/// has; `LIMIT_EXCEEDED` for one request too many.
pub async fn request(ctx: &Ctx, new: NewAccessRequest) -> Result<AccessRequest> {
    access::authenticated(ctx)?;
    let justification = text::lines("input.justification", &new.justification, 2_000)?;
    if new.until.is_some_and(|until| until <= ctx.now()) {
        return Err(Error::bad_input(
            "input.until",
            "input.until lies in the past. Leave it out to ask for good.",
        ));
    }
    let asked = validate(ctx, &new).await?;

    let user = ctx.actor.user_itself().ok_or_else(|| {
        Error::forbidden(
            "A restricted key cannot ask for access: it would ask for more than it holds. Use another credential.",
        )
    })?;
    let places = match &asked {
        Access::Permissions(roles) => {
            let mut places: Vec<String> = roles.iter().map(|each| each.path.to_string()).collect();
            places.sort();
            places.dedup();
            places
        }
        Access::Membership { team, .. } => vec![access::object(Kind::Team, *team).to_string()],
    };
    let latest = ctx.now() + WAITS;
    let request = AccessRequest {
        id: ctx.new_id(),
        user_id: user,
        asked: asked.stored()?,
        paths: places,
        team_id: match asked {
            Access::Membership { team, .. } => Some(team),
            Access::Permissions(_) => None,
        },
        justification,
        until: new.until,
        created_at: ctx.now(),
        expires_at: new.until.map_or(latest, |until| until.min(latest)),
        decision: None,
        decided_at: None,
        decided_by: None,
        reason: None,
        granted: None,
        granted_until: None,
    };
    let letters = letters::to_reviewers(ctx, &request).await?;

    let mut tx = ctx.db.begin("request_access").await?;
    // Requests of one user follow one another, so that they can be counted.
    users::ops::locked(&mut tx, user)
        .await?
        .ok_or_else(|| Error::new(Code::Unauthenticated, "This user has just been deleted."))?;
    if store::open_of(&mut tx, user, ctx.now()).await? >= MAX_OPEN {
        return Err(Error::new(
            Code::LimitExceeded,
            format!(
                "{MAX_OPEN} of your requests wait already, and there are no more at once. Withdraw those that you do not need."
            ),
        ));
    }
    store::insert(&mut tx, &request).await?;
    let (id, snapshot) = (request.typed_id(), request.snapshot());
    let change = Change::created("accessRequest.create", id, snapshot);
    audit::record(ctx, &mut tx, vec![change.at(paths(&request)?)]).await?;
    for letter in letters {
        mail::send(ctx, &mut tx, letter).await?;
    }
    tx.commit().await?;

    ctx.events.publish();

    Ok(request)
}

async fn validate(ctx: &Ctx, new: &NewAccessRequest) -> Result<Access> {
    match (&new.permissions, new.membership) {
        (Some(named), None) => Ok(Access::Permissions(
            roles_at(ctx, "input.permissions", named).await?,
        )),
        (None, Some((team, role))) => {
            let facts = &ctx.holder()?.facts;
            let mut own = facts.teams().iter().filter(|each| each.id == team);
            let held = own.find_map(|each| each.role_at(ctx.now()).map(|role| (role, each.until)));
            if let Some((held, None)) = held
                && (held == TeamRole::Admin || held == role)
            {
                return Err(Error::already_exists(
                    "input.membership",
                    format!("You belong to this team already, as {held}."),
                ));
            }
            Ok(Access::Membership { team, role })
        }
        _ => Err(Error::bad_input(
            "input",
            "Give either input.permissions, for roles at paths, or input.membership, for a place in a team.",
        )),
    }
}
