//! SQL of the audit trail.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;
use serde::Serialize;
use uuid::Uuid;

use super::model::{ActionFilter, AuditEvent, AuditFilter, AuditSight};
use crate::db;
use crate::db::pages::{Page, PageRequest};
use crate::db::schema::audit_events;
use crate::db::statement::Statement;

const COLUMNS: &str = "SELECT e.id, e.at, e.actor_id, e.actor_name, e.api_key_id, e.on_behalf_of, e.action, e.target, e.paths,
    e.before, e.after, e.request_id, e.ip, e.user_agent, e.via";

/// An event as it is written among others.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    event: &'a AuditEvent,
    within: Vec<String>,
}

/// Writes events by one statement, which is prepared once: a text with a place for each value would be another for each number of
/// events. `within` is derived from their paths here.
pub(super) async fn insert(conn: &mut AsyncPgConnection, events: &[AuditEvent]) -> db::Result<()> {
    if let [event] = events {
        diesel::insert_into(audit_events::table)
            .values((event, audit_events::within.eq(within(&event.paths))))
            .execute(conn)
            .await?;
        return Ok(());
    }
    let rows: Vec<Written> = events
        .iter()
        .map(|event| Written {
            event,
            within: within(&event.paths),
        })
        .collect();
    let rows = serde_json::to_value(rows).map_err(|error| db::Failure::Other(error.to_string()))?;
    Statement::new(
        "INSERT INTO audit_events (id, at, actor_id, actor_name, api_key_id, on_behalf_of, action, target, paths, within,
            before, after, request_id, ip, user_agent, via)
        SELECT id, at, actor_id, actor_name, api_key_id, on_behalf_of, action, target, paths, within, before, after,
            request_id, ip, user_agent, via FROM jsonb_populate_recordset(NULL::audit_events, ",
    )
    .bind(rows)
    .sql(")")
    .execute(conn)
    .await?;
    Ok(())
}

/// The paths and all that lie above them.
fn within(paths: &[String]) -> Vec<String> {
    let mut all: BTreeSet<&str> = BTreeSet::new();
    for path in paths {
        all.extend(["/", path.as_str()]);
        all.extend(path.match_indices('/').skip(1).map(|(end, _)| &path[..end]));
    }
    all.into_iter().map(str::to_owned).collect()
}

pub(super) async fn by_ids(
    conn: &mut AsyncPgConnection,
    ids: &[Uuid],
) -> db::Result<Vec<AuditEvent>> {
    Ok(audit_events::table
        .filter(audit_events::id.eq_any(ids))
        .select(AuditEvent::as_select())
        .load(conn)
        .await?)
}

/// A page of events, and their number if asked for: pipelined, one round trip.
pub(super) async fn page(
    conn: &mut AsyncPgConnection,
    filter: &AuditFilter,
    sight: &AuditSight,
    descending: bool,
    request: &PageRequest,
) -> db::Result<Page<AuditEvent>> {
    let from = matching(Statement::new(" FROM audit_events e"), filter, sight);
    db::list::page(conn, COLUMNS, from, ("e.at", "e.id"), descending, request).await
}

