//! Telling users by mail what was done to how they sign in.

use serde_json::Value;

use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::mail::model::{Mail, Template};
use crate::mail::ops as mail;
use crate::users::model::User;

/// Tells the user by mail, once the transaction is committed, if it has an address.
///
/// # Errors
/// As [`mail::send`].
pub async fn tell(
    ctx: &Ctx,
    tx: &mut Tx,
    user: &User,
    template: Template,
    values: Value,
) -> Result<()> {
    match &user.email {
        Some(to) => {
            let letter = Mail::new(to.clone(), user.name.clone(), template, values);
            mail::send(ctx, tx, letter).await
        }
        None => Ok(()),
    }
}

/// Who has done it, as such mails name it.
pub fn doer(ctx: &Ctx) -> &str {
    let holder = ctx.actor.holder();
    holder.map_or("the operator", |holder| &holder.username)
}
