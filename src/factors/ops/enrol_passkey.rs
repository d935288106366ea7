//! Beginning to set up a passkey.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;
use webauthn_rs::prelude::PasskeyRegistration;

use super::enrol::has_room;
use super::prove::authorise;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::factors::model::{Challenge, FactorKind, Proof};
use crate::factors::{passkeys, store};
use crate::users;

/// What is sealed until it is confirmed.
#[derive(Serialize, Deserialize)]
pub(super) struct Begun {
    /// The factor's primary key.
    pub(super) id: Uuid,
    /// What its answer is checked by.
    pub(super) state: PasskeyRegistration,
}

/// What the challenges of new passkeys are sealed for: each is its user's.
pub(super) fn purpose(user: Uuid) -> String {
    format!("new passkey of {}", Id::new(Kind::User, user))
}

/// Begins to set up a passkey: answers what the browser makes one by. It does not count before it is confirmed. The browser is asked for
/// one that signs in by itself, without a user name, and that is let be used by what its holder knows or is; and for none that the user
/// has already.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` for a restricted key, and where there are no passkeys; `BAD_USER_INPUT`; `SECOND_FACTOR_REQUIRED` where a
/// factor is to prove who is there; `RATE_LIMITED`; `CONFLICT` for one factor too many; `SERVICE_UNAVAILABLE`.
pub async fn enrol_passkey(ctx: &Ctx, proof: Proof) -> Result<Challenge> {
    let party = passkeys::party(&ctx.policy.public_url)?;

    let (user, shown) = authorise(ctx, &proof).await?;

    let mut conn = ctx.db.read("factors_of_user").await?;
    let factors = store::of_users(&mut conn, &[user.id]).await?;
    drop(conn);
    let own = factors.into_iter();
    let own = own.filter_map(|own| own.credential_id).collect();
    let (asked, state) = party
        .start_passkey_registration(user.id, &user.username, user.shown_name(), Some(own))
        .map_err(|error| Error::internal(format!("a new passkey: {error}")))?;
    let mut options = passkeys::json(&asked.public_key)?;
    // The library leaves that open, and one that is not found without a name could not sign in alone.
    options["authenticatorSelection"]["residentKey"] = json!("required");
    options["authenticatorSelection"]["requireResidentKey"] = json!(true);
    let id = ctx.new_id();
    let begun = Begun { id, state };
    let challenge = passkeys::hand_out(ctx, &purpose(user.id), begun, options)?;

    let mut tx = ctx.db.begin("enrol_passkey").await?;
    users::ops::locked(&mut tx, user.id)
        .await?
        .ok_or_else(|| users::ops::absent("input", user.id))?;
    has_room(&mut tx, user.id).await?;
    let mut changes = shown.spend(ctx, &mut tx).await?;
    let whose = Id::new(Kind::User, user.id).to_string();
    let kept = json!({"user": whose, "kind": FactorKind::Passkey.as_str()});
    let target = Id::new(Kind::SecondFactor, id);
    let change = Change::created("secondFactor.enrol", target, kept);
    changes.push(change.at(vec![users::ops::path(user.id)]));
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(challenge)
}
