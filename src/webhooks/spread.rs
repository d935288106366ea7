//! From an event to the deliveries that are made of it.

use std::collections::HashMap;

use uuid::Uuid;

use super::store;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::outbox::ops as outbox;
use crate::permissions::model::Principal;
use crate::permissions::ops::facts;

/// Events that one transaction spreads.
pub const AT_ONCE: i64 = 100;

/// Makes deliveries of up to [`AT_ONCE`] events, for each webhook that asks for the event and whose maker may read it now. What one
/// server is spreading, others pass over; if it dies, nothing has happened. Returns how many events there were.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn spread(ctx: &Ctx) -> Result<usize> {
    let (db, now) = (&ctx.db, ctx.now());
    let mut tx = db.begin("spread_events").await?;
    let taken = outbox::take_events(&mut tx, now, AT_ONCE).await?;
    if taken.is_empty() {
        return Ok(0);
    }
    let webhooks = store::enabled(&mut tx).await?;
    let mut owners: Vec<Principal> = webhooks
        .iter()
        .map(|webhook| Principal::User(webhook.owner_id))
        .collect();
    owners.sort_unstable();
    owners.dedup();
    let facts = facts::of_principals(&mut tx, now, &owners).await?;
    let mut events: HashMap<_, _> = audit::by_ids_within(&mut tx, &taken).await?;
    let mut deliveries: Vec<(Uuid, Uuid, Uuid, String)> = Vec::new();
    for event in taken.iter().filter_map(|id| events.remove(id)) {
        for webhook in webhooks
            .iter()
            .filter(|webhook| webhook.wants(&event.action))
        {
            let owner = Principal::User(webhook.owner_id);
            let may = facts
                .get(&owner)
                .is_some_and(|facts| audit::principal_may_read(facts, &owner, &event));
            if may {
                deliveries.push((ctx.new_id(), webhook.id, event.id, event.action.clone()));
            }
        }
    }
    if !deliveries.is_empty() {
        store::insert_deliveries(&mut tx, &deliveries, now).await?;
        let parcels = deliveries.iter().map(|(id, webhook, ..)| (*id, *webhook));
        outbox::put_deliveries(&mut tx, parcels.collect(), now).await?;
    }
    tx.commit().await?;
    Ok(taken.len())
}
