//! Setting up a factor in earnest.

use serde_json::json;

use super::enrol::{Begun, digest, has_room};
use super::prove::own as authorise;
use super::second::purpose;
use super::wrong;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::factors::codes::{Typed, new_recovery_codes};
use crate::factors::model::{Enrolled, Factor, FactorKind};
use crate::factors::{store, totp};
use crate::mail::model::Template;
use crate::replicas::model::Tag;
use crate::secrets::Secret;
use crate::sessions::ops as sessions;
use crate::sessions::ops::Attempt;
use crate::users;
use crate::users::model::User;

const FIELD: &str = "input.code";

/// Confirms the app that the caller has begun to set up, with a code of it. With the first factor of a user come recovery codes, and its
/// other sessions, which were begun without one, end.
///
/// # Errors
/// `UNAUTHENTICATED`, also for a code that is wrong; `FORBIDDEN` for a restricted key; `BAD_USER_INPUT`; `NOT_FOUND` where nothing was begun, or
/// its time is over; `RATE_LIMITED` after too many wrong codes; `CONFLICT` for one factor too many; `SERVICE_UNAVAILABLE`.
pub async fn confirm_totp(ctx: &Ctx, code: Secret) -> Result<Enrolled> {
    let Some(Typed::Totp(code)) = Typed::read(code.expose()) else {
        let message = format!("{FIELD} is no code of an app: those have six digits.");
        return Err(Error::bad_input(FIELD, message));
    };

    let user = authorise(ctx)?;
    let now = ctx.now();
    let digest = digest(user);
    let nothing = || {
        Error::not_found(
            FIELD,
            "You are not setting up an app, or its time is over. Begin anew by enrolTotp.",
        )
    };
    let mut conn = ctx.db.read("totp_enrolment").await?;
    let found = store::challenge(&mut conn, &digest, now).await?;
    drop(conn);
    let sealed = found.ok_or_else(nothing)?;
    let state = ctx.sealer.open(&purpose(user), &sealed)?;
    let begun: Begun = serde_json::from_slice(&state)
        .map_err(|error| Error::internal(format!("an enrolment: {error}")))?;
    let attempt = Attempt::digits(user, ctx.request.ip);
    attempt.begin(&ctx.db, now).await?;
    let step = totp::step_of(&begun.secret, &code, now)?.ok_or_else(|| wrong(FIELD))?;
    attempt.succeeded(&ctx.db).await?;
    let factor = Factor {
        id: begun.id,
        user_id: user,
        kind: FactorKind::Totp.as_str().into(),
        name: begun.name.clone(),
        secret: ctx
            .sealer
            .seal(&purpose(user), &ctx.random, &begun.secret)?,
        credential_id: None,
        counter: step,
        created_at: now,
        last_used_at: None,
    };

    let mut tx = ctx.db.begin("confirm_totp").await?;
    let owner = users::ops::locked(&mut tx, user)
        .await?
        .ok_or_else(nothing)?;
    let taken = store::take_challenge(&mut tx, &digest, now).await?;
    if taken.as_ref() != Some(&sealed) {
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

/// Puts a factor in force, in a transaction that has locked its user, who is told by mail: what is to be recorded, and recovery codes with
/// the first one.
pub(super) async fn put(
    ctx: &Ctx,
    tx: &mut Tx,
    user: &User,
    factor: &Factor,
) -> Result<(Vec<Change>, Option<Vec<Secret>>)> {
    // What the user's sessions may do depends on it.
    tx.touch([Tag::User(user.id)]);
    let first = has_room(tx, user.id).await? == 0;
    let inserted = store::insert(tx, factor).await;
    inserted.map_err(|failure| failure.unique("second_factors_credential_id_key", known))?;
    let made = Change::created("secondFactor.create", factor.typed_id(), factor.snapshot());
    let mut changes = vec![made.at(vec![users::ops::path(user.id)])];
    let values = json!({"username": user.username, "factor": factor.shown()});
    users::ops::tell(ctx, tx, user, Template::SecondFactorAdded, values).await?;
    if !first {
        return Ok((changes, None));
    }
    let (codes, digests) = new_recovery_codes(&ctx.random);
    store::put_recovery_codes(tx, user.id, &digests).await?;
    let ended = sessions::end_all(tx, user.id, sessions::own(ctx)).await?;
    changes.extend(Change::along(user.typed_id(), ended));
    Ok((changes, Some(codes)))
}

fn known() -> Error {
    Error::already_exists(
        "input.credential",
        "This passkey belongs to a user already. Make another one.",
    )
}
