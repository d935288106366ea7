//! Approving and denying.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::asked::{by_ids, given};
use super::read::may_write;
use super::{absent, letters, paths, seen};
use crate::access_requests::model::{
    Access, AccessRequest, AccessRequestStatus, Decision, Review, RoleAt,
};
use crate::access_requests::store;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::lock::{self, Lock};
use crate::error::{Error, Result};
use crate::mail::ops as mail;
use crate::permissions::model::{Grant, Role};
use crate::permissions::path::Path;
use crate::teams::model::NewMembership;
use crate::teams::ops::members;
use crate::{permissions, teams, text, users};

const FIELD: &str = "input.id";

/// Approves a request, in whole, or less, or shorter, or denies it. Approving is giving by hand, with its checks at this moment. Of two
/// who review at once, one decides.
///
/// # Errors
/// `NOT_FOUND`; `BAD_USER_INPUT`, also for more than was asked for; `FORBIDDEN` for what the actor may not give, and for a request of its
/// own; `CONFLICT` for one that is decided or over, or that cannot be given any more.
pub async fn review(ctx: &Ctx, id: Uuid, review: Review) -> Result<AccessRequest> {
    let reason = text::optional_lines("input.reason", review.reason.as_deref(), 2_000)?;
    validate(&review)?;

    let known = seen(ctx, id).await?;
    let given = match review.approve {
        true => Some(given(ctx, &known, &review).await?),
        false => None,
    };
    authorise(ctx, &known, given.as_ref().map(|(access, _)| access))?;
    let granting = match &given {
        Some((access, until)) => Some(Granting::of(ctx, access, *until).await?),
        None => None,
    };
    let decision = match review.approve {
        true => Decision::Approved,
        false => Decision::Denied,
    };
    let decided = |before: &AccessRequest| -> Result<AccessRequest> {
        let access = given.as_ref().map(|(access, _)| access.stored());
        Ok(AccessRequest {
            decision: Some(decision.as_str().into()),
            decided_at: Some(ctx.now()),
            decided_by: Some(ctx.holder()?.user_id),
            reason: reason.clone(),
            granted: access.transpose()?,
            granted_until: given.as_ref().and_then(|(_, until)| *until),
            ..before.clone()
        })
    };
    let letter = letters::to_requester(ctx, &decided(&known)?).await?;

    let mut tx = ctx.db.begin("review_access_request").await?;
    if known.team_id.is_some() {
        // Teams first, as whoever deletes one does.
        lock::shared(&mut tx, Lock::TeamTree).await?;
    }
    let user = users::ops::locked(&mut tx, known.user_id).await?;
    user.ok_or_else(|| absent(id))?;
    let before = store::lock(&mut tx, id).await?.ok_or_else(|| absent(id))?;
    still_pending(ctx, &before)?;
    let mut changes = match &granting {
        Some(granting) => granting.give(ctx, &mut tx, before.user_id).await?,
        None => Vec::new(),
    };
    let after = decided(&before)?;
    store::decide(&mut tx, &after).await?;
    let change = Change::updated(
        "accessRequest.review",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    changes.push(change.at(paths(&after)?));
    audit::record(ctx, &mut tx, changes).await?;
    if let Some(letter) = letter {
        mail::send(ctx, &mut tx, letter).await?;
    }
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}

fn validate(review: &Review) -> Result<()> {
    if review.approve {
        return Ok(());
    }
    for (field, said) in [
        ("input.permissions", review.permissions.is_some()),
        ("input.teamRole", review.team_role.is_some()),
        ("input.until", review.until.is_some()),
    ] {
        if said {
            let message =
                format!("{field} says what is given, and DENY gives nothing. Leave it out.");
            return Err(Error::bad_input(field, message));
        }
    }
    if review.reason.is_none() {
        return Err(Error::bad_input(
            "input.reason",
            "input.reason is missing: whoever is denied is told why.",
        ));
    }
    Ok(())
}

/// Whoever may give something of it may deny it; to approve it takes all that is given.
fn authorise(ctx: &Ctx, request: &AccessRequest, given: Option<&Access>) -> Result<()> {
    if ctx.holder()?.user_id == request.user_id {
        return Err(Error::forbidden(
            "Nobody reviews a request of their own. What you may give yourself you give by hand; withdraw the request.",
        )
        .at(FIELD));
    }
    match given {
        Some(Access::Permissions(roles)) => {
            let paths: Vec<Path> = roles.iter().map(|each| each.path.clone()).collect();
            permissions::ops::may_grant(ctx, &paths)
        }
        Some(Access::Membership { team, .. }) => members::may_add(ctx, FIELD, *team),
        None if may_write(ctx, request)? => Ok(()),
        None => match request.asked()? {
            Access::Permissions(roles) => {
                let path = roles.first().map(|each| each.path.clone());
                permissions::ops::may_grant(ctx, path.as_slice())
            }
            Access::Membership { team, .. } => teams::ops::members::may_add(ctx, FIELD, team),
        },
    }
}

fn still_pending(ctx: &Ctx, request: &AccessRequest) -> Result<()> {
    let what = match request.status(ctx.now()) {
        AccessRequestStatus::Pending => return Ok(()),
        AccessRequestStatus::Approved => "was approved already",
        AccessRequestStatus::Denied => "was denied already",
        AccessRequestStatus::Withdrawn => "was withdrawn",
        AccessRequestStatus::Expired => "is over: nobody reviewed it in time",
    };
    Err(Error::conflict(format!("This request {what}.")))
}

/// What is going to be given, by hand as it were.
enum Granting {
    Permissions(Vec<(Path, Vec<(Role, Grant)>)>),
    Membership(NewMembership, Option<DateTime<Utc>>),
}

impl Granting {
    async fn of(ctx: &Ctx, access: &Access, until: Option<DateTime<Utc>>) -> Result<Granting> {
        let wanted = match access {
            Access::Permissions(wanted) => wanted,
            Access::Membership { team, role } => {
                let place = NewMembership {
                    team: *team,
                    role: *role,
                };
                return Ok(Granting::Membership(place, until));
            }
        };
        let roles = by_ids(&ctx.db, wanted.iter()).await?;
        let mut by_path: Vec<(Path, Vec<(Role, Grant)>)> = Vec::new();
        for RoleAt {
            path,
            role,
            propagate,
        } in wanted
        {
            let role = roles.get(role).ok_or_else(|| {
                Error::conflict(
                    "A role that was asked for does not exist any more. Approve the others, or deny the request.",
                )
            })?;
            let grant = Grant {
                role: role.name.clone(),
                propagate: *propagate,
                expires_at: until,
            };
            let place = match by_path.iter().position(|(other, _)| other == path) {
                Some(place) => place,
                None => {
                    by_path.push((path.clone(), Vec::new()));
                    by_path.len() - 1
                }
            };
            by_path[place].1.push((role.as_ref().clone(), grant));
        }
        Ok(Granting::Permissions(by_path))
    }

    async fn give(&self, ctx: &Ctx, tx: &mut Tx, user: Uuid) -> Result<Vec<Change>> {
        match self {
            Granting::Permissions(by_path) => {
                let mut changes = Vec::with_capacity(by_path.len() + 1);
                for (path, wanted) in by_path {
                    changes.extend(permissions::ops::grant(ctx, tx, user, path, wanted).await?);
                }
                Ok(changes)
            }
            Granting::Membership(place, until) => {
                members::give(ctx, tx, user, *place, *until).await
            }
        }
    }
}
