//! Beginning to set up an app that makes codes.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::MAX_FACTORS;
use super::prove::authorise;
use super::second::purpose;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::factors::model::{Enrolment, FactorKind, Proof, snapshot};
use crate::factors::{store, totp};
use crate::secrets::Digest;
use crate::text;
use crate::users;

/// So long it can be confirmed.
const OPEN: TimeDelta = TimeDelta::minutes(15);

/// What is kept of it until it is confirmed.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Begun {
    /// The factor's primary key.
    #[zeroize(skip)]
    pub(super) id: Uuid,
    /// Its name.
    pub(super) name: String,
    /// Its secret.
    pub(super) secret: Vec<u8>,
}

/// What the end of the user's enrolment names it by: there is one at a time.
pub(super) fn digest(user: Uuid) -> Digest {
    Digest::of(format!("enrolment of {}", Id::new(Kind::User, user)).as_bytes())
}

/// Begins to set up an app: answers its secret, this once. It does not count before it is confirmed with a code. Another one that was begun
/// and not confirmed is forgotten.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` for a restricted key; `BAD_USER_INPUT`; `SECOND_FACTOR_REQUIRED` where a code is to prove who is there;
/// `RATE_LIMITED`; `CONFLICT` for one factor too many; `SERVICE_UNAVAILABLE`.
pub async fn enrol_totp(ctx: &Ctx, name: Option<&str>, proof: Proof) -> Result<Enrolment> {
    let name = text::optional_line("input.name", name, super::MAX_NAME)?;
    let name = name.unwrap_or_else(|| "Authenticator app".into());

    let (user, shown) = authorise(ctx, &proof).await?;

    let secret = totp::new_secret(&ctx.random);
    let begun = Begun {
        id: ctx.new_id(),
        name,
        secret: secret.to_vec(),
    };
    let state = zeroize::Zeroizing::new(
        serde_json::to_vec(&begun)
            .map_err(|error| Error::internal(format!("an enrolment: {error}")))?,
    );
    let sealed = ctx.sealer.seal(&purpose(user.id), &ctx.random, &state)?;
    let (uri, base32, qr_code) = totp::shown(&secret, &user.username, &ctx.policy.public_url)?;
    let expires_at = ctx.now() + OPEN;

    let mut tx = ctx.db.begin("enrol_totp").await?;
    users::ops::locked(&mut tx, user.id)
        .await?
        .ok_or_else(|| users::ops::absent("input", user.id))?;
    has_room(&mut tx, user.id).await?;
    let mut changes = shown.spend(ctx, &mut tx).await?;
    let digest = digest(user.id);
    store::put_challenge(&mut tx, &digest, Some(user.id), &sealed, expires_at).await?;
    let target = Id::new(Kind::SecondFactor, begun.id);
    let kept = snapshot(user.id, FactorKind::Totp.as_str(), &begun.name);
    let change = Change::created("secondFactor.enrol", target, kept);
    changes.push(change.at(vec![users::ops::path(user.id)]));
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(Enrolment {
        uri,
        secret: base32,
        qr_code,
        expires_at,
    })
}

/// Refuses one factor too many of a user whose row is locked; returns how many there are.
pub(super) async fn has_room(tx: &mut Tx, user: Uuid) -> Result<usize> {
    let count = store::of_users(tx, &[user]).await?.len();
    if count >= MAX_FACTORS {
        return Err(Error::conflict(format!(
            "You have {count} second factors, which is as many as there may be. Remove one first."
        )));
    }
    Ok(count)
}
