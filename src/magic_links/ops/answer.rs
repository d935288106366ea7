//! Sending a link to whoever may have one: what becomes of a wish once it is in the outbox.

use serde_json::json;
use uuid::Uuid;

use super::newcomer;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::error::{Code, Error, Result};
use crate::magic_links::model::{LIFETIME, MagicLink, Wish};
use crate::magic_links::store;
use crate::mail::model::{Mail, Template, written};
use crate::mail::ops as mail;
use crate::outbox::model::Refusal;
use crate::secrets::{MAGIC_LINK_PREFIX, Secret};
use crate::users;
use crate::users::model::User;

/// Sends a link where the address is a user's, or may become one's; to others nothing. The parcel's id is the link's: however often it is
/// tried, there is one link. `ctx` is Keystead's own.
///
/// # Errors
/// Why it failed, and whether it would again.
pub async fn answer(ctx: &Ctx, parcel: Uuid, payload: &[u8]) -> std::result::Result<(), Refusal> {
    let wish: Wish = serde_json::from_slice(payload)
        .map_err(|error| Refusal::for_good(format!("the parcel is no wish: {error}")))?;
    send(ctx, parcel, wish)
        .await
        .map_err(|error| Refusal::for_now(error.cause.unwrap_or(error.message)))
}

async fn send(ctx: &Ctx, parcel: Uuid, wish: Wish) -> Result<()> {
    let (now, settings) = (ctx.now(), &ctx.policy.magic_links);
    // Nobody waits any more for what could not be answered in time.
    if !settings.enabled || !settings.allows(&wish.email) || now - wish.at >= LIFETIME {
        return Ok(());
    }
    let user = users::ops::by_email(ctx, &wish.email).await?;
    if !authorise(ctx, user.as_deref(), &wish.email).await? {
        return Ok(());
    }
    let token = Secret::generate(&ctx.random, MAGIC_LINK_PREFIX);
    let link = MagicLink {
        id: parcel,
        user_id: user.as_ref().map(|user| user.id),
        email: wish.email.clone(),
        created_at: now,
        expires_at: now + LIFETIME,
        used_at: None,
    };
    let values = json!({
        "link": format!("{}/sign-in?token={}", ctx.policy.public_url, token.expose()),
        "expires": written(link.expires_at),
    });
    let name = user.as_ref().map(|user| user.shown_name().to_owned());
    let letter = Mail::new(wish.email, name, Template::MagicLink, values);

    let mut tx = ctx.db.begin("send_magic_link").await?;
    let stored = store::insert(&mut tx, &link, &token.digest()).await;
    // Deleted meanwhile: there is nobody to send it to.
    let stored = match stored.map_err(|failure| failure.foreign_key(USER, gone)) {
        Err(error) if error.code == Code::NotFound => return Ok(()),
        other => other?,
    };
    if !stored {
        return Ok(());
    }
    if let Some(user) = &user {
        let told = json!({"user": user.typed_id().to_string(), "expiresAt": link.expires_at});
        let change = Change::created("magicLink.create", Id::new(Kind::MagicLink, parcel), told);
        let change = change.at([users::ops::path(user.id)]);
        audit::record(ctx, &mut tx, vec![change]).await?;
    }
    mail::send(ctx, &mut tx, letter).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}

/// Whether that user may be signed in, or, where there is none, one may be made.
async fn authorise(ctx: &Ctx, user: Option<&User>, email: &str) -> Result<bool> {
    match user {
        Some(user) => Ok(user.can_act(ctx.now())),
        None if !ctx.policy.magic_links.new_users => Ok(false),
        None => match newcomer(ctx, email).await {
            Ok(_) => Ok(true),
            // An address that cannot be a user's name.
            Err(error) if error.code == Code::BadUserInput => Ok(false),
            Err(error) => Err(error),
        },
    }
}

const USER: &str = "magic_links_user_id_fkey";

fn gone() -> Error {
    Error::not_found("input.email", "The user has been deleted.")
}
