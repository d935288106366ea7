//! What a passkey has signed: whose it is, and whether it is good.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PublicKeyCredential, WebauthnError,
};

use super::second::purpose;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::factors::model::{Assertion, Challenge, Factor, snapshot};
use crate::factors::passkeys::{self, Answered};
use crate::factors::store;
use crate::users;

/// What challenges are sealed for that any passkey may answer.
const PURPOSE: &str = "challenge of passkeys";

/// A challenge for whichever passkey its holder chooses: nobody is named, so it tells nothing of anybody. Nothing is written.
///
/// # Errors
/// `FORBIDDEN` where there are no passkeys.
pub fn challenge(ctx: &Ctx) -> Result<Challenge> {
    let party = passkeys::party(&ctx.policy.public_url)?;
    let (asked, state) = party
        .start_discoverable_authentication()
        .map_err(|error| Error::internal(format!("a challenge: {error}")))?;
    let options = passkeys::json(&asked.public_key)?;
    passkeys::hand_out(ctx, PURPOSE, state, options)
}

/// Whether there are passkeys at that address.
///
/// # Errors
/// `FORBIDDEN`, with the reason.
pub fn passkeys_at(public_url: &str) -> Result<()> {
    passkeys::party(public_url).map(drop)
}

/// A good signature, which is not spent yet.
pub(super) struct Signed {
    factor: Factor,
    /// The passkey as it is from then on, sealed, with its counter.
    secret: Vec<u8>,
    counter: i64,
    answered: Answered,
}

/// The one answer to a passkey that is not good, whatever the reason.
pub fn wrong(field: &'static str) -> Error {
    Error::new(
        Code::Unauthenticated,
        "This passkey is not good here: it is not known, or its challenge was used or is older than five minutes, or what it has signed is not what was asked. Ask for another challenge, and try again.",
    )
    .at(field)
}

/// Who has signed that. A counter that has gone back says that there are two of the passkey: it is refused, and recorded.
///
/// # Errors
/// As [`by_passkey`](super::by_passkey).
pub(super) async fn signed(
    ctx: &Ctx,
    assertion: &Assertion,
    field: &'static str,
) -> Result<Signed> {
    let party = passkeys::party(&ctx.policy.public_url)?;
    let credential = PublicKeyCredential::deserialize(&assertion.credential)
        .map_err(|_| unread(&format!("{field}.credential")))?;
    let taken: Option<(DiscoverableAuthentication, Answered)> =
        passkeys::take_back(ctx, PURPOSE, &assertion.challenge);
    let (state, answered) = taken.ok_or_else(|| wrong(field))?;
    let (user, credential_id) = party
        .identify_discoverable_authentication(&credential)
        .map_err(|_| wrong(field))?;
    let mut conn = ctx.db.read("passkey_by_credential").await?;
    let found = store::by_credential(&mut conn, credential_id).await?;
    drop(conn);
    let factor = authorise(found, user).ok_or_else(|| wrong(field))?;
    let mut passkey: Passkey = passkeys::read(ctx, &factor)?;
    match party.finish_discoverable_authentication_v2(&credential, state, &passkey) {
        Ok(result) => {
            passkey.update_credential(&result);
            let text = passkeys::written(&passkey)?;
            let secret = ctx.sealer.seal(&purpose(user), &ctx.random, &text)?;
            let counter = i64::from(result.counter());
            Ok(Signed {
                factor,
                secret,
                counter,
                answered,
            })
        }
        Err(WebauthnError::CredentialPossibleCompromise) => {
            suspect(ctx, &factor, &answered).await?;
            Err(wrong(field))
        }
        Err(_) => Err(wrong(field)),
    }
}

/// The passkey, if it is that user's.
fn authorise(found: Option<Factor>, user: Uuid) -> Option<Factor> {
    found.filter(|factor| factor.user_id == user)
}

/// What is not what browsers make.
pub(super) fn unread(field: &str) -> Error {
    Error::bad_input(
        field,
        format!(
            "{field} is not what a browser makes of a passkey: send what PublicKeyCredential.toJSON() returns, as it is."
        ),
    )
}

/// Records that there seem to be two of a passkey. Its signature was good, so nobody else can have this recorded, and once a challenge.
async fn suspect(ctx: &Ctx, factor: &Factor, answered: &Answered) -> Result<()> {
    let mut tx = ctx.db.begin("suspect_passkey").await?;
    if !answered.note(&mut tx).await? {
        return Ok(());
    }
    let mut told = snapshot(factor.user_id, &factor.kind, &factor.name);
    told["counter"] = json!("has gone back: there may be a copy of this passkey");
    let change = Change::created("secondFactor.suspect", factor.typed_id(), told);
    let home = users::ops::path(factor.user_id);
    audit::record(ctx, &mut tx, vec![change.at(vec![home])]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}

impl Signed {
    /// Whose passkey it is.
    pub(super) fn user(&self) -> Uuid {
        self.factor.user_id
    }

    /// Spends it: whether its challenge was not answered before, and its counter not passed.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub(super) async fn spend(self, ctx: &Ctx, tx: &mut Tx) -> Result<bool> {
        let (id, counter) = (self.factor.id, self.counter);
        Ok(self.answered.note(tx).await?
            && store::take_signature(tx, id, counter, &self.secret, ctx.now()).await?)
    }
}
