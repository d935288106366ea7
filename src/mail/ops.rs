//! Having mails sent.

use serde_json::Value;

use super::model::Mail;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::outbox::model::Lane;
use crate::outbox::ops as outbox;

/// Characters of a value at most.
const MAX_VALUE: usize = 4_000;

/// Has a mail sent once the transaction is committed. The change that this is part of must be published after its commit.
///
/// # Errors
/// What the statement failed with, or an internal error when a value of the template is missing; the transaction must then not be committed.
pub async fn send(ctx: &Ctx, tx: &mut Tx, mut mail: Mail) -> Result<()> {
    for name in mail.template.values() {
        if !mail.values.contains_key(*name) {
            let template = mail.template.name();
            return Err(Error::internal(format!(
                "the mail {template} lacks the value {name}"
            )));
        }
    }
    mail.name = mail.name.as_deref().map(one_line);
    for value in mail.values.values_mut() {
        if let Value::String(text) = value {
            *text = one_line(text);
        }
    }
    let payload = serde_json::to_vec(&mail)
        .map_err(|error| Error::internal(format!("a mail cannot be written: {error}")))?;
    outbox::put(ctx, tx, Lane::Mail, &payload).await?;
    Ok(())
}

/// A text as it may stand in a header or a line.
fn one_line(text: &str) -> String {
    text.chars()
        .take(MAX_VALUE)
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                c
            }
        })
        .collect()
}
