//! SQL of the audit trail.

use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::model::AuditEvent;
use crate::db;
use crate::db::schema::audit_events;

pub(super) async fn insert(conn: &mut AsyncPgConnection, events: &[AuditEvent]) -> db::Result<()> {
    diesel::insert_into(audit_events::table)
        .values(events)
        .execute(conn)
        .await?;
    Ok(())
}
