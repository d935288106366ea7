//! Passkeys (Web Authentication, Level 3): the relying party, challenges, and whether what browsers answer is good.
//!
//! A challenge is handed out sealed, with what its answer is checked by: nothing of it is kept here until it was answered.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use webauthn_rs::prelude::{Passkey, Url, Webauthn, WebauthnBuilder};
use zeroize::Zeroizing;

use super::model::{Challenge, Factor};
use super::totp::issuer;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::secrets::{Digest, Secret};

/// So long a challenge can be answered.
const OPEN: TimeDelta = TimeDelta::minutes(5);
/// Characters of a sealed challenge at most: with as many passkeys to exclude as a user may have, of the longest ids, it has fewer.
const LONGEST: usize = 65_536;

/// The relying party: its id is the host of the public address, and that address is the one origin that is believed.
///
/// # Errors
/// `FORBIDDEN` where browsers make no passkeys for that address: their ids are domain names, and they want TLS, but of this machine.
pub(super) fn party(public_url: &str) -> Result<Webauthn> {
    let url = Url::parse(public_url).ok();
    let found = url.as_ref().and_then(|url| Some((url, url.domain()?)));
    let here = |host: &str| host == "localhost" || host.ends_with(".localhost");
    let usable = found.filter(|(url, host)| url.scheme() == "https" || here(host));
    let (origin, host) = usable.ok_or_else(|| {
        Error::new(
            Code::Forbidden,
            format!(
                "There are no passkeys at {public_url}: browsers make them for https:// addresses with a domain name, and for http://localhost. The operator can set public_url to such an address, which people then open."
            ),
        )
    })?;
    let name = issuer(public_url);
    WebauthnBuilder::new(host, origin)
        .and_then(|builder| builder.rp_name(&name).build())
        .map_err(|error| Error::internal(format!("the relying party: {error}")))
}

/// A challenge as it is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed<S> {
    until: DateTime<Utc>,
    state: S,
}

/// Hands a challenge out: `options` for the browser, and, sealed for that purpose, the state that its answer is checked by.
///
/// # Errors
/// An internal error when it cannot be sealed.
pub(super) fn hand_out<S: Serialize>(
    ctx: &Ctx,
    purpose: &str,
    state: S,
    options: Value,
) -> Result<Challenge> {
    let expires_at = ctx.now() + OPEN;
    let open = Sealed {
        until: expires_at,
        state,
    };
    let text = Zeroizing::new(serde_json::to_vec(&open).map_err(unwritten)?);
    let sealed = ctx.sealer.seal(purpose, &ctx.random, &text)?;
    Ok(Challenge {
        token: Secret::new(URL_SAFE_NO_PAD.encode(sealed)),
        options,
        expires_at,
    })
}

/// A challenge that was answered, to be noted as used.
pub(super) struct Answered {
    digest: Digest,
    until: DateTime<Utc>,
}

impl Answered {
    /// Notes it, in the transaction of what it was answered for; whether it was not noted before.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub(super) async fn note(&self, tx: &mut Tx) -> Result<bool> {
        Ok(super::store::use_challenge(tx, &self.digest, self.until).await?)
    }
}

/// Takes a challenge back that was handed out for that purpose; `None` for every one that is not good, whatever the reason.
pub(super) fn take_back<S: DeserializeOwned>(
    ctx: &Ctx,
    purpose: &str,
    token: &Secret,
) -> Option<(S, Answered)> {
    let text = token.expose();
    if text.len() > LONGEST {
        return None;
    }
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let opened = ctx.sealer.open(purpose, &sealed).ok()?;
    let Sealed { until, state } = serde_json::from_slice(&opened).ok()?;
    let digest = Digest::of(&sealed);
    (ctx.now() < until).then_some((state, Answered { digest, until }))
}

/// What is stored of a passkey, before it is sealed.
///
/// # Errors
/// An internal error when it cannot be written.
pub(super) fn written(passkey: &Passkey) -> Result<Zeroizing<Vec<u8>>> {
    Ok(Zeroizing::new(
        serde_json::to_vec(passkey).map_err(unwritten)?,
    ))
}

/// The passkey that a factor is.
///
/// # Errors
/// An internal error for one that was altered in the database.
pub(super) fn read(ctx: &Ctx, factor: &Factor) -> Result<Passkey> {
    let purpose = super::ops::purpose(factor.user_id);
    let opened = ctx.sealer.open(&purpose, &factor.secret)?;
    serde_json::from_slice(&opened).map_err(unwritten)
}

/// What the library says, as JSON.
///
/// # Errors
/// An internal error when it cannot be written.
pub(super) fn json(said: &impl Serialize) -> Result<Value> {
    serde_json::to_value(said).map_err(unwritten)
}

fn unwritten(error: serde_json::Error) -> Error {
    Error::internal(format!("a passkey: {error}"))
}
