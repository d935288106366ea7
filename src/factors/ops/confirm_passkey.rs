//! Setting up a passkey in earnest.

use webauthn_rs::prelude::{RegisterPublicKeyCredential, WebauthnError};

use super::confirm::put;
use super::enrol_passkey::{Begun, purpose};
use super::passkey::unread;
use super::prove::own as authorise;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::factors::model::{Enrolled, Factor, FactorKind, NewPasskey};
use crate::factors::passkeys;
use crate::text;
use crate::users;

const CREDENTIAL: &str = "input.credential";

/// Confirms the passkey that the caller has begun to set up, with what the browser has made. As with an app, with the first factor of a
/// user come recovery codes, and its other sessions end.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` for a restricted key, and where there are no passkeys; `BAD_USER_INPUT` for what is not what was asked
/// for; `NOT_FOUND` for a challenge that is not good; `ALREADY_EXISTS` for a passkey that somebody has; `CONFLICT` for one factor too many;
/// `SERVICE_UNAVAILABLE`.
pub async fn confirm_passkey(ctx: &Ctx, new: NewPasskey) -> Result<Enrolled> {
    let name = text::optional_line("input.name", new.name.as_deref(), super::MAX_NAME)?;
    let name = name.unwrap_or_else(|| "Passkey".into());
    let credential: RegisterPublicKeyCredential =
        serde_json::from_value(new.credential).map_err(|_| unread(CREDENTIAL))?;
    let party = passkeys::party(&ctx.policy.public_url)?;

    let user = authorise(ctx)?;
    let taken = passkeys::take_back(ctx, &purpose(user), &new.challenge);
    let (Begun { id, state }, answered) = taken.ok_or_else(nothing)?;
    let forgetful = credential.extensions.cred_props.as_ref();
    if forgetful.is_some_and(|said| said.rk == Some(false)) {
        return Err(Error::bad_input(
            CREDENTIAL,
            "This passkey was not stored where it was made, and could not sign in by itself. Make it on another device, or free some room there.",
        ));
    }
    let passkey = party
        .finish_passkey_registration(&credential, &state)
        .map_err(|error| refused(&error, &ctx.policy.public_url))?;
    let text = passkeys::written(&passkey)?;
    let factor = Factor {
        id,
        user_id: user,
        kind: FactorKind::Passkey.as_str().into(),
        name,
        secret: ctx
            .sealer
            .seal(&super::second::purpose(user), &ctx.random, &text)?,
        credential_id: Some(passkey.cred_id().to_vec()),
        // Its first signature counts from what it said now, which the sealed part knows.
        counter: 0,
        created_at: ctx.now(),
        last_used_at: None,
    };

    let mut tx = ctx.db.begin("confirm_passkey").await?;
    let owner = users::ops::locked(&mut tx, user)
        .await?
        .ok_or_else(nothing)?;
    if !answered.note(&mut tx).await? {
        return Err(nothing());
    }
    let (changes, recovery_codes) = put(ctx, &mut tx, &owner, &factor).await?;
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(Enrolled {
        factor,
        recovery_codes,
    })
}

/// The one answer to a challenge that is not good, whatever the reason.
fn nothing() -> Error {
    Error::not_found(
        "input.challenge",
        "This challenge is not good: it was not given to you for a new passkey, was used, or is older than five minutes. Begin anew by enrolPasskey.",
    )
}

/// Why it is not what was asked for, as far as somebody can do something about it.
fn refused(error: &WebauthnError, public_url: &str) -> Error {
    let why = match error {
        WebauthnError::InvalidRPOrigin | WebauthnError::InvalidRPIDHash => {
            format!("was made on a page of another address. It works on pages of {public_url} alone")
        }
        WebauthnError::UserNotVerified | WebauthnError::UserNotPresent => {
            "was made without asking for a PIN, a fingerprint or the like. Switch that on where it is kept, and try again".into()
        }
        WebauthnError::MismatchedChallenge => {
            "answers another challenge than input.challenge".into()
        }
        WebauthnError::InvalidClientDataType => {
            "has signed in. A new one is made by navigator.credentials.create()".into()
        }
        _ => "is not what was asked for by enrolPasskey: its form, its kind of key or its signature differs".into(),
    };
    Error::bad_input(CREDENTIAL, format!("This passkey {why}."))
}
