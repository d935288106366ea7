//! What can be done with webhooks.
//!
//! Who holds `webhook.read` or `webhook.write` at a user's path may read or write the webhooks that this user has made. A webhook is told
//! what its maker may read; so whoever says where that goes needs all that its maker holds.

mod create;
mod delete;
mod gone;
mod read;
mod redeliver;
mod rotate;
mod update;

use uuid::Uuid;

pub use create::create;
pub use delete::{along, delete};
pub(super) use gone::{GONE, disable_gone};
pub use read::{by_ids, cursor, deliveries, delivery_cursor, list, may_read, tidy};
pub use redeliver::redeliver;
pub use rotate::{MAX_OVERLAP, rotate};
pub use update::update;

use super::model::Webhook;
use super::store;
use crate::audit::model::ActionFilter;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::permissions::model::Principal;
use crate::permissions::ops::{access, facts};
use crate::permissions::path::Path;
use crate::text;

/// Read the webhooks of a user, and what was delivered to them.
pub const READ: &str = "webhook.read";
/// Make, change and delete the webhooks of a user.
pub const WRITE: &str = "webhook.write";

/// Webhooks of one instance at most.
pub const MAX_WEBHOOKS: i64 = 100;
/// Actions that one webhook names at most.
pub const MAX_EVENTS: usize = 50;

/// What the secret of a webhook is sealed for.
pub(super) fn purpose(id: Uuid) -> String {
    format!("webhook {}", id.simple())
}

/// Where the webhooks of a user lie.
fn path(owner: Uuid) -> Path {
    access::object(Kind::User, owner)
}

fn absent(field: &str, id: Uuid) -> Error {
    let id = Id::new(Kind::Webhook, id).to_string();
    Error::not_found(field, format!("There is no webhook {}.", quoted(&id)))
}

/// The webhook, locked, for an actor who may write it.
async fn lock(ctx: &Ctx, tx: &mut Tx, id: Uuid) -> Result<Webhook> {
    access::authenticated(ctx)?;
    let absent = || absent("input.id", id);
    let webhook = store::lock(tx, id).await?.ok_or_else(absent)?;
    access::require_on(ctx, READ, WRITE, &[path(webhook.owner_id)], absent)?;
    Ok(webhook)
}

/// Refuses to let the actor say where that goes which the maker may read, unless the actor holds all that the maker does.
async fn may_direct(ctx: &Ctx, tx: &mut Tx, owner: Uuid) -> Result<()> {
    let owner = Principal::User(owner);
    match facts::of_principal(tx, ctx.now(), owner).await? {
        Some(facts) => access::may_act_as(ctx, &facts, &owner),
        None => Err(Error::internal("a webhook without its maker")),
    }
}

fn events(given: &[String]) -> Result<Vec<String>> {
    if given.len() > MAX_EVENTS {
        return Err(Error::bad_input(
            "input.events",
            format!(
                "input.events has {} elements. A webhook names at most {MAX_EVENTS} actions.",
                given.len()
            ),
        ));
    }
    for (index, action) in given.iter().enumerate() {
        ActionFilter::read(&format!("input.events.{index}"), action)?;
    }
    let mut events = given.to_vec();
    events.sort_unstable();
    events.dedup();
    Ok(events)
}

fn description(given: &str) -> Result<String> {
    text::lines("input.description", given, 2_000)
}
