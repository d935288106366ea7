//! Recording changes and reading the trail.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::model::{AuditEvent, AuditFilter, AuditSight, Change};
use super::redact::redact;
use super::store;
use crate::ctx::{Actor, Ctx};
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::db::{Connection, Db, Tx};
use crate::error::Result;
use crate::permissions::facts::Facts;
use crate::permissions::model::Principal;
use crate::permissions::ops::access;
use crate::permissions::path::Path;
use crate::permissions::visible::Territory;

/// Read the trail: all of it with this privilege at `/`, else what happened at the paths where it is held.
pub const READ: &str = "audit.read";

/// Records changes in the transaction that makes them. An update that changed nothing leaves no event.
///
/// # Errors
/// What the statement failed with; the transaction must then not be committed.
pub async fn record(ctx: &Ctx, tx: &mut Tx, changes: Vec<Change>) -> Result<()> {
    let (actor_id, actor_name, api_key_id) = match &ctx.actor {
        Actor::Holder(holder) | Actor::Enrolling(holder) => (
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
            paths: change.paths.into_iter().map(String::from).collect(),
            before: change.before.map(redact),
            after: change.after.map(redact),
            request_id: ctx.request.id.clone(),
            ip: ctx.request.ip.map(|ip| ip.to_string()),
            user_agent: ctx.request.user_agent.clone(),
            via: ctx.request.via.map(str::to_owned),
        })
        .collect();
    if events.is_empty() {
        return Ok(());
    }
    store::insert(tx, &events).await?;
    Ok(())
}

/// Which events the actor may read.
pub fn sight(ctx: &Ctx) -> AuditSight {
    if access::can(ctx, READ, &Path::root()) {
        return AuditSight::All;
    }
    match access::territory(ctx, READ) {
        Territory::Everywhere => AuditSight::All,
        Territory::Nowhere => AuditSight::Nothing,
        Territory::Marks(marks) => {
            let those = |held: fn(&crate::permissions::visible::Mark) -> bool| -> Vec<String> {
                let held = marks.iter().filter(|mark| held(mark));
                held.map(|mark| mark.path.as_str().to_owned()).collect()
            };
            AuditSight::Marked {
                marks: those(|_| true),
                here: those(|mark| mark.here),
                below: those(|mark| mark.below),
            }
        }
    }
}

/// Whether the actor may read that event: the same answer as [`sight`] gives in SQL.
pub fn may_read(ctx: &Ctx, event: &AuditEvent) -> bool {
    access::can(ctx, READ, &Path::root())
        || event
            .paths
            .iter()
            .filter_map(|path| Path::parse(path).ok())
            .any(|path| access::can(ctx, READ, &path))
}

/// Whether a principal with these facts may read that event: the same answer, of who is not calling.
pub fn principal_may_read(facts: &Facts, principal: &Principal, event: &AuditEvent) -> bool {
    access::holds(facts, principal, READ, &Path::root())
        || event
            .paths
            .iter()
            .filter_map(|path| Path::parse(path).ok())
            .any(|path| access::holds(facts, principal, READ, &path))
}

/// Events by id, within a transaction or beside other statements: rights are decided afterwards.
///
/// # Errors
/// What the statement failed with.
pub async fn by_ids_within(
    conn: &mut Connection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, AuditEvent>> {
    let events = store::by_ids(conn, ids).await?;
    Ok(events.into_iter().map(|event| (event.id, event)).collect())
}

/// Events by id, for loaders: rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<AuditEvent>>> {
    let events = store::by_ids(&mut *db.read("audit_events_by_ids").await?, &ids).await?;
    Ok(events
        .into_iter()
        .map(|event| (event.id, Arc::new(event)))
        .collect())
}

/// A page of the events that the filter and the actor's rights leave.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request; `SERVICE_UNAVAILABLE`.
pub async fn list(
    ctx: &Ctx,
    filter: &AuditFilter,
    descending: bool,
    request: &PageRequest,
) -> Result<Page<AuditEvent>> {
    access::authenticated(ctx)?;
    let sight = sight(ctx);
    if sight.is_nothing() {
        return Ok(Page::empty(request));
    }
    let mut conn = ctx.db.read("audit_events_page").await?;
    Ok(store::page(&mut conn, filter, &sight, descending, request).await?)
}

/// One page of one object's events, as a loader is asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageOf {
    /// The object's typed id.
    pub target: String,
    /// Which of its events.
    pub filter: AuditFilter,
    /// Which of them may be seen.
    pub sight: AuditSight,
    /// Which page.
    pub page: PageRequest,
}

/// Pages of many objects' events, newest first, for loaders: one statement for all that differ in their object alone.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn pages(db: &Db, wanted: Vec<PageOf>) -> Result<HashMap<PageOf, Arc<Page<AuditEvent>>>> {
    let mut groups: HashMap<(AuditFilter, AuditSight, PageRequest), Vec<String>> = HashMap::new();
    for one in wanted {
        let group = groups.entry((one.filter, one.sight, one.page)).or_default();
        group.push(one.target);
    }
    let mut found = HashMap::new();
    for ((filter, sight, page), targets) in groups {
        let mut conn = db.read("audit_events_of_targets").await?;
        let pages = store::pages_of(&mut conn, targets, &filter, &sight, &page).await?;
        found.extend(pages.into_iter().map(|(target, rows)| {
            let (filter, sight, page) = (filter.clone(), sight.clone(), page.clone());
            let of = PageOf {
                target,
                filter,
                sight,
                page,
            };
            (of, Arc::new(rows))
        }));
    }
    Ok(found)
}

/// The place of an event in its list.
pub fn cursor(event: &AuditEvent) -> Cursor {
    Cursor::time(event.at, event.id)
}
