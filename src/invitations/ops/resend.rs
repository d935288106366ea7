//! Sending an invitation again.

use chrono::TimeDelta;
use uuid::Uuid;

use super::create::{Made, lifetime, link};
use super::mail::letter;
use super::read::present;
use super::rights::may_invite;
use super::{absent, authorise, paths};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::invitations::model::{Invitation, InvitationStatus};
use crate::invitations::store;
use crate::mail::ops as mail;
use crate::policy::ops as policy;
use crate::secrets::{INVITATION_PREFIX, Secret};

/// Gives an invitation another link, since the one that was sent is not stored, and another end; the link that was sent is not good any
/// more. Whoever sends it again answers for it from then on.
///
/// # Errors
/// `BAD_USER_INPUT`; `NOT_FOUND`; `FORBIDDEN`, also where the actor could not make such an invitation; `CONFLICT` for one that was accepted
/// or revoked.
pub async fn resend(ctx: &Ctx, id: Uuid, wanted: Option<TimeDelta>) -> Result<Made> {
    let lifetime = lifetime(wanted)?;
    let policy = policy::present(ctx).await?;

    let inviter = ctx.holder()?.user_id;
    let known = authorise(ctx, id).await?;
    // What it gives never changes.
    let offer = present(&ctx.db, known.offer()?).await?;
    may_invite(
        ctx,
        &mut *ctx.db.read("rights_of_inviter").await?,
        &policy,
        &offer,
    )
    .await?;
    let renewed = |before: &Invitation| Invitation {
        invited_by: inviter,
        expires_at: ctx.now() + lifetime,
        ..before.clone()
    };
    let token = Secret::generate(&ctx.random, INVITATION_PREFIX);
    let link = link(ctx, &token);
    let letter = letter(ctx, &renewed(&known), &link).await?;
    let mailed = letter.is_some();

    let mut tx = ctx.db.begin("resend_invitation").await?;
    let before = store::lock(&mut tx, id)
        .await?
        .ok_or_else(|| absent("input.id", id))?;
    match before.status(ctx.now()) {
        InvitationStatus::Pending | InvitationStatus::Expired => {}
        InvitationStatus::Accepted => {
            return Err(Error::conflict("This invitation was accepted already."));
        }
        InvitationStatus::Revoked => {
            return Err(Error::conflict(
                "This invitation was revoked. Make another one with createInvitation.",
            ));
        }
    }
    let after = renewed(&before);
    store::update(&mut tx, &after).await?;
    store::renew(&mut tx, id, &token.digest()).await?;
    let change = Change::updated(
        "invitation.resend",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    audit::record(ctx, &mut tx, vec![change.at(paths(&after))]).await?;
    if let Some(letter) = letter {
        mail::send(ctx, &mut tx, letter).await?;
    }
    tx.commit().await?;

    ctx.events.publish();

    Ok(Made {
        invitation: after,
        link,
        mailed,
    })
}
