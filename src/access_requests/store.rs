//! SQL of access requests.

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::model::{AccessRequest, AccessRequestFilter, AccessRequestSight, AccessRequestStatus};
use crate::db;
use crate::db::pages::{Page, PageRequest};
use crate::db::schema::access_requests;
use crate::db::statement::{Seen, Statement};
use crate::permissions::visible::{Territory, told};

const COLUMNS: &str = "SELECT r.id, r.user_id, r.asked, r.paths, r.team_id, r.justification, r.until, r.created_at, r.expires_at,
    r.decision, r.decided_at, r.decided_by, r.reason, r.granted, r.granted_until";

pub(super) async fn by_ids(
    conn: &mut AsyncPgConnection,
    ids: &[Uuid],
) -> db::Result<Vec<AccessRequest>> {
    Ok(access_requests::table
        .filter(access_requests::id.eq_any(ids))
        .select(AccessRequest::as_select())
        .load(conn)
        .await?)
}

/// The request, locked until the transaction ends: of two who decide, the second sees what the first has decided.
pub(super) async fn lock(
    conn: &mut AsyncPgConnection,
    id: Uuid,
) -> db::Result<Option<AccessRequest>> {
    Ok(access_requests::table
        .find(id)
        .select(AccessRequest::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?)
}

/// How many requests of that user can still be reviewed.
pub(super) async fn open_of(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    now: DateTime<Utc>,
) -> db::Result<i64> {
    Ok(access_requests::table
        .filter(access_requests::user_id.eq(user))
        .filter(access_requests::decision.is_null())
        .filter(access_requests::expires_at.gt(now))
        .select(count_star())
        .first(conn)
        .await?)
}

pub(super) async fn insert(
    conn: &mut AsyncPgConnection,
    request: &AccessRequest,
) -> db::Result<()> {
    diesel::insert_into(access_requests::table)
        .values(request)
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores what was decided.
pub(super) async fn decide(
    conn: &mut AsyncPgConnection,
    request: &AccessRequest,
) -> db::Result<()> {
    diesel::update(access_requests::table.find(request.id))
        .set((
            access_requests::decision.eq(&request.decision),
            access_requests::decided_at.eq(request.decided_at),
            access_requests::decided_by.eq(request.decided_by),
            access_requests::reason.eq(&request.reason),
            access_requests::granted.eq(&request.granted),
            access_requests::granted_until.eq(request.granted_until),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// A page of requests, newest first, and their number if asked for.
pub(super) async fn page(
    conn: &mut AsyncPgConnection,
    filter: &AccessRequestFilter,
    sight: &AccessRequestSight,
    now: DateTime<Utc>,
    request: &PageRequest,
) -> db::Result<Page<AccessRequest>> {
    let from = visible(Statement::new(" FROM access_requests r"), sight);
    let mut from = from
        .and_if("r.user_id = ", filter.user)
        .and_if("r.team_id = ", filter.team);
    if let Some(path) = &filter.path {
        from = from
            .and("r.paths @> ", vec![path.to_string()])
            .sql(" AND r.team_id IS NULL");
    }
    let from = match filter.status {
        None => from,
        Some(AccessRequestStatus::Approved) => from.and("r.decision = ", "APPROVED"),
        Some(AccessRequestStatus::Denied) => from.and("r.decision = ", "DENIED"),
        Some(AccessRequestStatus::Withdrawn) => from.and("r.decision = ", "WITHDRAWN"),
        Some(AccessRequestStatus::Pending) => {
            from.and("r.decision IS NULL AND r.expires_at > ", now)
        }
        Some(AccessRequestStatus::Expired) => {
            from.and("r.decision IS NULL AND r.expires_at <= ", now)
        }
    };
    db::list::page(conn, COLUMNS, from, ("r.created_at", "r.id"), true, request).await
}

fn visible(from: Statement, sight: &AccessRequestSight) -> Statement {
    if sight.requests == Seen::All {
        return from;
    }
    let mut from = from.condition().sql("(").seen("r.id", &sight.requests);
    if !sight.teams.is_none() {
        from = from
            .sql(" OR (r.team_id IS NOT NULL AND ")
            .seen("r.team_id", &sight.teams)
            .sql(")");
    }
    from = match &sight.paths {
        Territory::Nowhere => from,
        Territory::Everywhere => from.sql(" OR r.team_id IS NULL"),
        Territory::Marks(marks) => from
            .sql(" OR (r.team_id IS NULL AND EXISTS (SELECT 1 FROM unnest(r.paths) AS g (path) WHERE ")
            .marked_g(told(marks))
            .sql("))"),
    };
    if let Some(own) = sight.own {
        from = from.sql(" OR r.user_id = ").bind(own);
    }
    from.sql(")")
}
