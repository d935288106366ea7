//! What somebody who signs in shows beside the first thing, and whether that is enough.

use uuid::Uuid;

use super::passkey::{self, Signed};
use super::{needed, standing, wrong};
use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::factors::codes::Typed;
use crate::factors::model::{Assertion, Factor, FactorKind, Offered, Standing};
use crate::factors::{store, totp};
use crate::secrets::{Digest, Secret};
use crate::sessions::ops::Attempt;
use crate::users::model::User;

/// Where a code is, in every input that takes one.
pub(super) const OTP: &str = "input.otp";
/// Where a passkey's signature is, beside a code.
const PASSKEY: &str = "input.passkey";

/// What a user has shown beside the first thing, or with a passkey in its place. It comes from [`second`] and [`by_passkey`] alone, and is
/// spent once.
pub struct Second {
    user: Uuid,
    shown: Shown,
}

enum Shown {
    Nothing,
    Totp {
        factor: Uuid,
        step: i64,
    },
    Recovery(Digest),
    Passkey {
        signed: Box<Signed>,
        /// The input's, for errors.
        field: &'static str,
    },
}

/// What that user offers: a code of one of its apps, a recovery code, or what its passkey has signed. Of who has no factor nothing is looked
/// at. What is wrong is counted as wrong passwords are. It is not spent yet, so that nothing is lost if what follows fails.
///
/// # Errors
/// `BAD_USER_INPUT` for what is no code, and for two at once; `UNAUTHENTICATED` for one that is wrong or was used; `RATE_LIMITED` after too
/// many; `FORBIDDEN` for a passkey where there are none; `SERVICE_UNAVAILABLE`.
pub async fn second(ctx: &Ctx, user: Uuid, offered: &Offered) -> Result<Second> {
    let shown = match (&offered.otp, &offered.passkey) {
        (None, None) => Shown::Nothing,
        (Some(otp), None) => by_code(ctx, user, otp).await?,
        (None, Some(assertion)) => by_own_passkey(ctx, user, assertion).await?,
        (Some(_), Some(_)) => {
            let message = format!("Send {OTP} or {PASSKEY}, not both: one is enough.");
            return Err(Error::bad_input(PASSKEY, message));
        }
    };
    Ok(Second { user, shown })
}

async fn by_code(ctx: &Ctx, user: Uuid, otp: &Secret) -> Result<Shown> {
    let typed = Typed::read(otp.expose()).ok_or_else(|| {
        Error::bad_input(
            OTP,
            format!("{OTP} is no code: it is six digits, or a recovery code, of four times four letters and digits."),
        )
    })?;
    let factors = factors_of(ctx, user).await?;
    if factors.is_empty() {
        return Ok(Shown::Nothing);
    }
    let attempt = match typed {
        Typed::Totp(_) => Attempt::digits(user, ctx.request.ip),
        Typed::Recovery(_) => Attempt::recovery(user, ctx.request.ip),
    };
    attempt.begin(&ctx.db, ctx.now()).await?;
    let shown = match typed {
        Typed::Totp(digits) => by_step(ctx, &factors, &digits)?,
        Typed::Recovery(digest) => {
            let mut conn = ctx.db.read("recovery_code").await?;
            let known = store::has_recovery_code(&mut conn, user, &digest).await?;
            known.then_some(Shown::Recovery(digest))
        }
    };
    count(shown.is_some());
    let shown = shown.ok_or_else(|| wrong(OTP))?;
    attempt.succeeded(&ctx.db).await?;
    Ok(shown)
}

async fn by_own_passkey(ctx: &Ctx, user: Uuid, assertion: &Assertion) -> Result<Shown> {
    if factors_of(ctx, user).await?.is_empty() {
        return Ok(Shown::Nothing);
    }
    let attempt = Attempt::passkey(user, ctx.request.ip);
    attempt.begin(&ctx.db, ctx.now()).await?;
    let signed = passkey::signed(ctx, assertion, PASSKEY).await;
    // That of another user is none of this one's.
    let signed = signed.and_then(|signed| match signed.user() == user {
        true => Ok(signed),
        false => Err(passkey::wrong(PASSKEY)),
    });
    count(signed.is_ok());
    let (signed, field) = (Box::new(signed?), PASSKEY);
    attempt.succeeded(&ctx.db).await?;
    Ok(Shown::Passkey { signed, field })
}

