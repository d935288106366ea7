//! Signing in with a password, and a second factor.

use super::begin::{begin, cookies};
use super::proving::{MAX_LOGIN, Proving, wrong};
use crate::audit::ops as audit;
use crate::authn::password;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::factors::ops as factors;
use crate::secrets::Secret;
use crate::sessions::model::{Method, SignIn, SignedIn};
use crate::users;
use crate::users::model::User;

/// Signs somebody in. The secret is in the answer and nowhere else; in a cookie, if that was asked for. A new password, if there is one,
/// takes the old one's place, and ends all other sessions.
///
/// # Errors
/// As [`Proving::user`]; as [`factors::second`] and `SECOND_FACTOR_REQUIRED` once the password is right; `UNAUTHENTICATED` for a user who is disabled or has expired, or must choose another password, which is told
/// only to who knows the password; `BAD_USER_INPUT`, also for a new password against the rules; `FORBIDDEN` as [`cookies`].
pub async fn sign_in(ctx: &Ctx, wanted: SignIn) -> Result<SignedIn> {
    let cookies = cookies(ctx, "input.cookie", wanted.cookie)?;
    let login = wanted.login.trim();
    if login.is_empty() || login.chars().count() > MAX_LOGIN {
        return Err(Error::bad_input(
            "input.login",
            format!(
                "input.login has {} characters. It is a user name or an e-mail address, of 1 to {MAX_LOGIN}.",
                login.chars().count()
            ),
        ));
    }

    let user = Proving::of(ctx).user(login, &wanted.password).await?;
    authorise(ctx, &user)?;
    let new_hash = match &wanted.new_password {
        Some(new) => Some(new_hash(ctx, &user, new, &wanted.password).await?),
        None if user.must_change_password => return Err(must_change()),
        None => None,
    };

    let second = factors::second(ctx, user.id, &wanted.offered).await?;

    let mut tx = ctx.db.begin("sign_in").await?;
    // What was verified is looked at again: whoever changes the password ends the sessions that are there by then.
    let mut user = users::ops::unchanged(&mut tx, &user)
        .await?
        .ok_or_else(wrong)?;
    authorise(ctx, &user)?;
    let mut changed = Vec::new();
    if let Some(hash) = new_hash {
        (user, changed) =
            users::ops::put_password(ctx, &mut tx, &user, Some(hash), false, None).await?;
    }
    let mut fresh = begin(ctx, &mut tx, &user, Method::Password, second).await?;
    changed.append(&mut fresh.changes);
    audit::record(&fresh.ctx, &mut tx, changed).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(fresh.signed_in(user, cookies))
}

async fn new_hash(ctx: &Ctx, user: &User, new: &Secret, present: &Secret) -> Result<String> {
    const FIELD: &str = "input.newPassword";
    users::ops::check_password(ctx, FIELD, new, user)?;
    if new.expose() == present.expose() {
        return Err(Error::bad_input(
            FIELD,
            "The new password is the present one. Choose another.",
        ));
    }
    password::hash(
        Secret::new(new.expose().to_owned()),
        ctx.policy.password_cost,
    )
    .await
}

fn must_change() -> Error {
    Error::new(
        Code::Unauthenticated,
        "Somebody else has set this password. Choose one of your own, and send it in input.newPassword beside it.",
    )
    .at("input.newPassword")
}

/// Whether that user may sign in at all.
fn authorise(ctx: &Ctx, user: &User) -> Result<()> {
    let why = if !user.enabled {
        "This user is disabled. An administrator can enable it."
    } else if !user.can_act(ctx.now()) {
        "This user has expired. An administrator can set another end."
    } else {
        return Ok(());
    };
    Err(Error::new(Code::Unauthenticated, why))
}
