//! Making an invitation.

use chrono::TimeDelta;

use super::mail::letter;
use super::paths;
use super::rights::may_invite;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::invitations::model::{Invitation, NewInvitation, Offer};
use crate::invitations::store;
use crate::mail::ops as mail;
use crate::permissions::ops::access;
use crate::policy::model::Policy;
use crate::policy::ops as policy;
use crate::secrets::{INVITATION_PREFIX, Secret};
use crate::teams::model::NewMembership;
use crate::users::ops::distinct_teams;
use crate::{teams, text, users};

/// How long an invitation is good where nothing else is said.
const USUAL: TimeDelta = TimeDelta::days(7);
/// The longest that one may be good, in days.
const LONGEST: i64 = 90;

/// An invitation with its link.
pub struct Made {
    /// The invitation.
    pub invitation: Invitation,
    /// The link with the token: in this answer, in the mail, and nowhere else.
    pub link: Secret,
    /// Whether a mail is going to be sent to somebody.
    pub mailed: bool,
}

/// Invites somebody: a user that exists, or an address.
///
/// # Errors
/// `BAD_USER_INPUT`; `UNAUTHENTICATED`; `NOT_FOUND` for a user or a team; `FORBIDDEN` as [`may_invite`] has it.
pub async fn create(ctx: &Ctx, new: NewInvitation) -> Result<Made> {
    let policy = policy::present(ctx).await?;
    let offer = validate(&policy, &new)?;
    let lifetime = lifetime(new.lifetime)?;

    access::authenticated(ctx)?;
    let inviter = ctx.holder()?.user_id;
    may_invite(
        ctx,
        &mut *ctx.db.read("rights_of_inviter").await?,
        &policy,
        &offer,
    )
    .await?;

    if let Offer::New { memberships, .. } = &offer {
        let ids = memberships.iter().map(|each| each.team).collect();
        let found = teams::ops::by_ids(&ctx.db, ids).await?;
        let gone = |each: &NewMembership| !found.contains_key(&each.team);
        if let Some(place) = memberships.iter().position(gone) {
            let field = format!("input.memberships.{place}.team");
            return Err(teams::ops::absent(&field, memberships[place].team));
        }
    }

    let (user_id, email, role, memberships) = match offer {
        Offer::Existing(user) => (Some(user), None, None, Vec::new()),
        Offer::New {
            email,
            role,
            memberships,
        } => (None, Some(email), Some(role), memberships),
    };
    let invitation = Invitation {
        id: ctx.new_id(),
        user_id,
        email,
        role: role.map(|role| role.as_str().into()),
        team_ids: memberships.iter().map(|each| each.team).collect(),
        team_roles: memberships
            .iter()
            .map(|each| each.role.as_str().into())
            .collect(),
        invited_by: inviter,
        created_at: ctx.now(),
        expires_at: ctx.now() + lifetime,
        accepted_at: None,
        accepted_by: None,
        revoked_at: None,
    };
    let token = Secret::generate(&ctx.random, INVITATION_PREFIX);
    let link = link(ctx, &token);
    let letter = letter(ctx, &invitation, &link).await?;
    let mailed = letter.is_some();

    let mut tx = ctx.db.begin("create_invitation").await?;
    store::insert(&mut tx, &invitation, &token.digest())
        .await
        .map_err(|failure| {
            failure.foreign_key("invitations_user_id_fkey", || {
                users::ops::absent("input.user", invitation.user_id.unwrap_or_default())
            })
        })?;
    let (id, snapshot) = (invitation.typed_id(), invitation.snapshot());
    let change = Change::created("invitation.create", id, snapshot);
    audit::record(ctx, &mut tx, vec![change.at(paths(&invitation))]).await?;
    if let Some(letter) = letter {
        mail::send(ctx, &mut tx, letter).await?;
    }
    tx.commit().await?;

    ctx.events.publish();

    Ok(Made {
        invitation,
        link,
        mailed,
    })
}

/// The link to the page that accepts it. Its address is the configuration's: what a request says of its host is not believed.
pub(super) fn link(ctx: &Ctx, token: &Secret) -> Secret {
    Secret::new(format!(
        "{}/join?token={}",
        ctx.policy.public_url,
        token.expose()
    ))
}

/// How long an invitation is good.
///
/// # Errors
/// `BAD_USER_INPUT`.
pub(super) fn lifetime(wanted: Option<TimeDelta>) -> Result<TimeDelta> {
    let lifetime = wanted.unwrap_or(USUAL);
    if lifetime < TimeDelta::minutes(1) || lifetime > TimeDelta::days(LONGEST) {
        const FIELD: &str = "input.expiresIn";
        let message = format!(
            "{FIELD} is {} seconds. An invitation is good for a minute at least and {LONGEST} days at most.",
            lifetime.num_seconds()
        );
        return Err(Error::bad_input(FIELD, message));
    }
    Ok(lifetime)
}

fn validate(policy: &Policy, new: &NewInvitation) -> Result<Offer> {
    match (new.user, &new.email) {
        (Some(user), None) => {
            for (field, said) in [
                ("input.role", new.role.is_some()),
                ("input.memberships", new.memberships.is_some()),
            ] {
                if said {
                    let message = format!(
                        "{field} is for an address. A user that exists has what it has: change it with updateUser and addTeamMember."
                    );
                    return Err(Error::bad_input(field, message));
                }
            }
            Ok(Offer::Existing(user))
        }
        (None, Some(email)) => Ok(Offer::New {
            email: text::email("input.email", email)?,
            role: new.role.unwrap_or(policy.user_role),
            memberships: match &new.memberships {
                Some(memberships) => distinct_teams("input.memberships", memberships)?,
                None => policy.teams.clone(),
            },
        }),
        _ => Err(Error::bad_input(
            "input",
            "Give either input.user, for a user that exists, or input.email, for an address.",
        )),
    }
}
