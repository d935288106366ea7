//! Reading invitations.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rights::{as_inviter, hidden, may_invite};
use super::token::{digest, good, invalid};
use super::{READ, paths};
use crate::ctx::Ctx;
use crate::db::Db;
use crate::db::ids::Kind;
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::error::Result;
use crate::invitations::model::{Invitation, InvitationFilter, InvitationSight, Offer};
use crate::invitations::store;
use crate::permissions::model::{InstanceRole, TeamRole};
use crate::permissions::ops::access;
use crate::secrets::Secret;
use crate::teams::model::NewMembership;
use crate::{teams, users};

/// Invitations by id: rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<Invitation>>> {
    let mut conn = db.read("invitations_by_ids").await?;
    let found = store::by_ids(&mut conn, &ids).await?;
    Ok(found
        .into_iter()
        .map(|invitation| (invitation.id, Arc::new(invitation)))
        .collect())
}

/// Whether the actor may read that invitation: by its own path, by those of its teams, or because it answers for it.
pub fn may_read(ctx: &Ctx, invitation: &Invitation) -> bool {
    super::is_own(ctx, invitation) || access::can_any(ctx, READ, &paths(invitation))
}

/// A page of the invitations that the filter and the actor's rights leave, newest first.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request; `SERVICE_UNAVAILABLE`.
pub async fn list(
    ctx: &Ctx,
    filter: &InvitationFilter,
    request: &PageRequest,
) -> Result<Page<Invitation>> {
    access::authenticated(ctx)?;
    let sight = InvitationSight {
        invitations: access::seen(ctx, READ, Kind::Invitation),
        teams: access::seen(ctx, READ, Kind::Team),
        own: ctx.actor.user_itself(),
    };
    let mut conn = ctx.db.read("invitations_page").await?;
    Ok(store::page(&mut conn, filter, &sight, ctx.now(), request).await?)
}

/// The place of an invitation in a list.
pub fn cursor(invitation: &Invitation) -> Cursor {
    Cursor::time(invitation.created_at, invitation.id)
}

/// What an invitation shows to whoever holds its token.
pub struct Shown {
    /// The name of whoever answers for it.
    pub inviter: String,
    /// The address that it is for.
    pub email: Option<String>,
    /// The name of the user that it is for, if that exists already.
    pub username: Option<String>,
    /// What a new user will be to the instance.
    pub role: Option<InstanceRole>,
    /// The teams it is into, by name, and what the user will be to each.
    pub teams: Vec<(String, TeamRole)>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Who invites, and to what: for whoever holds the token, also anonymous.
///
/// # Errors
/// `NOT_FOUND` for every token that is not good, whatever the reason.
pub async fn by_token(ctx: &Ctx, token: &Secret) -> Result<Shown> {
    const FIELD: &str = "token";
    let digest = digest(FIELD, token.expose())?;
    let policy = ctx.policies.present(&ctx.db).await?;
    // What is decided here is decided again when it is accepted.
    let mut conn = ctx.db.read("invitation_by_token").await?;
    let found = store::by_digest(&mut conn, &digest).await?;
    let invitation = good(ctx, FIELD, found)?;
    let offer = invitation.offer()?;
    let inviter = as_inviter(ctx, &mut conn, invitation.invited_by).await?;
    let inviter = inviter.ok_or_else(|| invalid(FIELD))?;
    drop(conn);
    let offer = present(&ctx.db, offer).await?;
    let mut conn = ctx.db.read("rights_of_inviter").await?;
    may_invite(&inviter, &mut conn, &policy, &offer)
        .await
        .map_err(|error| hidden(error, FIELD))?;
    drop(conn);
    let people = [Some(invitation.invited_by), invitation.user_id];
    let people = people.into_iter().flatten().collect();
    let people = users::ops::by_ids(&ctx.db, people).await?;
    let name = |id: Uuid| {
        let user = people.get(&id)?;
        Some(user.shown_name().to_owned())
    };
    let user = invitation.user_id.and_then(|id| people.get(&id));
    if user.is_some_and(|user| !user.can_act(ctx.now())) {
        return Err(invalid(FIELD));
    }
    let (role, memberships) = match offer {
        Offer::Existing(_) => (None, Vec::new()),
        Offer::New {
            role, memberships, ..
        } => (Some(role), memberships),
    };
    let ids = memberships.iter().map(|each| each.team).collect();
    let found = teams::ops::by_ids(&ctx.db, ids).await?;
    let team = |each: &NewMembership| {
        let team = found.get(&each.team)?;
        Some((team.name.clone(), each.role))
    };
    Ok(Shown {
        inviter: name(invitation.invited_by).ok_or_else(|| invalid(FIELD))?,
        username: user.map(|user| user.username.clone()),
        email: invitation.email.clone(),
        role,
        teams: memberships.iter().filter_map(team).collect(),
        expires_at: invitation.expires_at,
    })
}

/// The offer without teams that are gone.
pub(super) async fn present(db: &Db, offer: Offer) -> Result<Offer> {
    let Offer::New {
        email,
        role,
        mut memberships,
    } = offer
    else {
        return Ok(offer);
    };
    let ids = memberships.iter().map(|each| each.team).collect();
    let found = teams::ops::by_ids(db, ids).await?;
    memberships.retain(|each| found.contains_key(&each.team));
    Ok(Offer::New {
        email,
        role,
        memberships,
    })
}