/// Who has signed that with its passkey, which stands for both factors: the key, and what its holder has shown to be let use it. It is not
/// spent yet. `field` is the input's.
///
/// # Errors
/// `UNAUTHENTICATED`, the same for everything that is not good; `BAD_USER_INPUT` for what no browser makes; `FORBIDDEN` where there are no
/// passkeys; `SERVICE_UNAVAILABLE`.
pub async fn by_passkey(
    ctx: &Ctx,
    assertion: &Assertion,
    field: &'static str,
) -> Result<(Uuid, Second)> {
    let signed = passkey::signed(ctx, assertion, field).await;
    count(signed.is_ok());
    let signed = Box::new(signed?);
    let user = signed.user();
    let shown = Shown::Passkey { signed, field };
    Ok((user, Second { user, shown }))
}

async fn factors_of(ctx: &Ctx, user: Uuid) -> Result<Vec<Factor>> {
    let mut conn = ctx.db.read("factors_of_user").await?;
    Ok(store::of_users(&mut conn, &[user]).await?)
}

fn count(right: bool) {
    let result = if right { "right" } else { "wrong" };
    metrics::counter!("keystead_second_factors_total", "result" => result).increment(1);
}

/// The factor that makes that code now, and its step, if its code was not taken.
fn by_step(ctx: &Ctx, factors: &[Factor], digits: &str) -> Result<Option<Shown>> {
    let apps = factors
        .iter()
        .filter(|factor| factor.kind == FactorKind::Totp.as_str());
    for factor in apps {
        let secret = ctx.sealer.open(&purpose(factor.user_id), &factor.secret)?;
        let step = totp::step_of(&secret, digits, ctx.now())?;
        if let Some(step) = step.filter(|step| *step > factor.counter) {
            let factor = factor.id;
            return Ok(Some(Shown::Totp { factor, step }));
        }
    }
    Ok(None)
}

/// What the secrets of that user's factors are sealed for: one that is put into another user's row is not opened.
pub(in crate::factors) fn purpose(user: Uuid) -> String {
    format!("second factor of {}", Id::new(Kind::User, user))
}

impl Second {
    /// Spends it, in the transaction of what it is shown for: returns what is to be recorded.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where another request has spent the same code meanwhile; `SERVICE_UNAVAILABLE`.
    pub(super) async fn spend(self, ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        let (good, refusal) = match self.shown {
            Shown::Nothing => (true, None),
            Shown::Totp { factor, step } => {
                (store::take_step(tx, factor, step, ctx.now()).await?, None)
            }
            Shown::Recovery(digest) => {
                let whose = Id::new(Kind::User, self.user);
                let used = serde_json::json!({"recoveryCode": "used"});
                changes.push(Change::created("user.useRecoveryCode", whose, used));
                (
                    store::take_recovery_code(tx, self.user, &digest).await?,
                    None,
                )
            }
            Shown::Passkey { signed, field } => {
                (signed.spend(ctx, tx).await?, Some(passkey::wrong(field)))
            }
        };
        match good {
            true => Ok(changes),
            false => Err(refusal.unwrap_or_else(|| wrong(OTP))),
        }
    }
}

/// Whether the user, whose row is locked, may sign in with what it has shown beside the first thing. Every session begins here: how the user
/// stands with second factors, and what is to be recorded.
///
/// # Errors
/// `SECOND_FACTOR_REQUIRED` where it has one and has shown nothing of it; as [`Second::spend`].
pub async fn admit(
    ctx: &Ctx,
    tx: &mut Tx,
    user: &User,
    second: Second,
) -> Result<(Standing, Vec<Change>)> {
    if second.user != user.id {
        return Err(Error::internal("a second factor of another user"));
    }
    let stands = standing(tx, ctx.policies.first(), user).await?;
    if stands.has && matches!(second.shown, Shown::Nothing) {
        return Err(needed());
    }
    let changes = second.spend(ctx, tx).await?;
    Ok((stands, changes))
}
