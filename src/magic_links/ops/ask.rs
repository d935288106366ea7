//! Asking for a link.

use chrono::TimeDelta;
use serde_json::json;

use super::authorise;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::magic_links::model::Wish;
use crate::magic_links::store;
use crate::outbox::model::Lane;
use crate::outbox::ops as outbox;
use crate::secrets::Digest;
use crate::text;

/// Between two links to one address.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Asks for a link to that address. Whether it belongs to anybody is looked up when the request has been answered: here the same is done
/// for every address.
///
/// # Errors
/// `FORBIDDEN` where links are switched off; `BAD_USER_INPUT` for what is no address, or of a domain to which none are sent;
/// `RATE_LIMITED` for a second one within a minute, whoever has the address.
pub async fn ask(ctx: &Ctx, email: &str) -> Result<()> {
    const FIELD: &str = "input.email";
    authorise(ctx)?;
    let email = text::email(FIELD, email)?;
    if !ctx.policy.magic_links.allows(&email) {
        return Err(Error::bad_input(
            FIELD,
            format!(
                "{} is of a domain to which no links are sent here.",
                quoted(&email)
            ),
        ));
    }
    let now = ctx.now();
    let address = Digest::of(email.to_lowercase().as_bytes());
    let wish = Wish {
        email: email.clone(),
        at: now,
    };
    let wish = serde_json::to_vec(&wish)
        .map_err(|error| Error::internal(format!("a wish cannot be written: {error}")))?;

    let mut tx = ctx.db.begin("request_magic_link").await?;
    let wait = store::note(&mut tx, &address, now, PAUSE).await?;
    if wait > 0 {
        return Err(later(wait));
    }
    let parcel = outbox::put(ctx, &mut tx, Lane::Link, &wish).await?;
    let told = json!({ "email": email });
    let change = Change::created("magicLink.request", Id::new(Kind::MagicLink, parcel), told);
    audit::record(ctx, &mut tx, vec![change]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}

fn later(seconds: i64) -> Error {
    Error::rate_limited(
        seconds.unsigned_abs(),
        format!(
            "A link to this address was asked for less than a minute ago. Look for the mail, or wait {seconds} s and ask again."
        ),
    )
}
