//! Signing in by a link.

use super::{authorise, good, invalid, newcomer, own};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::authn::cookie::Cookies;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::factors::model::Offered;
use crate::factors::ops as factors;
use crate::magic_links::model::{Entry, MagicLink};
use crate::magic_links::store;
use crate::secrets::{KeyText, MAGIC_LINK_PREFIX};
use crate::sessions;
use crate::sessions::model::{Method, SignedIn};
use crate::sessions::ops::Fresh;
use crate::users;
use crate::users::model::User;

/// Signs in whoever holds the token of a link: the user it was sent to, who has the address still, or a new one with the policy's
/// defaults. The link is good once, and so is every other one to that address.
///
/// # Errors
/// `NOT_FOUND` for every token that is not good, whatever the reason; `FORBIDDEN` where links are switched off; `CONFLICT` where the name
/// of the user to be made is taken; of a user who has a second factor as [`factors::second`], and `SECOND_FACTOR_REQUIRED`, which
/// leaves the link good; what [`sessions::ops::cookies`] says.
pub async fn sign_in(ctx: &Ctx, wanted: Entry) -> Result<SignedIn> {
    authorise(ctx)?;
    let cookies = sessions::ops::cookies(ctx, "input.cookie", wanted.cookie)?;
    let KeyText::Key(digest) = KeyText::of(MAGIC_LINK_PREFIX, wanted.token.expose()) else {
        return Err(invalid());
    };

    let found = store::by_digest(&mut *ctx.db.read("magic_link_by_token").await?, &digest).await?;
    let link = good(ctx, found)?;
    let keystead = own(ctx);
    let known = match link.user_id {
        Some(id) => Some(id),
        None => users::ops::by_email(&keystead, &link.email)
            .await?
            .map(|user| user.id),
    };

    match known {
        Some(id) => {
            let second = factors::second(ctx, id, &wanted.offered).await?;
            let mut tx = ctx.db.begin("sign_in_with_magic_link").await?;
            // The user first, as whoever deletes it does.
            let user = users::ops::locked(&mut tx, id).await?;
            let user = user
                .filter(|user| user.can_act(ctx.now()) && has_address(user, &link))
                .ok_or_else(invalid)?;
            spend(ctx, &mut tx, &link).await?;
            let fresh =
                sessions::ops::begin(ctx, &mut tx, &user, Method::MagicLink, second).await?;
            finish(ctx, tx, user, Vec::new(), fresh, cookies).await
        }
        None if ctx.policy.magic_links.new_users => {
            let newcomer = newcomer(&keystead, &link.email).await?;
            // Nobody has a second factor before it is there.
            let second = factors::second(ctx, newcomer.user.id, &Offered::default()).await?;
            let mut tx = ctx.db.begin("sign_up_with_magic_link").await?;
            spend(ctx, &mut tx, &link).await?;
            let changes = newcomer.insert(&keystead, &mut tx).await.map_err(taken)?;
            let user = newcomer.user;
            let fresh =
                sessions::ops::begin(ctx, &mut tx, &user, Method::MagicLink, second).await?;
            finish(ctx, tx, user, changes, fresh, cookies).await
        }
        None => Err(invalid()),
    }
}

/// Uses the link up, in the transaction that signs in: of two at once the second finds it used.
async fn spend(ctx: &Ctx, tx: &mut Tx, link: &MagicLink) -> Result<()> {
    let locked = store::lock_by_email(tx, &link.email).await?;
    let found = locked.into_iter().find(|other| other.id == link.id);
    let link = good(ctx, found)?;
    store::spend(tx, &link, ctx.now()).await?;
    Ok(())
}

async fn finish(
    ctx: &Ctx,
    mut tx: Tx,
    user: User,
    mut changes: Vec<Change>,
    mut fresh: Fresh,
    cookies: Option<Cookies>,
) -> Result<SignedIn> {
    changes.append(&mut fresh.changes);
    audit::record(&fresh.ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(fresh.signed_in(user, cookies))
}

/// Whether the user still has the address that the link was sent to.
fn has_address(user: &User, link: &MagicLink) -> bool {
    let email = user.email.as_ref();
    email.is_some_and(|email| email.to_lowercase() == link.email.to_lowercase())
}

/// Of two links to an address that was nobody's, the second finds a user; and a name may be another's address.
fn taken(error: Error) -> Error {
    match (error.code, error.field.as_deref()) {
        (Code::AlreadyExists, Some("input.email")) => invalid(),
        (Code::AlreadyExists, _) => Error::conflict(
            "A user has this address as its name. An administrator can make you a user with another.",
        )
        .at("input.token"),
        _ => error,
    }
}