#[derive(QueryableByName)]
struct CountOf {
    #[diesel(sql_type = Text)]
    target: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The same page for each of many targets, newest first, and their numbers if asked for: one round trip.
pub(super) async fn pages_of(
    conn: &mut AsyncPgConnection,
    targets: Vec<String>,
    filter: &AuditFilter,
    sight: &AuditSight,
    request: &PageRequest,
) -> db::Result<HashMap<String, Page<AuditEvent>>> {
    let conn = &*conn;
    let from = || {
        let of = Statement::new(" FROM audit_events e")
            .condition()
            .sql("e.target = t.target");
        matching(of, filter, sight)
    };
    let list = Statement::new("SELECT e.* FROM unnest(")
        .bind(targets.clone())
        .sql("::text[]) AS t (target) CROSS JOIN LATERAL (")
        .sql(COLUMNS)
        .append(from())
        .keyset("e.at", "e.id", true, request)
        .sql(") e");
    let rows = async { Ok::<_, db::Failure>(list.load::<AuditEvent>(&mut &*conn).await?) };
    let totals = async {
        if !request.count {
            return Ok(HashMap::new());
        }
        let counted = Statement::new("SELECT t.target, c.count FROM unnest(")
            .bind(targets.clone())
            .sql("::text[]) AS t (target) CROSS JOIN LATERAL (SELECT count(*) AS count")
            .append(from())
            .sql(") c")
            .load::<CountOf>(&mut &*conn)
            .await?;
        let counts = counted.into_iter().map(|row| (row.target, row.count));
        Ok::<_, db::Failure>(counts.collect())
    };
    let (rows, totals): (_, HashMap<String, i64>) = try_join(rows, totals).await?;
    let mut by_target: HashMap<String, Vec<AuditEvent>> = HashMap::with_capacity(targets.len());
    for row in rows {
        by_target.entry(row.target.clone()).or_default().push(row);
    }
    let page = |target: String| {
        let mut rows = by_target.remove(&target).unwrap_or_default();
        // The order of the lateral's rows is not promised to last.
        rows.sort_by_key(|row| (row.at, row.id));
        if !request.backward {
            rows.reverse();
        }
        let total = totals.get(&target).copied();
        (target, Page::of(request, rows, total))
    };
    Ok(targets.into_iter().map(page).collect())
}

fn matching(mut from: Statement, filter: &AuditFilter, sight: &AuditSight) -> Statement {
    from = match sight {
        AuditSight::All => from,
        AuditSight::Nothing => from.condition().sql("false"),
        AuditSight::Marked { marks, here, below } => seen(from, marks, here, below),
    };
    from = match &filter.action {
        None => from,
        Some(ActionFilter::Exactly(action)) => from.and("e.action = ", action.as_str()),
        // `/` is the character after `.`.
        Some(ActionFilter::BeginningWith(noun)) => from
            .and("e.action >= ", noun.as_str())
            .and("e.action < ", noun.trim_end_matches('.').to_owned() + "/"),
    };
    from.and_if(
        "e.target = ",
        filter.target.map(|target| target.to_string()),
    )
    .and_if("e.actor_id = ", filter.actor)
    .and_if("e.api_key_id = ", filter.api_key)
    .and_if("e.at >= ", filter.from)
    .and_if("e.at < ", filter.before)
    .and_if("e.request_id = ", filter.request_id.clone())
}

/// Events with a path whose nearest mark upwards says so; the index on `within` finds the candidates.
fn seen(from: Statement, marks: &[String], here: &[String], below: &[String]) -> Statement {
    let mut held: Vec<String> = here.iter().chain(below).cloned().collect();
    held.sort_unstable();
    held.dedup();
    from.and("e.within && ", held)
        .condition()
        .sql(
            "EXISTS (SELECT 1 FROM unnest(e.paths) AS p (path) CROSS JOIN LATERAL (
            SELECT CASE WHEN m.path = p.path THEN m.path = ANY(",
        )
        .bind(here.to_vec())
        .sql(") ELSE m.path = ANY(")
        .bind(below.to_vec())
        .sql(") END AS held FROM unnest(")
        .bind(marks.to_vec())
        .sql(
            "::text[]) AS m (path)
            WHERE m.path = p.path OR m.path = '/' OR starts_with(p.path, m.path || '/')
            ORDER BY length(m.path) DESC LIMIT 1) d WHERE d.held)",
        )
}

#[derive(QueryableByName)]
struct Snapshot {
    #[diesel(sql_type = Text)]
    snapshot: String,
}

/// Which transactions are visible now, as Postgres writes it: `xmin:xmax:in progress`.
pub(super) async fn snapshot(conn: &mut AsyncPgConnection) -> db::Result<String> {
    let now = Statement::new("SELECT pg_current_snapshot()::text AS snapshot");
    let found: Vec<Snapshot> = now.load(conn).await?;
    let missing = || db::Failure::Other("no snapshot was returned".into());
    found
        .into_iter()
        .map(|row| row.snapshot)
        .next()
        .ok_or_else(missing)
}

/// The place of an event in the order of transactions: the transaction's number and the event's id.
pub(super) type Place = (String, Uuid);

/// Events that have become visible.
pub(super) struct Appeared {
    /// Each with its transaction.
    pub events: Vec<(AuditEvent, String)>,
    /// What was visible when they were read; `None` if there are none.
    pub snapshot: Option<String>,
    /// Where to go on; `None` if these were all.
    pub last: Option<Place>,
}

#[derive(QueryableByName)]
struct AppearedRow {
    #[diesel(embed)]
    event: AuditEvent,
    #[diesel(sql_type = Text)]
    xid: String,
    #[diesel(sql_type = Text)]
    snapshot: String,
}

