//! Signing in with a password.

use super::begin::{begin, cookies};
use crate::audit::ops as audit;
use crate::authn::password;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::secrets::Secret;
use crate::sessions::model::{Method, Session, SignIn};
use crate::users;
use crate::users::model::User;

/// Characters of a login at most: an e-mail address is no longer.
pub const MAX_LOGIN: usize = 254;

/// Signs somebody in. The secret is in the answer and nowhere else; in a cookie, if that was asked for.
///
/// # Errors
/// `UNAUTHENTICATED` for an unknown login or a wrong password, which take the same time and have the same answer, and for a user who is
/// disabled or has expired, which is told only to who knows the password; `BAD_USER_INPUT`, `FORBIDDEN` as [`cookies`].
pub async fn sign_in(ctx: &Ctx, wanted: SignIn) -> Result<(User, Session, Option<Secret>)> {
    let cookies = match wanted.cookie {
        true => Some(cookies(ctx, "input.cookie")?),
        false => None,
    };
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

    let user = users::ops::by_login(&ctx.db, login).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = password::verify(&wanted.password, hash, ctx.policy.password_cost).await?;
    let user = user.filter(|_| right).ok_or_else(wrong)?;
    authorise(ctx, &user)?;

    let mut tx = ctx.db.begin("sign_in").await?;
    // What was verified is looked at again: whoever changes the password ends the sessions that are there by then.
    let user = users::ops::unchanged(&mut tx, &user)
        .await?
        .ok_or_else(wrong)?;
    authorise(ctx, &user)?;
    let mut fresh = begin(ctx, &mut tx, &user, Method::Password).await?;
    let changes = std::mem::take(&mut fresh.changes);
    audit::record(&fresh.ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    let (session, secret) = fresh.hand_over(cookies);
    Ok((user, session, secret))
}

fn wrong() -> Error {
    Error::new(
        Code::Unauthenticated,
        "There is no user with this name or address and this password.",
    )
}

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
