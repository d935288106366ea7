//! Tokens of links: what they look like, and the one answer to all that are wrong.

use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::invitations::model::{Invitation, InvitationStatus};
use crate::secrets::{Digest, INVITATION_PREFIX, KeyText};

/// What is stored of a token. One whose checksum is wrong was never made.
///
/// # Errors
/// As [`invalid`].
pub(super) fn digest(field: &str, token: &str) -> Result<Digest> {
    match KeyText::of(INVITATION_PREFIX, token) {
        KeyText::Key(digest) => Ok(digest),
        KeyText::Wrong | KeyText::Other => Err(invalid(field)),
    }
}

/// The invitation, if it is there and good.
///
/// # Errors
/// As [`invalid`].
pub(super) fn good(ctx: &Ctx, field: &str, found: Option<Invitation>) -> Result<Invitation> {
    found
        .filter(|invitation| invitation.status(ctx.now()) == InvitationStatus::Pending)
        .ok_or_else(|| invalid(field))
}

/// The error of every token that is not good, whatever the reason: who has none is not told what others were.
pub(super) fn invalid(field: &str) -> Error {
    Error::not_found(
        field,
        "This invitation is not good: it is not the whole link, was used, replaced or revoked, or its time is over. Ask whoever invited \
         you for another one.",
    )
}