impl Appeared {
    fn of(rows: Vec<AppearedRow>) -> Self {
        let full = rows.len() as i64 == APPEARED_AT_ONCE;
        let place = |row: &AppearedRow| (row.xid.clone(), row.event.id);
        Appeared {
            snapshot: rows.as_slice().first().map(|row| row.snapshot.clone()),
            last: rows.as_slice().last().filter(|_| full).map(place),
            events: rows.into_iter().map(|row| (row.event, row.xid)).collect(),
        }
    }
}

const APPEARED_AT_ONCE: i64 = 500;

#[derive(QueryableByName)]
struct OriginRow {
    #[diesel(embed)]
    event: AuditEvent,
    #[diesel(sql_type = Text)]
    xid: String,
    #[diesel(sql_type = Text)]
    floor: String,
}

/// Where to go on after an event.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The event and its transaction.
    pub id: Uuid,
    pub xid: String,
    /// What has become visible after it was written by this transaction or a later one.
    pub floor: String,
}

/// An event, and where to go on after it.
pub(super) async fn origin(
    conn: &mut AsyncPgConnection,
    id: Uuid,
) -> db::Result<Option<(AuditEvent, Origin)>> {
    let rows: Vec<OriginRow> = Statement::new(COLUMNS)
        .sql(", e.xid::text AS xid, e.floor::text AS floor FROM audit_events e")
        .and("e.id = ", id)
        .load(conn)
        .await?;
    let origin = |row: OriginRow| {
        let (id, xid, floor) = (row.event.id, row.xid, row.floor);
        (row.event, Origin { id, xid, floor })
    };
    Ok(rows.into_iter().map(origin).next())
}

/// Events that may have become visible after that one and that are visible in `until`.
fn after(query: Statement, origin: &Origin, until: &str) -> Statement {
    query
        .and("e.xid >= ", origin.floor.as_str())
        .sql("::xid8")
        .and("pg_visible_in_snapshot(e.xid, ", until)
        .sql("::pg_snapshot)")
        .and("NOT (e.xid = ", origin.xid.as_str())
        .sql("::xid8 AND e.id <= ")
        .bind(origin.id)
        .sql(")")
}

/// How many of these there are, counted up to `most`.
pub(super) async fn count_after(
    conn: &mut AsyncPgConnection,
    origin: &Origin,
    until: &str,
    most: i64,
) -> db::Result<i64> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let some = after(
        Statement::new("SELECT count(*) AS count FROM (SELECT FROM audit_events e"),
        origin,
        until,
    );
    let counted: Vec<Count> = some.sql(" LIMIT ").bind(most).sql(") s").load(conn).await?;
    Ok(counted.iter().map(|row| row.count).sum())
}

/// These, by transaction, after `last`.
pub(super) async fn resumed(
    conn: &mut AsyncPgConnection,
    origin: &Origin,
    until: &str,
    last: Option<Place>,
) -> db::Result<Appeared> {
    let query = after(Statement::new(APPEARED), origin, until);
    in_turn(conn, query, last).await
}

const APPEARED: &str = "SELECT e.id, e.at, e.actor_id, e.actor_name, e.api_key_id, e.on_behalf_of, e.action, e.target, e.paths,
    e.before, e.after, e.request_id, e.ip, e.user_agent, e.via, e.xid::text AS xid, pg_current_snapshot()::text AS snapshot FROM audit_events e";

/// Events whose transactions were not visible in `since` and are now (or were in `until`), after `last`, by transaction.
pub(super) async fn appeared(
    conn: &mut AsyncPgConnection,
    since: &str,
    until: Option<&str>,
    last: Option<Place>,
) -> db::Result<Appeared> {
    let mut query = Statement::new(APPEARED)
        .and("e.xid >= pg_snapshot_xmin(", since)
        .sql("::pg_snapshot)")
        .and("NOT pg_visible_in_snapshot(e.xid, ", since)
        .sql("::pg_snapshot)");
    if let Some(until) = until {
        query = query
            .and("pg_visible_in_snapshot(e.xid, ", until)
            .sql("::pg_snapshot)");
    }
    in_turn(conn, query, last).await
}

/// What the query finds after `last`, by transaction.
async fn in_turn(
    conn: &mut AsyncPgConnection,
    mut query: Statement,
    last: Option<Place>,
) -> db::Result<Appeared> {
    if let Some((xid, id)) = last {
        query = query
            .and("(e.xid, e.id) > (", xid)
            .sql("::xid8, ")
            .bind(id)
            .sql(")");
    }
    let rows: Vec<AppearedRow> = query
        .sql(" ORDER BY e.xid, e.id LIMIT ")
        .bind(APPEARED_AT_ONCE)
        .load(conn)
        .await?;
    Ok(Appeared::of(rows))
}
