//! Recording changes.

use super::model::{AuditEvent, Change};
use super::store;
use crate::ctx::{Actor, Ctx};
use crate::db::Tx;
use crate::error::Result;

/// Records changes in the transaction that makes them. An update that changed nothing leaves no event.
///
/// # Errors
/// What the statement failed with; the transaction must then not be committed.
pub async fn record(ctx: &Ctx, tx: &mut Tx, changes: Vec<Change>) -> Result<()> {
    let (actor_id, actor_name, api_key_id) = match &ctx.actor {
        Actor::Holder(holder) => (
            Some(holder.user_id),
            Some(holder.username.clone()),
            holder.api_key_id,
        ),
        Actor::Keystead | Actor::Anonymous => (None, None, None),
    };
    let at = ctx.now();
    let events: Vec<AuditEvent> = changes
        .into_iter()
        .filter(|change| !change.is_empty())
        .map(|change| AuditEvent {
            id: ctx.new_id(),
            at,
            actor_id,
            actor_name: actor_name.clone(),
            api_key_id,
            on_behalf_of: ctx.request.on_behalf_of.clone(),
            action: change.action.to_owned(),
            target: change.target.to_string(),
            before: change.before,
            after: change.after,
            request_id: ctx.request.id.clone(),
            ip: ctx.request.ip.map(|ip| ip.to_string()),
            user_agent: ctx.request.user_agent.clone(),
        })
        .collect();
    if events.is_empty() {
        return Ok(());
    }
    store::insert(tx, &events).await?;
    Ok(())
}
