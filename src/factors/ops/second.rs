//! What somebody who signs in shows beside the first thing, and whether that is enough.

use uuid::Uuid;

use super::{needed, standing, wrong};
use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::factors::codes::Typed;
use crate::factors::model::{Factor, Standing};
use crate::factors::{store, totp};
use crate::secrets::{Digest, Secret};
use crate::sessions::ops::Attempt;
use crate::users::model::User;

/// What a user has shown beside the first thing. It comes from [`second`] alone, and is spent once.
pub struct Second {
    user: Uuid,
    shown: Shown,
    /// The input's, for errors.
    field: &'static str,
}

enum Shown {
    Nothing,
    Totp { factor: Uuid, step: i64 },
    Recovery(Digest),
}

/// What that user shows with `otp`: a code of one of its factors, or a recovery code; `field` is the input's. Of who has no factor nothing is
/// looked at. Wrong codes are counted as wrong passwords are. It is not spent yet, so that nothing is lost if what follows fails.
///
/// # Errors
/// `BAD_USER_INPUT` for what is no code; `UNAUTHENTICATED` for one that is wrong or was used; `RATE_LIMITED` after too many;
/// `SERVICE_UNAVAILABLE`.
pub async fn second(
    ctx: &Ctx,
    user: Uuid,
    otp: Option<&Secret>,
    field: &'static str,
) -> Result<Second> {
    let nothing = Second {
        user,
        shown: Shown::Nothing,
        field,
    };
    let Some(otp) = otp else {
        return Ok(nothing);
    };
    let typed = Typed::read(otp.expose()).ok_or_else(|| {
        Error::bad_input(
            field,
            format!("{field} is no code: it is six digits, or a recovery code, of four times four letters and digits."),
        )
    })?;
    let mut conn = ctx.db.read("factors_of_user").await?;
    let factors = store::of_users(&mut conn, &[user]).await?;
    drop(conn);
    if factors.is_empty() {
        return Ok(nothing);
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
    let result = if shown.is_some() { "right" } else { "wrong" };
    metrics::counter!("keystead_second_factors_total", "result" => result).increment(1);
    let shown = shown.ok_or_else(|| wrong(field))?;
    attempt.succeeded(&ctx.db).await?;
    Ok(Second { user, shown, field })
}

/// The factor that makes that code now, and its step, if its code was not taken.
fn by_step(ctx: &Ctx, factors: &[Factor], digits: &str) -> Result<Option<Shown>> {
    for factor in factors {
        let secret = ctx.sealer.open(&purpose(factor.user_id), &factor.secret)?;
        let step = totp::step_of(&secret, digits, ctx.now())?;
        if let Some(step) = step.filter(|step| *step > factor.last_step) {
            let factor = factor.id;
            return Ok(Some(Shown::Totp { factor, step }));
        }
    }
    Ok(None)
}

/// What the secrets of that user's factors are sealed for: one that is put into another user's row is not opened.
pub(super) fn purpose(user: Uuid) -> String {
    format!("second factor of {}", Id::new(Kind::User, user))
}

impl Second {
    /// Spends it, in the transaction of what it is shown for: returns what is to be recorded.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where another request has spent the same code meanwhile; `SERVICE_UNAVAILABLE`.
    pub(super) async fn spend(self, ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        let good = match self.shown {
            Shown::Nothing => true,
            Shown::Totp { factor, step } => store::take_step(tx, factor, step, ctx.now()).await?,
            Shown::Recovery(digest) => {
                let whose = Id::new(Kind::User, self.user);
                let used = serde_json::json!({"recoveryCode": "used"});
                changes.push(Change::created("user.useRecoveryCode", whose, used));
                store::take_recovery_code(tx, self.user, &digest).await?
            }
        };
        good.then_some(changes).ok_or_else(|| wrong(self.field))
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
        return Err(needed(second.field));
    }
    let changes = second.spend(ctx, tx).await?;
    Ok((stands, changes))
}
