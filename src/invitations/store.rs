//! SQL of invitations.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::model::{Invitation, InvitationFilter, InvitationSight, InvitationStatus};
use crate::db;
use crate::db::pages::{Page, PageRequest};
use crate::db::schema::invitations;
use crate::db::statement::{Seen, Statement};
use crate::secrets::Digest;

const COLUMNS: &str = "SELECT i.id, i.user_id, i.email, i.role, i.team_ids, i.team_roles, i.invited_by, i.created_at, i.expires_at,
    i.accepted_at, i.accepted_by, i.revoked_at";

pub(super) async fn by_ids(
    conn: &mut AsyncPgConnection,
    ids: &[Uuid],
) -> db::Result<Vec<Invitation>> {
    Ok(invitations::table
        .filter(invitations::id.eq_any(ids))
        .select(Invitation::as_select())
        .load(conn)
        .await?)
}

/// The invitation with that token.
pub(super) async fn by_digest(
    conn: &mut AsyncPgConnection,
    digest: &Digest,
) -> db::Result<Option<Invitation>> {
    Ok(invitations::table
        .filter(invitations::digest.eq(digest.as_bytes().as_slice()))
        .select(Invitation::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// The same, locked until the transaction ends: of two who present a token the second sees what the first has done.
pub(super) async fn lock_by_digest(
    conn: &mut AsyncPgConnection,
    digest: &Digest,
) -> db::Result<Option<Invitation>> {
    Ok(invitations::table
        .filter(invitations::digest.eq(digest.as_bytes().as_slice()))
        .select(Invitation::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?)
}

/// The invitation, locked until the transaction ends.
pub(super) async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> db::Result<Option<Invitation>> {
    Ok(invitations::table
        .find(id)
        .select(Invitation::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?)
}

pub(super) async fn insert(
    conn: &mut AsyncPgConnection,
    invitation: &Invitation,
    digest: &Digest,
) -> db::Result<()> {
    diesel::insert_into(invitations::table)
        .values((
            invitation,
            invitations::digest.eq(digest.as_bytes().as_slice()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores who answers for it, its end, and what has become of it.
pub(super) async fn update(
    conn: &mut AsyncPgConnection,
    invitation: &Invitation,
) -> db::Result<()> {
    diesel::update(invitations::table.find(invitation.id))
        .set((
            invitations::invited_by.eq(invitation.invited_by),
            invitations::expires_at.eq(invitation.expires_at),
            invitations::accepted_at.eq(invitation.accepted_at),
            invitations::accepted_by.eq(invitation.accepted_by),
            invitations::revoked_at.eq(invitation.revoked_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives it another token.
pub(super) async fn renew(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    digest: &Digest,
) -> db::Result<()> {
    diesel::update(invitations::table.find(id))
        .set(invitations::digest.eq(digest.as_bytes().as_slice()))
        .execute(conn)
        .await?;
    Ok(())
}

/// A page of invitations, newest first, and their number if asked for.
pub(super) async fn page(
    conn: &mut AsyncPgConnection,
    filter: &InvitationFilter,
    sight: &InvitationSight,
    now: DateTime<Utc>,
    request: &PageRequest,
) -> db::Result<Page<Invitation>> {
    let from = visible(Statement::new(" FROM invitations i"), sight);
    let mut from = from.and_if("i.invited_by = ", filter.invited_by);
    if let Some(team) = filter.team {
        from = from.and("i.team_ids @> ", vec![team]);
    }
    if let Some(email) = filter.email.as_deref() {
        from = from.and("lower(i.email) = lower(", email).sql(")");
    }
    let open = "i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at";
    let from = match filter.status {
        None => from,
        Some(InvitationStatus::Accepted) => from.condition().sql("i.accepted_at IS NOT NULL"),
        Some(InvitationStatus::Revoked) => from.condition().sql("i.revoked_at IS NOT NULL"),
        Some(InvitationStatus::Pending) => from.condition().sql(open).sql(" > ").bind(now),
        Some(InvitationStatus::Expired) => from.condition().sql(open).sql(" <= ").bind(now),
    };
    db::list::page(conn, COLUMNS, from, ("i.created_at", "i.id"), true, request).await
}

fn visible(from: Statement, sight: &InvitationSight) -> Statement {
    if sight.invitations == Seen::All {
        return from;
    }
    let mut from = from.condition().sql("(").seen("i.id", &sight.invitations);
    if !sight.teams.is_none() {
        from = from
            .sql(" OR EXISTS (SELECT 1 FROM unnest(i.team_ids) AS t (id) WHERE ")
            .seen("t.id", &sight.teams)
            .sql(")");
    }
    if let Some(own) = sight.own {
        from = from.sql(" OR i.invited_by = ").bind(own);
    }
    from.sql(")")
}
